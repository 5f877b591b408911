"""The same models under genuine kserve's server and under ours: the same classes, the same answers."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.conformance.kserve_servers import JSON, ROOT, Server, start

pytest.importorskip("kserve", reason="the genuine kserve is the oracle: install the extra 'server'")


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    folder = tmp_path_factory.mktemp("twins")
    examples = f"--examples={ROOT / 'runtimes' / 'examples'}"
    files = folder / "genuine.json", folder / "twin.json"
    genuine = start(folder, "both", examples, f"--describe={files[0]}", kserve="genuine")
    try:
        twin = start(folder, "both", examples, f"--describe={files[1]}", f"--other={files[0]}", kserve="twin")
        try:
            for server, file in zip((genuine, twin), files, strict=True):
                server.description = json.loads(file.read_text())
            yield genuine, twin
        finally:
            twin.stop()
    finally:
        genuine.stop()


# -- answers ---------------------------------------------------------------------------------------------------------

ROWS = {"instances": [[1, 2], [3, 4]]}


def tensors(*shape: int, datatype: str = "FP32", **more: Any) -> dict[str, Any]:
    data = np.arange(int(np.prod(shape))).reshape(shape)
    # Whole numbers sent for a float reach an author's `data` as floats here, as ints there; as_numpy() is the same.
    data = (data + 0.5 if datatype.startswith("FP") else data).tolist()
    return {"id": "42", "inputs": [{"name": "x", "datatype": datatype, "shape": list(shape), "data": data}], **more}


TEXT = {"id": "1", "inputs": [{"name": "t", "datatype": "BYTES", "shape": [2], "data": ["a", "ü"]}]}
FLOWERS = {"instances": [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]}

SAME = {
    "v1 sync": ("/v1/models/sync:predict", ROWS),
    "v1 async": ("/v1/models/async:predict", ROWS),
    "v1 all handlers": ("/v1/models/handlers:predict", ROWS),
    "v1 explain": ("/v1/models/explain:explain", ROWS),
    "v1 strings": ("/v1/models/strings:predict", {"instances": ["a", "ü"]}),
    "v1 the document's model": ("/v1/models/seed:predict", {"instances": [{"data": [1, 2]}]}),
    "v1 iris": ("/v1/models/iris:predict", FLOWERS),
    "v1 headers": ("/v1/models/headers:predict", ROWS),
    "v2 sync": ("/v2/models/sync/infer", tensors(2, 3)),
    "v2 async": ("/v2/models/async/infer", tensors(2, 3, datatype="INT64")),
    "v2 tensors of every kind": ("/v2/models/tensors/infer", tensors(1, 2)),
    "v2 plain dict": ("/v2/models/plain/infer", tensors(2, 2)),
    "v2 strings": ("/v2/models/strings/infer", TEXT),
    "v2 iris": ("/v2/models/iris/infer", tensors(2, 4)),
    "v2 what the author sees": ("/v2/models/inputs/infer", tensors(2, 2, outputs=[{"name": "output-0"}])),
    "v2 what the author sees of strings": ("/v2/models/inputs/infer", TEXT),
    "invalid input": ("/v1/models/raising:predict", {"instances": ["input"]}),
    "not found": ("/v1/models/raising:predict", {"instances": ["found"]}),
    "not ready": ("/v1/models/raising:predict", {"instances": ["ready"]}),
    "inference error": ("/v1/models/raising:predict", {"instances": ["inference"]}),
    "not implemented": ("/v1/models/raising:predict", {"instances": ["implemented"]}),
    "no predictor": ("/v1/models/transformer:predict", ROWS),
    "no explainer": ("/v1/models/sync:explain", ROWS),
}  # fmt: skip


def plain(body: bytes) -> Any:
    """Parse an answer without the nulls that kserve writes for what is not there."""

    def dropped(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: dropped(item) for key, item in value.items() if item is not None}
        return [dropped(item) for item in value] if isinstance(value, list) else value

    return dropped(json.loads(body))


@pytest.mark.parametrize("name", SAME)
def test_a_request_gets_the_same_answer(servers: tuple[Server, Server], name: str) -> None:
    path, body = SAME[name]
    (status, _, expected), (ours, _, answer) = (
        server.ask(path, json.dumps(body).encode(), {**JSON, "x-request-id": "r-1"}) for server in servers
    )
    assert (ours, plain(answer)) == (status, plain(expected))


def test_the_author_s_response_headers_reach_the_caller(servers: tuple[Server, Server]) -> None:
    for server in servers:
        _, headers, _ = server.ask("/v1/models/headers:predict", b'{"instances": []}', {**JSON, "x-request-id": "r"})
        assert headers["x-seen"] == "r"


@pytest.mark.parametrize("binary_answer", [False, True])
@pytest.mark.parametrize("datatype", ["FP32", "INT64", "FP16"])
def test_binary_tensors_get_the_same_answer(servers: tuple[Server, Server], datatype: str, binary_answer: bool) -> None:
    raw = np.arange(6).astype({"FP32": "<f4", "INT64": "<i8", "FP16": "<f2"}[datatype]).tobytes()
    part = {"name": "x", "datatype": datatype, "shape": [2, 3], "parameters": {"binary_data_size": len(raw)}}
    head = json.dumps({"id": "1", "inputs": [part], "parameters": {"binary_data_output": binary_answer}}).encode()
    sent = {"inference-header-content-length": str(len(head)), "content-type": "application/octet-stream"}
    read = []
    for server in servers:
        status, headers, body = server.ask("/v2/models/sync/infer", head + raw, sent)
        cut = int(headers.get("inference-header-content-length", len(body)))
        message = plain(body[:cut])
        message.pop("parameters", None)
        read.append((status, message, body[cut:]))
    assert read[1] == read[0]
    assert read[0][0] == 200


def test_a_mistake_of_the_author_s_is_a_500_that_ours_does_not_show(servers: tuple[Server, Server]) -> None:
    genuine, ours = (server.ask("/v1/models/raising:predict", b'{"instances": ["bug"]}') for server in servers)
    assert (genuine[0], ours[0]) == (500, 500)
    assert b"secret" in genuine[2]
    assert b"secret" not in ours[2]
    assert "KeyError: 'secret'" in servers[1].log.read_text()


def test_metadata_and_readiness_name_the_same(servers: tuple[Server, Server]) -> None:
    for path in ("/v1/models", "/v1/models/sync", "/v2/models/sync/ready"):
        genuine, ours = (server.ask(path) for server in servers)
        assert (ours[0], plain(ours[2])) == (genuine[0], plain(genuine[2])), path


# -- classes ---------------------------------------------------------------------------------------------------------

# What the genuine ModelServer has for itself alone: our server owns its loop and its signals.
LACKING = {"ModelServer": {"setup_event_loop", "register_signal_handler"}}


def test_every_class_has_the_genuine_one_s_members_and_parameters(servers: tuple[Server, Server]) -> None:
    genuine, twin = (server.description["members"] for server in servers)
    assert genuine.keys() == twin.keys()
    for kind, members in genuine.items():
        for name, parameters in members.items():
            if name in LACKING.get(kind, ()):
                continue
            ours = twin[kind].get(name, "missing")
            # Ours may take more at the end: the arguments of older generations.
            assert ours[: len(parameters)] == parameters, f"{kind}.{name}"


def test_every_class_has_the_genuine_one_s_module_and_bases(servers: tuple[Server, Server]) -> None:
    genuine, twin = (server.description for server in servers)
    assert twin["module"] == "modelwright.styles.kserve.twins"
    assert genuine["modules"] == twin["modules"]
    for kind, bases in genuine["bases"].items():
        assert [base for base in twin["bases"][kind] if base in bases] == bases


def test_every_action_has_the_genuine_result(servers: tuple[Server, Server]) -> None:
    genuine, twin = (server.description["actions"] for server in servers)
    assert len(genuine) > 40
    for name, result in genuine.items():
        expected = json.dumps(result).replace("module 'kserve'", "module")
        assert json.dumps(twin[name]).replace("module 'kserve'", "module") == expected, name


def test_what_the_genuine_classes_pickled_the_twins_read(servers: tuple[Server, Server]) -> None:
    read = servers[1].description["read"]
    assert '"id": "id-1"' in read["request"]
    assert '"data": [1, 2]' in read["response"]


def test_every_flag_of_kserve_s_parser_is_known(servers: tuple[Server, Server]) -> None:
    genuine, twin = (set(server.description["flags"]) for server in servers)
    assert genuine <= twin


# -- older generations -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def legacy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start(tmp_path_factory.mktemp("legacy"), "legacy", kserve="twin")
    yield server
    assert server.stop() == 0


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/v1/models/custom-model:predict", {"instances": [{"data": [1, 1]}]}, {"predictions": [0.2, 1.0, 1.8]}),
        ("/v1/models/without:predict", {"instances": [1, 2]}, {"predictions": [2]}),
        ("/v1/models/notloaded:predict", {"instances": [1, 2]}, {"predictions": [3, 6]}),
        (
            "/v2/models/contents/infer",
            tensors(1, 2),
            {
                "id": "made",
                "model_name": "contents",
                "outputs": [{"name": "output-0", "shape": [1, 2], "datatype": "FP32", "data": [1.5, 2.5]}],
            },
        ),
    ],
)
def test_what_today_s_kserve_refuses_is_served(legacy: Server, path: str, body: Any, expected: Any) -> None:
    status, _, answer = legacy.ask(path, json.dumps(body).encode())
    assert status == 200, answer
    read = plain(answer)
    if "predictions" in expected:
        assert read["predictions"] == pytest.approx(expected["predictions"], abs=1e-6)
    else:
        assert read == expected


def test_a_dict_of_classes_runs_here_and_says_so(legacy: Server) -> None:
    assert "model 'custom-model' runs in this process and its forked workers, not on Ray" in legacy.log.read_text()
