"""REST and gRPC over TLS: with real certificates, to real clients, through renewals and the end."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.conformance.authority import Authority
from tests.conformance.grpc_process import free_port, until
from tests.conformance.server_process import Reply, Server, read

INPUT = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 4], "data": [1, 2, 3, 4]}]}
PATH = "/v2/models/sum/infer"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("server"), *flags(*authority.sign("server")))
    try:
        yield running.wait_until_serving()
    finally:
        running.kill()


def flags(certificate: Path, key: Path, *more: str) -> tuple[str, ...]:
    named = (f"--ssl_certfile={certificate}", f"--ssl_keyfile={key}")
    return ("--enable_grpc=true", f"--grpc_port={free_port()}", *named, *more)


def grpc_port(server: Server) -> int:
    return int(next(word for word in server.process.args if word.startswith("--grpc_port=")).partition("=")[2])


def connect(server: Server, context: ssl.SSLContext) -> http.client.HTTPSConnection:
    return http.client.HTTPSConnection("127.0.0.1", server.port, timeout=30, context=context)


def infer(connection: http.client.HTTPSConnection) -> Reply:
    connection.request("POST", PATH, json.dumps(INPUT).encode())
    return read(connection)


def answers_grpc(server: Server, authority: Authority, own: tuple[Path, Path] | None = None) -> bool:
    """Ask over gRPC and TLS; false where the handshake fails."""
    pair = {"certificate_chain": own[0].read_bytes(), "private_key": own[1].read_bytes()} if own else {}
    credentials = grpc.ssl_channel_credentials(authority.file.read_bytes(), **pair)
    options = [("grpc.use_local_subchannel_pool", 1)]
    with grpc.secure_channel(f"127.0.0.1:{grpc_port(server)}", credentials, options) as channel:
        try:
            health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=20)
        except grpc.RpcError as error:
            assert error.code() is grpc.StatusCode.UNAVAILABLE, error
            return False
        return True


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_rest_is_answered_over_a_kept_connection(authority, start, loop):
    running = start(*flags(*authority.sign(loop), f"--event_loop={loop}")).wait_until_serving()
    connection = connect(running, authority.trust())
    try:
        for _ in range(3):
            answer = infer(connection)
            assert (answer.status, answer.json["outputs"][0]["data"]) == (200, [10])
        large = json.dumps({"instances": [[1] * 100_000]}).encode()
        connection.request("POST", "/v1/models/sum:predict", large)
        assert read(connection).json["predictions"] == [100_000]
    finally:
        connection.close()


def index(port: int, context: ssl.SSLContext) -> int:
    """Ask the admin port what models there are; give the status."""
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=context)
    try:
        connection.request("POST", "/v2/repository/index")
        return read(connection).status
    finally:
        connection.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_the_admin_port_speaks_tls_too_and_knows_clients_by_their_certificates(authority, start, workers):
    own, port = authority.sign("server"), free_port()
    more = (f"--admin_port={port}", f"--workers={workers}", f"--ssl_ca_certs={authority.file}")
    running = start(*flags(*own, *more)).wait_until_serving(workers)
    assert index(port, authority.trust(own)) == 200
    with pytest.raises((ssl.SSLError, http.client.HTTPException, OSError)):
        index(port, authority.trust())
    with pytest.raises((http.client.HTTPException, OSError)):
        running.ask("POST", "/v2/repository/index", port=port)
    assert running.stop() == 0


def test_triton_s_client_speaks_grpc_over_tls(server, authority):
    script = """
        import sys
        import numpy as np
        import tritonclient.grpc as triton
        address, root = sys.argv[1:]
        client = triton.InferenceServerClient(address, ssl=True, root_certificates=root)
        assert client.is_server_live() and client.is_model_ready("sum")
        x = triton.InferInput("x", [1, 4], "FP32")
        x.set_data_from_numpy(np.ones((1, 4), np.float32))
        assert client.infer("sum", [x]).as_numpy("total").tolist() == [4.0]
    """
    command = [sys.executable, "-c", textwrap.dedent(script), f"127.0.0.1:{grpc_port(server)}", str(authority.file)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_plain_http_and_old_tls_are_refused_and_serving_goes_on(server, authority):
    with pytest.raises((http.client.HTTPException, OSError)):
        server.ask("GET", "/v2/health/live")
    old = authority.trust()
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", server.port)) as plain:
        old.wrap_socket(plain, server_hostname="127.0.0.1")
    assert infer(connect(server, authority.trust())).status == 200
    assert "Traceback" not in server.log


def test_tls_1_2_is_enough(server, authority):
    context = authority.trust()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert infer(connect(server, context)).status == 200


def test_clients_must_show_a_certificate_where_authorities_are_given(authority, start, tmp_path):
    clients = Authority(tmp_path / "clients", "clients")
    strangers = Authority(tmp_path / "strangers", "strangers")
    given = flags(*authority.sign("mutual"), f"--ssl_ca_certs={clients.file}")
    running = start(*given).wait_until_serving()
    own, foreign = clients.sign("client"), strangers.sign("client")
    assert infer(connect(running, authority.trust(own))).status == 200
    assert answers_grpc(running, authority, own)
    for shown in (None, foreign):
        with pytest.raises(OSError):
            infer(connect(running, authority.trust(shown)))
        assert not answers_grpc(running, authority, shown)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    own, other = Authority(tmp_path / "own"), Authority(tmp_path / "other")
    certificate, key = own.sign("server")
    text = tmp_path / "text"
    text.write_text("no PEM at all")
    return {
        "certificate": certificate,
        "key": key,
        "other key": other.sign("server")[1],
        "encrypted key": own.sign("encrypted", b"secret")[1],
        "text": text,
        "missing": tmp_path / "missing",
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"certfile": "certificate"}, "--ssl_certfile needs --ssl_keyfile too"),
        ({"keyfile": "key"}, "--ssl_keyfile needs --ssl_certfile too"),
        ({"ca_certs": "certificate"}, "--ssl_ca_certs needs --ssl_certfile and --ssl_keyfile too"),
        ({"certfile": "missing", "keyfile": "key"}, "--ssl_certfile {missing} cannot be read: No such file"),
        ({"certfile": "certificate", "keyfile": "missing"}, "--ssl_keyfile {missing} cannot be read: No such file"),
        ({"certfile": "text", "keyfile": "key"}, "--ssl_certfile {text} holds no certificate in PEM form"),
        ({"certfile": "certificate", "keyfile": "text"}, "--ssl_keyfile {text} holds no private key in PEM form"),
        ({"certfile": "certificate", "keyfile": "other key"}, "--ssl_keyfile {other key} is not the key of"),
        ({"certfile": "certificate", "keyfile": "encrypted key"}, "--ssl_keyfile {encrypted key} is encrypted"),
        (
            {"certfile": "certificate", "keyfile": "key", "ca_certs": "text"},
            "--ssl_ca_certs {text} holds no certificate in PEM form",
        ),
    ],
)
def test_files_that_cannot_serve_are_refused_at_start_with_the_flag(start, files, given, message):
    refused = start(*(f"--ssl_{flag}={files[file]}" for flag, file in given.items()))
    assert refused.process.wait(30) == 1
    assert message.format(**files) in refused.log
    assert not any(word in refused.log for word in ("PRIVATE KEY", "Traceback", "secret"))


@pytest.mark.parametrize("workers", [1, 2])
def test_renewed_certificates_are_shown_without_a_restart(start, tmp_path, workers):
    old, new = Authority(tmp_path / "old"), Authority(tmp_path / "new")
    mounted = old.sign("server")
    running = start(*flags(*mounted, f"--workers={workers}")).wait_until_serving(workers)
    kept = connect(running, old.trust())
    assert infer(kept).status == 200
    assert answers_grpc(running, old)
    fresh = new.sign("server")
    # The certificate comes first and does not fit the key for a while, which must not stop anything.
    fresh[0].replace(mounted[0])
    until(lambda: "the renewed certificate is not used yet" in running.log)
    assert infer(connect(running, old.trust())).status == 200
    fresh[1].replace(mounted[1])
    until(lambda: running.log.count("the certificate was renewed") == workers)
    for _ in range(4):
        assert infer(connect(running, new.trust())).status == 200
        assert answers_grpc(running, new)
    with pytest.raises(ssl.SSLCertVerificationError):
        infer(connect(running, old.trust()))
    assert infer(kept).status == 200
    kept.close()


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_draining_answers_what_is_in_work_and_waits_for_no_idle_client(authority, start, loop):
    running = start(*flags(*authority.sign("drain"), "--grace_period=60", f"--event_loop={loop}")).wait_until_serving()
    idle = connect(running, authority.trust())
    assert infer(idle).status == 200
    answers: list[int] = []

    def slow() -> None:
        connection = connect(running, authority.trust())
        payload = {"instances": [[1, 2]], "wait": 3}
        connection.request("POST", "/v1/models/sum:predict", json.dumps(payload).encode())
        answers.append(read(connection).status)

    thread = threading.Thread(target=slow)
    thread.start()
    silent = socket.create_connection(("127.0.0.1", running.port))
    until(lambda: in_work(running, authority))
    # Neither the idle client nor the one that never began its handshake reads anything from now on.
    assert running.stop(25) == 0, running.log
    thread.join(30)
    assert answers == [200]
    silent.close()
    idle.close()


def in_work(server: Server, authority: Authority) -> bool:
    """Whether the one thread is taken: a second call waits for it, and gives up."""
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=30, context=authority.trust())
    connection.request("POST", "/v1/models/sum:predict", b'{"instances": [[1]]}', {"x-request-timeout": "0.2"})
    return read(connection).status != 200
