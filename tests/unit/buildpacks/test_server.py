"""The model server that images get: where it is found, who goes without, and what a conflict with it says."""

import sys
from pathlib import Path

import modelwright
import pytest
from modelwright.cli import process

from buildpacks.builder import server as carried
from buildpacks.python.buildpack import carried as borrowed
from buildpacks.python.buildpack import server, server_layer, venv_layer
from buildpacks.python.buildpack.context import Context
from buildpacks.python.buildpack.errors import BuildpackError, Unsatisfiable
from buildpacks.python.buildpack.project import Project
from buildpacks.python.buildpack.sources import Source

WANTED = Source("requirements.txt", "digest", files=("requirements.txt",))


@pytest.fixture
def buildpack(tmp_path: Path) -> Path:
    """A buildpack as `make builder` lays it out."""
    folder = tmp_path / "buildpack" / "server"
    folder.mkdir(parents=True)
    (folder / "modelwright-0.1.0-py3-none-any.whl").write_bytes(b"wheel")
    (folder / "requirements.txt").write_text("protobuf>=6.30,<7\nnumpy>=1.26\n")
    return folder.parent


def find(buildpack: Path, project: Project | None = None, **environment: str) -> server.Server | None:
    context = Context(buildpack.parent, buildpack.parent / "layers", buildpack, environment)
    return server.find(context, project or Project())


def test_every_image_gets_the_server(buildpack: Path) -> None:
    found = find(buildpack, Project(name="iris"))

    assert found is not None
    assert found.version == "0.1.0"
    assert found.requirements == buildpack / "server" / "requirements.txt"


def test_an_interpreter_gets_the_wheel_compiled_for_it_and_others_get_python(buildpack: Path) -> None:
    (buildpack / "server" / "modelwright-0.1.0-cp311-cp311-linux_x86_64.whl").write_bytes(b"compiled")
    found = find(buildpack)

    assert found is not None
    assert "-cp311-" in found.for_python("3.11.2").wheel.name
    assert found.for_python("3.13.1").wheel.name == "modelwright-0.1.0-py3-none-any.whl"
    assert found.for_python("3.11.2").wheel_digest != found.wheel_digest
    assert found.for_python("3.11.2").requirements == found.requirements


def test_what_the_buildpack_borrows_is_imported_as_python_whatever_else_is_there(
    buildpack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (buildpack / "server" / "modelwright-0.1.0-cp311-cp311-linux_x86_64.whl").write_bytes(b"compiled")
    (buildpack / "server" / "library" / "modelwright").mkdir(parents=True)
    monkeypatch.setattr(sys, "path", list(sys.path))
    context = Context(buildpack.parent, buildpack.parent / "layers", buildpack, {})
    borrowed.enter(context)
    borrowed.enter(context)
    assert sys.path.count(str(buildpack / "server" / "library")) == 1
    assert sys.path[0] == str(buildpack / "server" / "library")


def test_a_builder_that_could_not_compile_carries_python_for_all(buildpack: Path) -> None:
    found = find(buildpack)
    assert found is not None
    assert found.for_python("3.11.2") == found


def test_what_compiles_is_part_of_the_builders_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = carried.key()
    monkeypatch.setattr(carried.wheels, "compiler", lambda: "3.11.99 another gcc")
    assert carried.key() != before


def test_a_change_of_the_servers_code_alone_leaves_the_dependencies_as_they_are(buildpack: Path) -> None:
    before = find(buildpack)
    assert before is not None
    digests = before.wheel_digest, before.requirements_digest

    before.wheel.write_bytes(b"newer")

    assert before.wheel_digest != digests[0]
    assert before.requirements_digest == digests[1]


def test_who_says_so_goes_without(buildpack: Path) -> None:
    assert find(buildpack, BP_MODELWRIGHT_SERVER="false") is None


def test_modelwright_itself_does_not_get_itself_twice(buildpack: Path) -> None:
    assert find(buildpack, Project(name="modelwright")) is None


def test_a_switch_that_is_neither_is_refused(buildpack: Path) -> None:
    with pytest.raises(BuildpackError, match="Write BP_MODELWRIGHT_SERVER=true or"):
        find(buildpack, BP_MODELWRIGHT_SERVER="0")


def test_a_buildpack_without_its_server_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(BuildpackError, match="`make builder`"):
        find(tmp_path)


def test_the_hook_of_images_is_the_one_of_modelwright_run() -> None:
    assert Path(modelwright.__file__).parents[1] / server_layer.SITE == process.SITE


def test_the_buildpack_carries_what_the_extras_need() -> None:
    assert carried.key() == carried.key()
    project = carried._project()
    assert all(project["optional-dependencies"][extra] for extra in carried.EXTRAS)


class Together:
    """A uv to which two sets of requirements cannot be one."""

    def __init__(self, *, alone: bool) -> None:
        self.alone = alone

    def run(self, arguments: list[str], *, source: str) -> None:
        raise Unsatisfiable(source, "Because kserve==0.15.2 depends on protobuf<5 and you require protobuf>=6.30,<7")

    def resolves(self, requirements: list[str]) -> bool:
        assert requirements == ["--requirement", "requirements.txt"]
        return self.alone


def together(found: server.Server | None, *, alone: bool) -> BuildpackError:
    assert found is not None
    both = ["--requirement", "requirements.txt", "--requirement", str(found.requirements)]
    with pytest.raises(BuildpackError) as raised:
        venv_layer._together(both, both[:2], WANTED, found, Together(alone=alone))
    return raised.value


def test_a_conflict_with_the_server_names_both_sides_and_the_ways_out(buildpack: Path) -> None:
    error = together(find(buildpack), alone=True)

    assert error.title == "requirements.txt and Modelwright's server need different versions of a package"
    assert "kserve==0.15.2 depends on protobuf<5" in error.remedy
    assert "server needs protobuf>=6.30,<7, numpy>=1.26." in error.remedy
    assert "delete its line" in error.remedy
    assert "BP_MODELWRIGHT_SERVER=false" in error.remedy


def test_requirements_that_contradict_themselves_are_not_blamed_on_the_server(buildpack: Path) -> None:
    assert together(find(buildpack), alone=False).title == "requirements.txt cannot be satisfied"
