"""Folders become images by every engine that runs here: built, pushed, run as a stranger, asked, and built again."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from buildpacks import engine as development
from buildpacks import registry
from buildpacks.builder import base, server
from buildpacks.builder.create import builder
from cluster import binaries, packages
from tests.e2e import engines
from tests.e2e.engines import Author
from tests.e2e.images import image_name

pytestmark = pytest.mark.usefixtures("cluster")

ENGINES = ("lifecycle", "lifecycle in buildah", "pack", "docker", "buildah")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This tree's own wheel, since no index has it."""
    folder = tmp_path_factory.mktemp("wheel")
    server.stage(folder / "server", folder)
    (found,) = (folder / "server").glob("modelwright-*-none-any.whl")
    return found


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory, cluster: object) -> dict[str, str]:
    """A shell in which every engine that can be had here is found."""
    packages.require("buildah")
    return engines.shell(binaries.ensure("pack"), tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module", params=ENGINES)
def author(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, wheel: Path, shell: dict[str, str]
) -> Iterator[Author]:
    """An author with a folder of their own, and one engine."""
    engine, _, alone = request.param.partition(" in ")
    folder = engines.write_model(tmp_path_factory.mktemp(engine) / "length")
    bases = base.ensure()
    made = Author(engine, folder, image_name(), builder(), (bases.run, bases.build), wheel, shell, daemon=not alone)
    yield made
    for command in (["docker", "rmi", "--force", made.image], ["buildah", "rmi", "--force", made.image]):
        subprocess.run(command, env=shell, capture_output=True, check=False)


@pytest.fixture(scope="module")
def first(author: Author) -> subprocess.CompletedProcess[str]:
    """The folder's first build by that engine."""
    done = author.build()
    assert done.returncode == 0, done.stderr
    return done


def test_the_report_says_the_engine_the_times_and_the_sizes(
    author: Author, first: subprocess.CompletedProcess[str]
) -> None:
    assert f"engine: {author.engine} (" in first.stderr
    assert f"by {author.engine}\n" in first.stdout
    assert " MB compressed, " in first.stdout
    assert "base image" in first.stdout
    # Installing the packages is what took long, whoever did it.
    assert any("dependencies" in line or "uv pip install" in line for line in first.stdout.splitlines())
    assert registry.digest(author.image) == engines.digest_of(first)


def test_the_image_predicts_as_any_user_on_a_read_only_root(
    author: Author, first: subprocess.CompletedProcess[str]
) -> None:
    with engines.running(author) as address:
        assert engines.predict(address) == {"predictions": [3, 0]}


def test_weights_are_not_in_the_image(author: Author, first: subprocess.CompletedProcess[str]) -> None:
    command = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "sh", author.image, "-c"]
    looked = subprocess.run(
        [*command, "find / -xdev -name weights.npz -o -xdev -name input.json"],
        env=author.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert [Path(line).name for line in looked.stdout.split()] == ["input.json"], looked.stderr


def test_a_change_of_code_takes_the_packages_from_before(
    author: Author, first: subprocess.CompletedProcess[str]
) -> None:
    with (author.folder / "model.py").open("a") as code:
        code.write("\n# changed\n")

    again = author.build()

    assert again.returncode == 0, again.stderr
    assert engines.digest_of(again) != engines.digest_of(first)
    by_dockerfile = [
        line for line in again.stdout.splitlines() if "uv pip install" in line and "from the cache" in line
    ]
    by_builder = [line for line in again.stdout.splitlines() if line.startswith("layers reused:") and "venv" in line]
    assert by_dockerfile or by_builder, again.stdout


def test_a_build_that_fails_leaves_the_tag_as_it_was(author: Author, first: subprocess.CompletedProcess[str]) -> None:
    before = registry.digest(author.image)
    requirements = (author.folder / "requirements.txt").read_text()
    (author.folder / "requirements.txt").write_text("iniconfig==0.0.77\n")

    done = author.build()

    (author.folder / "requirements.txt").write_text(requirements)
    assert done.returncode == 2
    assert "iniconfig" in done.stderr
    assert f"{author.image} is as it was" in done.stderr
    assert "Traceback" not in done.stderr
    assert registry.digest(author.image) == before


def test_a_private_registry_gets_the_login_of_docker_and_no_log_shows_it(
    author: Author, first: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    with engines.private_registry(tmp_path) as host:
        image = f"{host}/team/length:1"
        private = replace(author, image=image)

        refused = private.build()

        private = replace(private, environment={**author.environment, "DOCKER_CONFIG": str(tmp_path)})
        pushed = private.build()

    assert (refused.returncode, f"docker login {host}" in refused.stderr) == (2, True), refused.stderr
    assert pushed.returncode == 0, pushed.stderr
    log = Path(
        author.environment["XDG_CACHE_HOME"], "modelwright", "build-logs", f"{host}-team-length-1.log".replace(":", "-")
    )
    said = pushed.stdout + pushed.stderr + log.read_text()
    assert "wonderland" not in said
    assert base64.b64encode(b"alice:wonderland").decode() not in said


def test_an_image_that_was_built_here_is_pushed_later(
    tmp_path: Path, wheel: Path, shell: dict[str, str], builder_image: str
) -> None:
    folder = engines.write_model(tmp_path / "length")
    author = Author("pack", folder, image_name(), builder_image, ("", ""), wheel, shell)
    built = author.modelwright("build", str(folder), "-t", author.image, "--engine", "pack", "--builder", builder_image)
    assert built.returncode == 0, built.stderr
    assert registry.digest(author.image) is None

    pushed = author.modelwright("push", author.image)

    assert pushed.returncode == 0, pushed.stderr
    assert pushed.stdout.strip().endswith(registry.digest(author.image) or "nothing")


def test_every_engine_that_can_be_had_here_was_asked_and_the_others_are_named(
    shell: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """No engine is passed over in silence: what is not here says why, on the terminal."""
    with capsys.disabled():
        for name, reason in engines.NOT_HERE.items():
            print(f"\n{name} cannot run here: {reason}", end="")
    here = {
        name: subprocess.run([name, "version"], env=shell, capture_output=True, check=False)
        for name in ("docker", "buildah")
    }
    assert {name: done.returncode for name, done in here.items()} == {"docker": 0, "buildah": 0}
    assert development.environment()["DOCKER_HOST"]


@pytest.fixture(scope="module")
def builder_image(cluster: object) -> str:
    return builder()
