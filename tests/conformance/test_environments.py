"""Models in environments of their own: real environments, real processes, and their deaths."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.server_process import ROOT, Reply, Server
from tests.conformance.style_process import Styled

PATIENCE = 60
PACKAGES = "roman-numerals==4.1.0,numpy"

Start = Callable[..., Server]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("environments")


@pytest.fixture
def begin(tmp_path: Path, cache: Path, uv: str) -> Iterator[Start]:
    """Start servers of `environment_models`; they and what they started end with the test."""
    started: list[Server] = []

    def begin(kind: str, source: str, class_name: str = "RomanModelLoader", *flags: str, **more: str) -> Server:
        folder = tmp_path / str(len(started))
        folder.mkdir()
        environment = {"UV": uv, "MODELWRIGHT_ENVIRONMENTS": str(cache), **more}
        words = [*flags, f"{kind}|{source}|{class_name}"]
        started.append(Server(folder, *words, models="environment_models", **environment))
        return started[-1]

    yield begin
    for each in started:
        each.kill()


@pytest.fixture
def roman(begin: Start, cache: Path) -> Start:
    """Servers of the working model, in the environment that the first of them makes."""
    return partial(begin, "packages", PACKAGES)


def serving(server: Server, workers: int = 1, of: str = "roman") -> Server:
    until = time.monotonic() + PATIENCE
    while server.log.count(f"serving {of}") < workers:
        assert server.process.poll() is None, server.log
        assert time.monotonic() < until, server.log
        time.sleep(0.05)
    return server.wait_until_serving(workers)


def ask(server: Server, n: Any = 4, **more: Any) -> Reply:
    return server.ask("POST", "/v1/models/roman:predict", {"n": n, **more}, timeout=PATIENCE)


def until(true: Callable[[], Any], server: Server) -> Any:
    end = time.monotonic() + PATIENCE
    while not (found := true()):
        assert time.monotonic() < end, server.log
        time.sleep(0.05)
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_model_answers_from_an_environment_that_is_made_for_it(roman: Start, cache: Path) -> None:
    server = serving(roman())
    answer = ask(server).json
    assert (answer["roman"], Path(answer["prefix"]).parent) == ("IV", cache)
    # The server's own packages stay the server's.
    assert answer["importable"] == []
    body = {"inputs": [{"name": "request", "datatype": "BYTES", "shape": [1], "data": ['{"n": 9}']}]}
    reply = server.ask("POST", "/v2/models/roman/infer", body, timeout=PATIENCE).json
    assert '"roman": "IX"' in reply["outputs"][0]["data"][0]
    assert server.ask("GET", "/v2/models/roman").json["platform"] == "infosys_imil"

    failed = ask(server, "fail")
    assert (failed.status, "a reason of the author's" in failed.body.decode()) == (500, False)
    assert "a reason of the author's" in server.log
    assert 'roman.py", line' in server.log
    assert ask(server, missing=1).status == 200
    assert server.ask("POST", "/v1/models/roman:predict", {"m": 1}).status == 422

    assert server.stop() == 0
    until(lambda: not alive(answer["pid"]) and not alive(answer["keeper"]), server)


def test_a_second_start_makes_nothing(roman: Start) -> None:
    serving(roman()).stop()
    again = serving(roman())
    assert "making the environment" not in again.log


def test_two_at_once_make_one(begin: Start, tmp_path: Path) -> None:
    own = str(tmp_path / "own")
    both = [begin("packages", PACKAGES, MODELWRIGHT_ENVIRONMENTS=own) for _ in range(2)]
    for server in both:
        serving(server)
    assert sum(server.log.count("making the environment in") for server in both) == 1
    assert len([each for each in Path(own).iterdir() if each.is_dir()]) == 1


def test_a_dead_process_is_replaced_and_its_callers_are_told(roman: Start, tmp_path: Path) -> None:
    server = serving(roman())
    before = ask(server).json["pid"]
    replies: list[Reply] = []
    began = tmp_path / "began"
    waiting = threading.Thread(target=lambda: replies.append(ask(server, "wait", began=str(began))))
    waiting.start()
    until(began.exists, server)
    os.kill(before, signal.SIGKILL)
    waiting.join(PATIENCE)
    assert replies[0].status == 503, replies[0].body
    assert "started anew" in replies[0].body.decode()
    until(lambda: ask(server).status == 200, server)
    assert ask(server).json["pid"] != before
    assert "SIGKILL" in server.log
    assert server.ask("GET", "/v2/health/ready").status == 200


def test_the_keeper_s_death_is_survived_too(roman: Start) -> None:
    server = serving(roman())
    first = ask(server).json
    os.kill(first["keeper"], signal.SIGKILL)
    until(lambda: not alive(first["pid"]), server)
    second = until(lambda: (reply := ask(server)).status == 200 and reply.json, server)
    assert second["keeper"] != first["keeper"]


def test_workers_share_one_process_which_ends_with_the_server_however_that_ends(roman: Start) -> None:
    server = serving(roman("RomanModelLoader", "--workers=2"), workers=2)
    answers = [ask(server).json for _ in range(20)]
    assert len({answer["pid"] for answer in answers}) == 1
    server.kill()
    until(lambda: not alive(answers[0]["pid"]) and not alive(answers[0]["keeper"]), server)


def test_what_the_author_s_code_raises_at_load_is_shown_as_for_any_model(begin: Start) -> None:
    server = begin("packages", PACKAGES, "FailingModelLoader")
    assert server.process.wait(PATIENCE) == 1
    assert "modelwright: model 'roman' did not load: LookupError: its weights are not there" in server.log
    assert 'roman.py", line' in server.log
    assert "environments/remote.py" not in server.log


def test_a_process_that_dies_at_load_is_told_of(begin: Start) -> None:
    server = begin("packages", PACKAGES, "DyingModelLoader")
    assert server.process.wait(PATIENCE) == 1
    assert "did not load: ChildProcessError: its process ended with signal 6 (SIGABRT)" in server.log


@pytest.mark.parametrize(
    ("kind", "source", "message"),
    [
        ("packages", "roman-numerals==0.0.77", "the requirements cannot be had together: Because"),
        ("folder", "/nowhere", "bin/python is missing"),
    ],
)
def test_an_environment_that_cannot_be_had_says_so_without_a_traceback(
    begin: Start, kind: str, source: str, message: str
) -> None:
    server = begin(kind, source)
    assert server.process.wait(PATIENCE) == 1
    assert message in server.log
    assert "Traceback" not in server.log


def made(cache: Path, roman: Start) -> Path:
    """The environment that the working model's servers run in."""
    server = serving(roman())
    prefix = Path(ask(server).json["prefix"])
    server.stop()
    return prefix


