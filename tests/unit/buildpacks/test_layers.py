"""A layer's descriptor: what the lifecycle reads, and what the next build reads back."""

import tomllib
from pathlib import Path

from buildpacks.python.buildpack import toml, uv_cache_layer
from buildpacks.python.buildpack.layers import Layer, differences
from buildpacks.python.buildpack.uv import Uv


def test_types_and_metadata_survive_the_round_trip(tmp_path: Path) -> None:
    layer = Layer(tmp_path, "venv", launch=True)

    layer.keep({"python": "3.11.2", "odd": 'quote " backslash \\ ümlaut'})

    written = tomllib.loads((tmp_path / "venv.toml").read_text())
    assert written["types"] == {"launch": True, "build": False, "cache": False}
    assert layer.metadata() == {"python": "3.11.2", "odd": 'quote " backslash \\ ümlaut'}


def test_a_layer_that_never_was_has_no_metadata(tmp_path: Path) -> None:
    assert Layer(tmp_path, "venv").metadata() == {}


def test_what_was_compiled_is_kept_without_a_look_where_uv_did_not_run(tmp_path: Path) -> None:
    layer = Layer(tmp_path, "uv-cache", cache=True)
    (layer.path / "sdists-v10" / "pypi" / "compiled").mkdir(parents=True)

    # There is no uv on this PATH: running it would raise.
    uv_cache_layer.keep(layer, Uv({"PATH": str(tmp_path)}, tmp_path))

    assert tomllib.loads((tmp_path / "uv-cache.toml").read_text())["types"]["cache"] is True


def test_a_cache_of_downloads_alone_is_no_layer(tmp_path: Path) -> None:
    layer = Layer(tmp_path, "uv-cache", cache=True)
    (layer.path / "simple-v27" / "pypi").mkdir(parents=True)
    (layer.path / "sdists-v10").mkdir()
    (layer.path / "sdists-v10" / ".git").touch()

    uv_cache_layer.keep(layer, Uv({"PATH": str(tmp_path)}, tmp_path))

    assert not (tmp_path / "uv-cache.toml").exists()


def test_clear_removes_what_an_earlier_build_left(tmp_path: Path) -> None:
    layer = Layer(tmp_path, "venv")
    layer.clear()
    (layer.path / "stale").touch()

    layer.clear()

    assert list(layer.path.iterdir()) == []


def test_a_path_variable_is_joined_by_a_colon(tmp_path: Path) -> None:
    layer = Layer(tmp_path, "runtime")
    layer.clear()

    layer.launch_variable("PYTHONPATH", "/workspace", "append")

    folder = layer.path / "env.launch"
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        "PYTHONPATH.append": "/workspace",
        "PYTHONPATH.delim": ":",
    }


def test_every_reason_to_install_anew_is_named() -> None:
    before = {"python": "3.11.2", "dependencies": "a" * 64, "uv": "0.13.8"}
    now = {"python": "3.12.1", "dependencies": "b" * 64, "uv": "0.13.8", "extras": "none"}

    assert differences(before, now) == [
        "python changed from 3.11.2 to 3.12.1",
        "dependencies changed",
        "extras changed from nothing to none",
    ]


def test_processes_are_written_as_the_lifecycle_reads_them() -> None:
    text = toml.tables(
        "processes",
        [{"type": "web", "command": ["a", "[b]"], "default": True}, {"type": "w", "command": ["c"], "default": False}],
    )

    assert tomllib.loads(text)["processes"] == [
        {"type": "web", "command": ["a", "[b]"], "default": True},
        {"type": "w", "command": ["c"], "default": False},
    ]
