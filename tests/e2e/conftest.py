"""A real cluster, real images and an installed operator, brought up where they are not there already."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.provider import ClusterInfo
from demo import stack
from tests.e2e.images import Built, image_name, lock
from tests.e2e.ingress import Ingress
from tests.e2e.kubectl import Kubectl


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[ClusterInfo]:
    """The test Kubernetes with the operator in it; taken down at the end only if this session brought it up."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        was_running = stack.is_up()
        info = stack.up()
    yield info
    if not was_running:
        stack.down()


@pytest.fixture(scope="session")
def admin(cluster: ClusterInfo) -> Kubectl:
    """kubectl as the cluster's administrator, in no namespace of a test's own."""
    return Kubectl(Path(cluster.bin) / "kubectl", str(cluster.kubeconfig))


@pytest.fixture
def kubectl(admin: Kubectl) -> Iterator[Kubectl]:
    """kubectl in a namespace of the test's own, which enforces Pod Security `restricted`."""
    name = f"e2e-{secrets.token_hex(3)}"
    admin("create", "namespace", name)
    admin("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    yield replace(admin, namespace=name)
    admin("delete", "namespace", name, "--wait=false")


@pytest.fixture
def ingress(cluster: ClusterInfo) -> Ingress:
    """The way in from outside."""
    return Ingress(cluster.ingress_url)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The smallest folder that builds."""
    made = tmp_path / "app"
    made.mkdir()
    (made / "model.py").write_text("raise SystemExit('a build must never import this')\n")
    (made / "requirements.txt").write_text("# nothing\n")
    (made / "Procfile").write_text("web: python -m model\n")
    return made


@pytest.fixture
def attempt(folder: Path, tmp_path: Path) -> Built:
    """The same folder, about to be built."""
    return Built(folder, image_name(), tmp_path / "build.log")


@pytest.fixture
def without_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images without our server, half a minute sooner, for tests of something else."""
    monkeypatch.setenv("BP_MODELWRIGHT_SERVER", "false")


@pytest.fixture
def project(folder: Path) -> Iterator[Path]:
    """A package with an entry point, an extra and a lockfile."""
    (folder / "requirements.txt").unlink()
    (folder / "model.py").unlink()
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "greeter"\nversion = "1.0"\nrequires-python = ">=3.11"\n'
        '[project.optional-dependencies]\nconfig = ["iniconfig==2.1.0"]\n'
        '[project.scripts]\ngreet = "greeter:main"\n'
        '[build-system]\nrequires = ["hatchling>=1.27"]\nbuild-backend = "hatchling.build"\n'
    )
    (folder / "src" / "greeter").mkdir(parents=True)
    (folder / "src" / "greeter" / "__init__.py").write_text(
        "def main():\n    import iniconfig\n    print('greetings')\n"
    )
    (folder / "Procfile").write_text("web: greet\n")
    lock(folder)
    yield folder
