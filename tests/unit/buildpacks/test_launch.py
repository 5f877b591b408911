"""What the launcher runs before a process: variables that are known only where the container runs."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.unit.buildpacks.staged import ROOT, Folder

SCRIPTS = ROOT / "buildpacks" / "python" / "exec.d"
NAMES = {"OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"}


def told(script: str, *arguments: str, **environment: str) -> dict[str, str]:
    """Run a script as the launcher does: TOML on file descriptor 3."""
    command = ["/bin/sh", "-c", '"$0" "$@" 3>&1 >&2', str(SCRIPTS / script), *arguments]
    done = subprocess.run(command, env={"PATH": "/nowhere", **environment}, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return tomllib.loads(done.stdout)


@pytest.mark.parametrize(
    ("limit", "threads"),
    [("200000 100000", "2"), ("150000 100000", "2"), ("50000 100000", "1"), ("6400000 100000", "64")],
)
def test_as_many_threads_as_the_container_has_cpus(tmp_path: Path, limit: str, threads: str) -> None:
    (tmp_path / "cpu.max").write_text(f"{limit}\n")

    assert told("threads", str(tmp_path)) == dict.fromkeys(NAMES, threads)


@pytest.mark.parametrize("group", ["cpu", "cpu,cpuacct"])
def test_cgroups_of_version_1_are_read_too(tmp_path: Path, group: str) -> None:
    (tmp_path / group).mkdir()
    (tmp_path / group / "cpu.cfs_quota_us").write_text("300000\n")
    (tmp_path / group / "cpu.cfs_period_us").write_text("100000\n")

    assert told("threads", str(tmp_path)) == dict.fromkeys(NAMES, "3")


@pytest.mark.parametrize("files", [{}, {"cpu.max": "max 100000\n"}, {"cpu.max": "what\n"}, {"cpu.max": "\n"},
                                   {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}])  # fmt: skip
def test_without_a_limit_nothing_is_set(tmp_path: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)

    assert told("threads", str(tmp_path)) == {}


def test_what_the_author_set_stays(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("200000 100000\n")

    assert set(told("threads", str(tmp_path), OMP_NUM_THREADS="7", MKL_NUM_THREADS="")) == NAMES - {
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
    }


def test_a_home_that_cannot_be_written_to_is_replaced(tmp_path: Path) -> None:
    assert told("home", HOME="/nonexistent") == {"HOME": "/tmp"}
    assert told("home", HOME=str(tmp_path)) == {}


def test_images_get_the_scripts_and_the_defaults(mlserver_folder: Folder) -> None:
    mlserver_folder.build()

    runtime = mlserver_folder.layers / "runtime"
    scripts = runtime / "exec.d"
    assert {path.name: path.stat().st_mode & 0o777 for path in scripts.iterdir()} == {"home": 0o755, "threads": 0o755}
    assert (runtime / "env.launch" / "PYTHONUNBUFFERED.default").read_text() == "1"
    settings = (runtime / "env.launch" / "MODELWRIGHT_DEFAULT_SETTINGS.default").read_text()
    assert settings == str(mlserver_folder.workspace)
    assert (runtime / "env.launch" / "PYTHONPATH.append").read_text() == str(mlserver_folder.workspace)
