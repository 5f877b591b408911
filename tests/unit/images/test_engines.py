"""Which engine builds, and what is said where none can."""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from modelwright.images import build, tools
from modelwright.images.engines.choose import LOCAL, choose
from modelwright.images.errors import ImageError
from modelwright.images.order import Order
from modelwright.images.reference import parse

from tests.unit.images.stub_registry import Stub


@pytest.fixture
def docker_daemon(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A socket that takes connections, as much of a daemon as is looked at without the `docker` command."""
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
        yield


def program(folder: Path, name: str, text: str = "exit 0") -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def order(folder: Path, *, push: bool = True, builder: str = "localhost:5000/builder:1", tag: str = "") -> Order:
    return Order(folder, parse(tag or "localhost:5000/iris:1"), push=push, builder=builder)


def test_where_nothing_is_there_every_engine_says_what_it_needs(model: Path, programs: Path) -> None:
    with pytest.raises(ImageError) as caught:
        choose(order(model))
    assert str(caught.value).splitlines() == [
        "nothing here can build an image:",
        "  lifecycle: no Docker daemon answers and buildah is not on PATH: start Docker, or install it "
        "(package `buildah`)",
        "  pack: pack is not on PATH: install it (buildpacks.io/docs, 'pack')",
        "  docker: docker is not on PATH: install it (package `docker.io`, or docs.docker.com/engine/install)",
        "  buildah: neither buildah nor podman is on PATH: install one (package `buildah`)",
    ]


def test_without_a_builder_only_a_dockerfile_is_left(model: Path, programs: Path) -> None:
    for name in ("pack", "buildah"):
        program(programs, name)
    engine, why = choose(order(model, builder=""))
    assert engine.name == "buildah"
    assert "not lifecycle, pack: no builder is named: --builder IMAGE or MODELWRIGHT_BUILDER" in why


@pytest.mark.parametrize("runs", ["docker", "buildah"])
def test_the_lifecycle_comes_first_whichever_runs_it(model: Path, programs: Path, runs: str) -> None:
    program(programs, "pack")
    program(programs, runs)
    what = "lifecycle (the builder's phases by its own lifecycle in one container, straight to the registry)"
    assert choose(order(model)) == (LOCAL[0], what)


@pytest.mark.usefixtures("docker_daemon")
def test_an_image_that_is_not_pushed_is_packs(model: Path, programs: Path) -> None:
    for name in ("pack", "buildah"):
        program(programs, name)
    engine, why = choose(order(model, push=False))
    assert engine.name == "pack"
    assert "not lifecycle: the image goes straight to a registry: add --push" in why


@pytest.mark.usefixtures("docker_daemon")
def test_a_folder_that_chooses_its_buildpacks_is_packs(model: Path, programs: Path) -> None:
    for name in ("pack", "buildah"):
        program(programs, name)
    (model / "project.toml").write_text("[[io.buildpacks.group]]\nid = 'another/one'\n")
    engine, why = choose(order(model))
    assert engine.name == "pack"
    assert "not lifecycle: project.toml has io.buildpacks.group, which pack alone reads" in why


def test_pack_without_a_daemon_is_no_engine(model: Path, programs: Path) -> None:
    program(programs, "pack")
    with pytest.raises(ImageError, match="no Docker daemon answers: start Docker, or set DOCKER_HOST to where it is"):
        choose(order(model), "pack")


def test_without_push_the_lifecycle_has_nowhere_to_write_to(model: Path, programs: Path) -> None:
    program(programs, "buildah")
    with pytest.raises(ImageError, match=r"--engine lifecycle: the image goes straight to a registry: add --push"):
        choose(order(model, push=False), "lifecycle")
    assert choose(order(model, push=False))[0].name == "buildah"


def test_a_docker_command_without_a_daemon_is_no_engine(model: Path, programs: Path) -> None:
    program(programs, "docker", "exit 1")
    with pytest.raises(ImageError, match="--engine docker: no Docker daemon answers"):
        choose(order(model), "docker")


def test_a_registry_that_refuses_is_known_before_anything_is_built(
    model: Path, programs: Path, registry: Stub, tmp_path: Path
) -> None:
    program(programs, "buildah", f"touch {tmp_path}/ran")
    registry.refuse = 403
    with pytest.raises(ImageError, match="the registry answers 403 Forbidden"):
        build.build(order(model, tag=f"{registry.host}/iris:1"), say=lambda _: None)
    assert not (tmp_path / "ran").exists()


def test_a_failed_build_says_its_last_lines_where_the_log_is_and_that_the_tag_stays(
    model: Path, programs: Path, registry: Stub, tmp_path: Path
) -> None:
    program(programs, "buildah", "echo STEP 1/1: RUN make; echo make: no rule; exit 3")
    wanted = order(model, tag=f"{registry.host}/iris:1", builder="")
    with pytest.raises(ImageError) as caught:
        build.build(wanted, log=tmp_path / "build.log", say=lambda _: None)
    assert "make: no rule" in str(caught.value)
    assert str(caught.value).endswith(f"the whole log is {tmp_path}/build.log; {wanted.tag} is as it was")
    assert (tmp_path / "build.log").read_text() == "STEP 1/1: RUN make\nmake: no rule\n"
    assert registry.manifests == {}


def test_a_base_that_cannot_be_had_is_named_with_the_remedy(model: Path, programs: Path) -> None:
    program(programs, "buildah", "echo 'Error: pinging container registry x: no such host'; exit 125")
    with pytest.raises(ImageError, match=r"the base image .* cannot be had: .*no such host\nname another with --base"):
        build.build(order(model, push=False, builder=""), say=lambda _: None)


def test_values_of_variables_are_in_no_list_of_processes(model: Path, programs: Path, tmp_path: Path) -> None:
    program(programs, "buildah", f'echo "$@" > {tmp_path}/said; echo "$TOKEN" > {tmp_path}/given')
    wanted = Order(model, parse("iris"), environment={"TOKEN": "s3cret"})
    build.build(wanted, say=lambda _: None)
    assert "--build-arg TOKEN" in (tmp_path / "said").read_text()
    assert "s3cret" not in (tmp_path / "said").read_text()
    assert (tmp_path / "given").read_text() == "s3cret\n"


def test_a_tool_that_is_interrupted_is_ended(tmp_path: Path) -> None:
    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        tools.run(["sh", "-c", "echo $$; exec sleep 600"], interrupt)
    assert threading.active_count() == before


def test_colours_are_taken_out_of_a_log() -> None:
    lines: list[str] = []
    tools.run(["printf", "\\033[36m===> BUILDING\\033[0m\\n"], lines.append)
    assert lines == ["===> BUILDING"]


def test_no_engine_is_named_that_the_command_line_does_not_know() -> None:
    source = (Path(build.__file__).parents[1] / "cli" / "build.py").read_text()
    names = re.search(r"_ENGINES = \((.*)\)", source)
    assert names is not None
    assert [each.name for each in LOCAL] == [name.strip().strip('"') for name in names[1].split(",")][:-1]
    assert os.sep not in names[1]
