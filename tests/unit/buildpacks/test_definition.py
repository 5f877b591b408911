"""What buildpack and builder declare: the API that lifecycles from 0.17 on run, both platforms, bases by digest."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from buildpacks.builder import create
from buildpacks.builder.base import Bases
from tests.unit.buildpacks.staged import ROOT

BUILDPACKS = ROOT / "buildpacks"


def read(name: str) -> dict[str, Any]:
    return tomllib.loads((BUILDPACKS / name).read_text())


def test_the_buildpack_speaks_what_every_lifecycle_from_0_17_on_runs() -> None:
    # https://github.com/buildpacks/lifecycle, api/apis.go: 0.17 runs Buildpack API 0.7 to 0.10, later ones run it too.
    assert read("python/buildpack.toml")["api"] == "0.10"
    assert "0.10" in read("builder/lifecycle.toml")["apis"]["buildpack"]["supported"]


def test_the_builder_s_lifecycle_is_the_one_that_is_compiled() -> None:
    module = (ROOT / "cluster" / "modules" / "lifecycle" / "go.mod").read_text()
    pinned = re.search(r"github\.com/buildpacks/lifecycle v(\S+)", module)

    assert pinned is not None
    assert read("builder/lifecycle.toml")["lifecycle"]["version"] == pinned[1]


@pytest.mark.parametrize("name", ["python/buildpack.toml", "builder/builder.toml"])
def test_both_platforms_are_in_the_definition(name: str) -> None:
    assert {(each["os"], each["arch"]) for each in read(name)["targets"]} == {("linux", "amd64"), ("linux", "arm64")}


def test_the_buildpack_promises_both_kinds_of_sbom() -> None:
    assert read("python/buildpack.toml")["buildpack"]["sbom-formats"] == [
        "application/vnd.cyclonedx+json",
        "application/spdx+json",
    ]


def test_the_published_builder_names_its_bases_by_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(create.registry, "digest", lambda image: "sha256:" + image.partition("/")[2].replace("/", "-"))
    monkeypatch.setattr(create, "repository", lambda name: f"registry.example/modelwright/{name}")
    bases = Bases("registry.example/modelwright/run:key", "registry.example/modelwright/build:key", "key")

    written = tomllib.loads(create.definition(bases))

    assert written["build"]["image"] == "registry.example/modelwright/build@sha256:modelwright-build:key"
    assert written["run"]["images"] == [{"image": "registry.example/modelwright/run@sha256:modelwright-run:key"}]
