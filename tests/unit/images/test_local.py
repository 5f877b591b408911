"""`modelwright push IMAGE` and `modelwright run IMAGE`: which program does it, and with which words."""

from __future__ import annotations

from pathlib import Path

import pytest
from modelwright.images import local
from modelwright.images.errors import ImageError
from modelwright.images.reference import parse

from tests.unit.images.stub_registry import Stub
from tests.unit.images.test_engines import program

IMAGE = parse("localhost:5000/iris:1")


def test_a_container_gets_what_a_pod_would_and_nothing_to_write_but_tmp(programs: Path, tmp_path: Path) -> None:
    program(programs, "podman")
    weights = tmp_path / "weights"
    weights.mkdir()
    wanted = local.Container(
        IMAGE, ["8080:8080"], ["A=b", "TOKEN"], weights, "1.5", "1g", "54321:0", "host", ["--workers", "2"]
    )
    assert local.run_command(wanted, "", {"TOKEN": "s3cret"}) == [
        "podman", "run", "--rm", "--read-only", "--tmpfs", "/tmp", "--cpus=1.5", "--memory=1g", "--user=54321:0",
        "--network=host", "--publish", "8080:8080", "--env", "A=b", "--env", "TOKEN",
        "--volume", f"{weights}:/mnt/models:ro", "localhost:5000/iris:1", "--workers", "2",
    ]  # fmt: skip


def test_docker_without_a_daemon_leaves_it_to_podman(programs: Path) -> None:
    program(programs, "docker", "exit 1")
    program(programs, "podman")
    assert local.run_command(local.Container(IMAGE), "", {})[0] == "podman"


@pytest.mark.parametrize(
    ("wanted", "runtime", "said"),
    [
        (local.Container(IMAGE), "", "none of docker, podman, nerdctl can run an image here"),
        (local.Container(IMAGE), "docker", "docker can run an image here: it is not on PATH, or its daemon"),
        (local.Container(IMAGE), "runc", "--runtime runc is none of docker, podman, nerdctl"),
    ],
)
def test_no_runtime_is_said_with_what_to_install(
    programs: Path, wanted: local.Container, runtime: str, said: str
) -> None:
    with pytest.raises(ImageError) as caught:
        local.run_command(wanted, runtime, {})
    assert said in str(caught.value)


def test_weights_that_are_no_folder_and_variables_that_are_none_are_named(programs: Path) -> None:
    program(programs, "podman")
    with pytest.raises(ImageError, match="--weights nowhere is no folder: name the one to mount at /mnt/models"):
        local.run_command(local.Container(IMAGE, weights=Path("nowhere")), "", {})
    with pytest.raises(ImageError, match="-e TOKEN: there is no such variable here"):
        local.run_command(local.Container(IMAGE, variables=["TOKEN"]), "", {})


def test_an_image_is_pushed_by_the_program_that_has_it(programs: Path, tmp_path: Path, registry: Stub) -> None:
    program(programs, "docker", "exit 1")
    program(programs, "buildah", f'echo "$@" >> {tmp_path}/said')
    image = parse(f"{registry.host}/iris:1")
    registry.manifests["1"] = b"{}"
    assert local.push(image, "", lambda _: None) == "sha256:" + "1" * 64
    assert f"push --tls-verify=false {image}" in (tmp_path / "said").read_text()


def test_an_image_that_nothing_here_has_is_said_with_how_to_make_it(programs: Path, registry: Stub) -> None:
    image = parse(f"{registry.host}/iris:1")
    with pytest.raises(ImageError, match="none of docker, podman, nerdctl, buildah is on PATH: install one"):
        local.push(image, "", lambda _: None)
    program(programs, "podman", "exit 1")
    with pytest.raises(ImageError, match=f"podman: none of these has {image}. Build it first: modelwright build DIR"):
        local.push(image, "", lambda _: None)
