"""What the server says to `--replicas` before it starts anything."""

import sys

import pytest
from modelwright.server import arguments, start
from modelwright.server.loading import LoadFailed


def test_replicas_and_workers_together_are_refused() -> None:
    with pytest.raises(LoadFailed, match=r"--replicas and --workers are two ways .* leave --workers out"):
        start._on_ray([], arguments.parse(["--replicas=2", "--workers=2"], {}))


def test_replicas_without_ray_are_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "modelwright.server.replicated", None)
    with pytest.raises(LoadFailed, match=r"--replicas needs Ray \(.*\); install modelwright\[ray\], or use --workers"):
        start._on_ray([], arguments.parse(["--replicas=2"], {}))


def test_ray_s_address_comes_from_ray_s_own_variable() -> None:
    assert arguments.parse([], {"RAY_ADDRESS": "10.0.0.1:6379"}).ray_address == "10.0.0.1:6379"
    assert arguments.parse(["--replica_gpus=0.5"], {}).replica_gpus == 0.5


def test_what_is_no_number_of_gpus_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        arguments.parse(["--replica_gpus=-1"], {})
    assert "'-1' is no number of GPUs; use 0, a fraction such as 0.5, or more" in capsys.readouterr().err