def test_a_folder_and_a_tarball_of_it_serve_too(begin: Start, roman: Start, cache: Path, tmp_path: Path) -> None:
    folder = made(cache, roman)
    server = serving(begin("folder", str(folder)))
    assert ask(server).json["prefix"] == str(folder)

    tarball = tmp_path / "environment.tar.gz"
    with tarfile.open(tarball, "w:gz", compresslevel=1) as tar:
        tar.add(folder, ".")
    unpacked = ask(serving(begin("file", str(tarball)))).json
    assert unpacked["roman"] == "IV"
    assert unpacked["prefix"] != str(folder)


def test_the_mlserver_example_in_both_forms(tmp_path: Path, cache: Path, uv: str, roman: Start) -> None:
    """As its README has it: from environment.yaml, and from a tarball of what `uv venv` made."""
    example = tmp_path / "example"
    shutil.copytree(ROOT / "runtimes" / "examples" / "06-model-environment", example)
    asked = json.loads((example / "input.json").read_text())

    def answer(environment: dict[str, str]) -> str:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        environment = {"UV": uv, "MODELWRIGHT_ENVIRONMENTS": str(cache), **environment}
        server = Styled(folder, "mlserver", str(example), **environment)
        try:
            serving(server)
            reply = server.ask("POST", "/v2/models/roman-sum/infer", asked, timeout=PATIENCE)
            assert reply.status == 200, (reply.body, server.log)
            assert server.stop() == 0
        finally:
            server.kill()
        return reply.json["outputs"][0]["data"]

    assert answer({}) == ["XXVI"]
    packed = made(cache, roman)
    with tarfile.open(example / "environment.tar.gz", "w:gz", compresslevel=1) as tar:
        tar.add(packed, "packed")
    settings = example / "model-settings.json"
    settings.write_text(
        settings.read_text()
        .replace("environment_path", "environment_tarball")
        .replace("environment.yaml", "environment.tar.gz")
    )
    # The tarball's packages are in it: neither uv nor an index is asked.
    assert answer({"UV": "", "PATH": "/usr/bin:/bin"}) == ["XXVI"]


