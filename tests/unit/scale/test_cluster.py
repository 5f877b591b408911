"""What replicas ask for, and what is there; nothing here starts a Ray."""

import threading

import pytest
import ray
from modelwright.scale import cluster


@pytest.mark.parametrize(
    ("options", "replicas", "expected"),
    [
        ({}, 3, {}),
        ({"num_cpus": 0.5, "num_gpus": 0}, 4, {"CPU": 2.0}),
        ({"num_gpus": 0.25, "resources": {"TPU": 1}}, 2, {"GPU": 0.5, "TPU": 2.0}),
        ({"num_cpus": None, "resources": None}, 2, {}),
    ],
)
def test_demands_are_added_up_in_ray_s_names(options: dict, replicas: int, expected: dict) -> None:
    assert cluster.demand(options, replicas) == expected


def test_what_an_own_ray_can_never_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 2.0})
    monkeypatch.setattr(cluster, "_OWN", type("Set", (), {"is_set": lambda self: True})())
    cluster.check("2 replicas", {"CPU": 2})
    with pytest.raises(
        cluster.Unplaceable, match=r"2 replicas ask for 1 GPU in all and this machine has 0: .*RAY_ADDRESS"
    ):
        cluster.check("2 replicas", {"CPU": 2, "GPU": 1})


def test_a_ray_at_an_address_may_add_nodes() -> None:
    cluster.check("2 replicas", {"GPU": 1000})


def test_an_address_is_connected_to_and_never_started(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict] = []
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda **options: asked.append(options))
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    cluster.connect(setup="some.module.function")
    cluster.connect("10.0.0.2:6379")
    assert [(each["address"], each["runtime_env"]) for each in asked] == [
        ("10.0.0.1:6379", {"worker_process_setup_hook": "some.module.function"}),
        ("10.0.0.2:6379", None),
    ]


def test_a_ray_that_cannot_be_reached_is_told_with_what_it_may_want(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise RuntimeError("Failed to connect to GCS. Last connection error: Traceback ...")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", refuse)
    with pytest.raises(ConnectionError, match=r"the Ray at 10\.0\.0\.1:6379 cannot be reached, .* RAY_AUTH_MODE=token"):
        cluster.connect("10.0.0.1:6379")


def test_the_author_s_own_ray_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "init", lambda **_: pytest.fail("started another"))
    cluster.connect("10.0.0.1:6379")


def test_the_head_of_several_nodes_waits_for_all_and_says_how_many_there_are(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[list[str]] = [["a"], ["a", "b"], ["a", "c"], ["a", "c"]]
    working = {"a", "c"}
    asked: list[dict] = []

    def nodes() -> list[dict]:
        return [{"NodeID": name, "Alive": True} for name in (told.pop(0) if len(told) > 1 else told[0])]

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda **options: asked.append(options))
    monkeypatch.setattr(ray, "nodes", nodes)
    monkeypatch.setattr(cluster, "_works", lambda node: node in working)
    monkeypatch.setattr(cluster, "_LOOK_EVERY", 0.0)
    monkeypatch.setattr(cluster, "_SAY_EVERY", 0.0)
    monkeypatch.setattr(cluster, "_OWN", threading.Event())
    monkeypatch.setattr(cluster, "_WHOLE", threading.Event())
    monkeypatch.setenv("RAY_ADDRESS", "local")
    monkeypatch.setenv("RAY_NODE_COUNT", "2")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", "/token")
    with caplog.at_level("INFO", logger="modelwright.server"):
        cluster.connect(cpus=8)
    assert [(each["address"], each["num_cpus"]) for each in asked] == [("local", None)]
    assert "1 of 2 nodes have joined Ray; their pods or logs say why not" in caplog.text
    assert caplog.messages[-1] == "Ray has all of its 2 nodes"
    working.clear()
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    cluster.connect()
    assert caplog.messages.count("Ray has all of its 2 nodes") == 1


def test_what_all_nodes_together_have_not_is_refused_with_what_to_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"GPU": 2.0})
    monkeypatch.setattr(cluster, "_OWN", type("Set", (), {"is_set": lambda self: True})())
    monkeypatch.setenv("RAY_NODE_COUNT", "3")
    cluster.check("2 replicas", {"GPU": 2})
    with pytest.raises(cluster.Unplaceable, match=r"the 3 nodes have 2: .*give predictor\.workerSpec more workers"):
        cluster.check("3 replicas", {"GPU": 3})
