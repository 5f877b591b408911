"""The generated Dockerfile: what it installs from, and that nothing in it is BuildKit's alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from modelwright.images import dockerfile
from modelwright.images.errors import ImageError

INSTRUCTIONS = {"FROM", "ARG", "USER", "COPY", "ENV", "RUN", "WORKDIR", "EXPOSE", "ENTRYPOINT"}
LOCK = 'version = 1\nrequires-python = ">=3.11"\n'
PROJECT = '[project]\nname = "iris"\nversion = "1"\ndependencies = ["numpy"]\n'
BACKEND = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'


def instructions(text: str) -> list[str]:
    """Each instruction on one line, as every builder's parser joins them."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return re.sub(r" *\\\n *", " ", "\n".join(lines)).splitlines()


def installs(folder: Path) -> str:
    return next(line for line in instructions(dockerfile.plan(folder).text) if "modelwright[server" in line)


def variants(model: Path, tmp_path: Path) -> list[str]:
    """The text with every option and every source of dependencies."""
    wheel = tmp_path / "modelwright-0.1.0-py3-none-any.whl"
    wheel.write_bytes(b"")
    bundle = tmp_path / "bundle.crt"
    bundle.write_text("")
    texts = [dockerfile.plan(model).text, dockerfile.plan(model, wheel=wheel, certificates=bundle).text]
    (model / "environment.yaml").write_text("dependencies: [python=3.11, numpy=1.26, pip: ['httpx>=0.27']]\n")
    texts.append(dockerfile.plan(model).text)
    (model / "pyproject.toml").write_text(PROJECT + BACKEND)
    (model / "uv.lock").write_text(LOCK)
    return [*texts, dockerfile.plan(model, base="base:1", build_base="build:1").text]


def test_nothing_in_it_is_buildkits_alone(model: Path, tmp_path: Path) -> None:
    for text in variants(model, tmp_path):
        assert "# syntax" not in text
        for line in instructions(text):
            word, _, rest = line.partition(" ")
            assert word in INSTRUCTIONS, line
            assert "<<" not in rest, f"a heredoc: {line}"
            assert not re.match(r"--(mount|network|security|link|chmod|parents|exclude)\b", rest), line
            assert word != "ARG" or re.fullmatch(r"\w+(=\S+)?", rest), f"one name an ARG: {line}"
            assert word != "COPY" or re.match(r"(--from=[a-z]+ )?\S+ \S+$", rest), line


def test_it_runs_as_nobody_in_particular_by_exec_form(model: Path) -> None:
    final = dockerfile.plan(model).text.rpartition("FROM ")[2]
    assert "\nUSER 1000:0\n" in final
    assert '\nENTRYPOINT ["modelwright", "serve", "/app"]\n' in final
    assert "HOME=/tmp" in final
    # What a stage's files' modes are is mended before the last stage, without a copy of the layer.
    assert "RUN" not in final
    assert "chmod -R a+rX /app" in dockerfile.plan(model).text


def test_requirements_are_copied_with_what_they_include(model: Path) -> None:
    (model / "deps").mkdir()
    (model / "requirements.txt").write_text("numpy\n-r deps/more.txt\n")
    (model / "deps" / "more.txt").write_text("-c ../pins.txt\nhttpx\n")
    (model / "pins.txt").write_text("httpx<1\n")
    text = dockerfile.plan(model).text
    for name in ("requirements.txt", "deps/more.txt", "pins.txt"):
        assert f"COPY {name} ./{name}" in text
    assert "--requirement requirements.txt" in installs(model)


def test_a_line_of_the_folders_own_copies_the_folder(model: Path) -> None:
    (model / "requirements.txt").write_text("-e .\n")
    assert "COPY . ./" in dockerfile.plan(model).text


def test_conda_packages_become_requirements_beside_those_of_pip(model: Path) -> None:
    (model / "conda.yaml").write_text("dependencies:\n- python=3.12\n- numpy=1.26\n- pip: ['httpx>=0.27']\n")
    assert "--requirement requirements.txt 'numpy==1.26.*' 'httpx>=0.27' 'modelwright[server" in installs(model)
    assert "ARG BASE=python:3.12-slim" in dockerfile.plan(model).text