def conda_prefix(prefix: Path, packages: Path) -> None:
    """Lay a Python of its own out as conda does, with the packages of another environment in it."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    base = Path(sys.base_prefix)
    (prefix / "bin").mkdir(parents=True)
    shutil.copy(Path(sys.executable).resolve(), prefix / "bin" / version)
    (prefix / "bin" / "python").symlink_to(version)
    left_out = shutil.ignore_patterns(
        "site-packages", "dist-packages", "test", "tests", "idlelib", "__pycache__", "config-*"
    )
    shutil.copytree(base / "lib" / version, prefix / "lib" / version, ignore=left_out, symlinks=True)
    for library in (base / "lib").glob(f"lib{version}*.so*"):
        shutil.copy(library, prefix / "lib", follow_symlinks=False)
    shutil.copytree(packages, prefix / "lib" / version / "site-packages")
    # A script of conda's has the prefix in its first line, and conda-unpack has to mend it.
    (prefix / "bin" / "where").write_text(f"#!{prefix}/bin/python\nprint('here')\n")
    (prefix / "share").mkdir()
    (prefix / "share" / "place.txt").write_text(f"prefix={prefix}\n")
    (prefix / "conda-meta").mkdir()
    (prefix / "conda-meta" / "history").touch()
    record = {"name": "python", "version": sys.version.split()[0], "files": [], "link": None, "url": ""}
    (prefix / "conda-meta" / f"python-{record['version']}-0.json").write_text(json.dumps(record))


def test_what_the_genuine_conda_pack_packs_serves(
    begin: Start, cache: Path, roman: Start, tmp_path: Path, uv: str
) -> None:
    prefix, tarball = tmp_path / "envs" / "roman", tmp_path / "environment.tar.gz"
    conda_prefix(prefix, next(made(cache, roman).glob("lib/python*/site-packages")))
    tool = [uv, "tool", "run", "--quiet", "--from", "conda-pack==0.9.2", "--with", "setuptools<81", "conda-pack"]
    pack = [*tool, "--prefix", str(prefix), "--output", str(tarball), "--compress-level", "1", "--ignore-missing-files"]
    packed = subprocess.run(pack, capture_output=True, text=True, check=False)
    assert packed.returncode == 0, packed.stdout + packed.stderr
    with tarfile.open(tarball) as tar:
        assert {"bin/conda-unpack", "bin/activate", "conda-meta/history"} <= set(tar.getnames())
    # What it was packed from is no longer there, as on another machine.
    shutil.rmtree(prefix)
    server = serving(begin("file", str(tarball)))
    answer = ask(server).json
    assert answer["roman"] == "IV"
    unpacked = Path(answer["prefix"])
    assert not unpacked.is_relative_to(tmp_path / "envs")
    # Its own bin/conda-unpack has put the new place into the files that name the old one.
    assert (unpacked / "share" / "place.txt").read_text() == f"prefix={unpacked}\n"


NOS = """
from nos.common import ModelSpec, RuntimeEnv

class Roman:
    def __init__(self):
        import roman_numerals
        self.kind = roman_numerals.RomanNumeral

    def write(self, n: int):
        return self.kind(n).to_uppercase()

class Here:
    def write(self, n: int):
        return str(n)

packages = RuntimeEnv.from_packages(["roman-numerals==4.1.0", "numpy"])
roman = ModelSpec.from_cls(Roman, method="write", runtime_env=packages)
here = ModelSpec.from_cls(Here, method="write")
"""


def test_nos_packages_that_the_server_has_not(tmp_path: Path, cache: Path, uv: str) -> None:
    (tmp_path / "specs.py").write_text(NOS)
    server = Styled(tmp_path, "nos", "specs.py", UV=uv, MODELWRIGHT_ENVIRONMENTS=str(cache))
    try:
        serving(server, of="Here")
        for name, written in (("Roman", "XII"), ("Here", "12")):
            asked = {"method": "write", "inputs": {"n": 12}}
            reply = server.ask("POST", f"/v1/models/{name}:predict", asked, timeout=PATIENCE)
            assert reply.json == {"predictions": written}, server.log
    finally:
        server.kill()


CURATOR = """
from nemo_curator.video.models import model_utils
from nemo_curator.video.utils import conda_utils

if conda_utils.is_running_in_env("roman"):
    import roman_numerals

class Roman(model_utils.ModelInterface):
    weights_names = []
    id_file_mapping = {}

    @property
    def conda_env_name(self) -> str:
        return "roman"

    def setup(self) -> None:
        self.kind = roman_numerals.RomanNumeral

    def __call__(self, n: int) -> str:
        return self.kind(int(n)).to_uppercase()
"""


def test_curator_s_conda_environment_by_its_name(tmp_path: Path, cache: Path, uv: str) -> None:
    (tmp_path / "curated.py").write_text(CURATOR)
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "roman.txt").write_text("numpy\nroman-numerals==4.1.0\n")
    server = Styled(tmp_path, "nemo_curator", "curated.py", UV=uv, MODELWRIGHT_ENVIRONMENTS=str(cache))
    try:
        serving(server, of="Roman")
        reply = server.ask("POST", "/v1/models/Roman:predict", {"instances": [{"n": 12}]}, timeout=PATIENCE)
        assert reply.json == {"predictions": ["XII"]}, (reply.body, server.log)
    finally:
        server.kill()


def test_a_conda_file_is_served_without_conda(begin: Start, tmp_path: Path) -> None:
    file = tmp_path / "environment.yaml"
    file.write_text("dependencies: [pip, numpy, {pip: [roman-numerals==4.1.0]}]\n")
    server = serving(begin("file", str(file)))
    assert ask(server).json["roman"] == "IV"
    assert "left to the interpreter: pip" in server.log


def test_a_lockfile_is_served_with_the_versions_in_it(begin: Start, tmp_path: Path, uv: str) -> None:
    project = tmp_path / "project"
    project.mkdir()
    text = (
        "[project]\nname = 'm'\nversion = '1'\nrequires-python = '>=3.11'\ndependencies = ['roman-numerals', 'numpy']\n"
    )
    (project / "pyproject.toml").write_text(text)
    subprocess.run([uv, "lock", "--quiet", "--directory", project], check=True)
    assert ask(serving(begin("file", str(project / "uv.lock")))).json["roman"] == "IV"
