"""A build's log as a short report."""

from __future__ import annotations

from modelwright.images import sizes
from modelwright.images.report import Report

LIFECYCLE = """===> ANALYZING
===> BUILDING

[Python version]
Using Python 3.11.2 of the base image: runtime.txt asks for 3.11

[Dependencies]
Installing anew: dependencies changed
Installing from requirements.txt with uv 0.13.8
  Resolved 77 packages in 2.66s

[Model server]
Reusing modelwright 0.1.0 of the previous image
===> EXPORTING
Reusing layer 'modelwright/python:server'
Adding layer 'modelwright/python:venv'
Added 1/1 app layer(s)
Saving localhost:5000/iris:1...
"""
BUILDAH = """[1/2] STEP 1/3: FROM build AS environment
[1/2] STEP 2/3: RUN uv pip install --requirement requirements.txt
--> Using cache 0123
[2/2] STEP 1/1: USER 1000:0
"""
CLASSIC = """Step 1/2 : FROM base
Step 2/2 : RUN uv pip install
 ---> Using cache
"""
BUILDKIT = """#5 [environment 2/4] RUN uv pip install
#5 CACHED
#6 [stage-2 1/2] COPY --from=code /app /app
"""


def read(text: str, seconds: float = 1.0) -> Report:
    """A second a line."""
    report = Report()
    lines = text.splitlines()
    for number, line in enumerate(lines):
        report.read(line, number * seconds)
    report.finish(len(lines) * seconds)
    return report


def test_phases_and_their_parts_are_timed_with_what_was_cached_and_why_not() -> None:
    assert [" ".join(line.split()) for line in read(LIFECYCLE).lines()] == [
        "analyzing 1.0 s",
        "building 12.0 s",
        "python version 3.0 s",
        "dependencies 5.0 s Installing anew: dependencies changed; Installing from requirements.txt with uv 0.13.8",
        "model server 2.0 s Reusing modelwright 0.1.0 of the previous image",
        "exporting 5.0 s",
        "layers reused: modelwright/python:server",
        "layers new: application, modelwright/python:venv",
    ]


def test_every_builders_log_says_what_came_from_the_cache() -> None:
    for text in (BUILDAH, CLASSIC, BUILDKIT):
        cached = [step.name for step in read(text).steps if step.notes == ["from the cache"]]
        assert len(cached) == 1, text
        assert cached[0].startswith("RUN uv pip install")


def test_instructions_that_take_no_time_are_no_progress() -> None:
    report = Report()
    assert report.read("STEP 1/2: RUN make", 0.0) == "RUN make"
    assert report.read("STEP 2/2: USER 1000", 1.0) is None


def test_the_buildpacks_own_words_explain_a_failure() -> None:
    log = "===> BUILDING\n[Error: Procfile has no `web` process]\nIt has only: worker. Add a line.\n\n"
    log += "ERROR: failed to build: exit status 1\n"
    assert read(log).explanation() == "Procfile has no `web` process\nIt has only: worker. Add a line."
    assert read(LIFECYCLE).explanation() == ""


def test_layers_are_named_by_who_made_them_and_the_base_is_one() -> None:
    metadata = (
        '{"runImage": {"topLayer": "sha256:b"}, "app": [{"sha": "sha256:d"}], "launcher": {"sha": "sha256:e"},'
        ' "buildpacks": [{"key": "modelwright/python", "layers": {"venv": {"sha": "sha256:c"}}}]}'
    )
    config = {
        "rootfs": {"diff_ids": [f"sha256:{each}" for each in "abcde"]},
        "config": {"Labels": {"io.buildpacks.lifecycle.metadata": metadata}},
    }
    found = sizes.layers({"layers": [{"size": size} for size in (30e6, 10e6, 50e6, 1e6, 2e6)]}, config)
    assert {each.name: each.size for each in found} == {
        "base image": 40e6, "modelwright/python:venv": 50e6, "application": 1e6, "launcher": 2e6,
    }  # fmt: skip
    assert list(sizes.lines(found))[-1] == "93.0 MB compressed, 53.0 MB of it over the base image"


def test_layers_of_our_dockerfile_are_named_by_their_place() -> None:
    config = {"rootfs": {"diff_ids": list("abc")}, "config": {"Env": ["VIRTUAL_ENV=/opt/modelwright"]}}
    found = sizes.layers({"layers": [{"size": 3}, {"size": 2}, {"size": 1}]}, config)
    assert [(each.name, each.size) for each in found] == [("base image", 3), ("dependencies", 2), ("application", 1)]


def test_layers_of_another_image_are_named_by_their_instructions() -> None:
    history = [{"created_by": "/bin/sh -c #(nop)  ENV A=b", "empty_layer": True}, {"created_by": "/bin/sh -c make"}]
    found = sizes.layers({"layers": [{"size": 3}]}, {"rootfs": {"diff_ids": ["a"]}, "history": history})
    assert found == [sizes.Layer("make", 3)]