def test_a_conda_file_that_is_one_models_own_is_not_the_images(model: Path) -> None:
    (model / "environment.yaml").write_text("dependencies: [scipy=1.11]\n")
    (model / "model-settings.json").write_text('{"name": "a", "parameters": {"environment_path": "environment.yaml"}}')
    assert "scipy" not in dockerfile.plan(model).text


def test_a_lockfile_wins_and_the_server_is_added_to_it(model: Path) -> None:
    (model / "pyproject.toml").write_text(PROJECT + BACKEND)
    (model / "uv.lock").write_text(LOCK)
    text = dockerfile.plan(model).text
    assert "uv sync --locked" in text
    assert "--constraint /tmp/pins.txt 'modelwright[server" in text
    assert "uv pip install --no-deps ." in text


def test_a_project_without_a_lockfile_is_installed_from(model: Path) -> None:
    (model / "requirements.txt").unlink()
    (model / "pyproject.toml").write_text(PROJECT)
    assert "--requirement pyproject.toml" in installs(model)
    assert "--no-deps ." not in dockerfile.plan(model).text


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"requirements.txt": None}, "does not say which packages its model needs: write a requirements.txt"),
        ({"uv.lock": LOCK}, "uv.lock has no pyproject.toml beside it"),
        ({"pyproject.toml": "["}, "pyproject.toml is no TOML"),
        ({"requirements.txt": "-r none.txt\n"}, "none.txt, which requirements.txt includes, is not there"),
        ({"requirements.txt": "-r ../out.txt\n"}, "outside"),
        ({"runtime.txt": "three\n"}, "runtime.txt reads 'three' and names no Python"),
        ({"runtime.txt": "python-3.11\n", ".python-version": "3.12\n"}, "runtime.txt asks for 3.11, .python-version"),
        ({"conda.yaml": "dependencies: [cudatoolkit=12]\n"}, "there is no wheel of that"),
    ],
)
def test_what_cannot_be_installed_from_says_why(model: Path, files: dict[str, str | None], said: str) -> None:
    (model.parent / "out.txt").write_text("numpy\n")
    for name, text in files.items():
        if text is None:
            (model / name).unlink()
        else:
            (model / name).write_text(text)
    with pytest.raises(ImageError) as caught:
        dockerfile.plan(model)
    assert said in str(caught.value)


def test_weights_are_left_out_by_name_unless_asked(model: Path) -> None:
    (model / "deep").mkdir()
    (model / "deep" / "big.pt").write_bytes(b"\0" * (1024 * 1024))
    (model / "project.toml").write_text('[io.buildpacks]\nexclude = ["/notes", "*.md"]\n')
    left = dockerfile.plan(model).dockerignore.splitlines()
    assert {"deep/big.pt", "notes", "**/*.md", "**/.git", "**/__pycache__"} <= set(left)
    assert ".modelwright" not in left
    assert "deep/big.pt" not in dockerfile.plan(model, with_weights=True).dockerignore


def test_files_of_somebodys_own_are_not_written_over(model: Path) -> None:
    (model / "Dockerfile").write_text("FROM scratch\n")
    plan = dockerfile.plan(model)
    with pytest.raises(ImageError, match="Dockerfile is somebody's own: name another with -o, or --force"):
        plan.write(model / "Dockerfile", force=False)
    assert not (model / ".dockerignore").exists()
    plan.write(model / "Dockerfile", force=True)
    # What this wrote it writes again.
    plan.write(model / "Dockerfile", force=False)
    assert (model / "Dockerfile").read_text() == plan.text


def test_a_wheel_and_certificates_are_carried_and_stay_out_of_the_image(model: Path, tmp_path: Path) -> None:
    wheel = tmp_path / "modelwright-0.1.0-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    bundle = tmp_path / "bundle.crt"
    bundle.write_text("certificates")
    plan = dockerfile.plan(model, wheel=wheel, certificates=bundle)
    written = plan.write(model / "Dockerfile", force=False)
    assert [str(path.relative_to(model)) for path in written] == [
        "Dockerfile", ".dockerignore", ".modelwright/ca-certificates.crt", f".modelwright/{wheel.name}",
    ]  # fmt: skip
    assert f"@ file:///build/.modelwright/{wheel.name}'" in plan.text
    assert "ca-certificates" not in plan.text.rpartition("FROM ")[2]
    assert "rm -rf /app/.modelwright" in plan.text
    with pytest.raises(ImageError, match="is no wheel of modelwright's"):
        dockerfile.plan(model, wheel=bundle)
