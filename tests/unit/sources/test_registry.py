"""References, logins, and reading from a registry."""

from __future__ import annotations

import base64
import json
import re
import socket
import struct
import tarfile
import threading
from pathlib import Path

import pytest
from modelwright.registry.login import Login
from modelwright.sources import image, logins
from modelwright.sources.builder import METADATA, resolve
from modelwright.sources.reference import parse
from modelwright.sources.registry import registry as registries
from modelwright.weights.errors import WeightsError

from tests.unit.sources.registry_server import INDEX, FakeRegistry

LOGIN = "Basic " + base64.b64encode(b"me:secret").decode()


@pytest.mark.parametrize(
    ("text", "host", "repository", "version", "scheme"),
    [
        ("registry.example.com/a/b:1", "registry.example.com", "a/b", "1", "https"),
        ("registry.example.com:5000/a", "registry.example.com:5000", "a", "latest", "https"),
        ("localhost/a:1", "localhost", "a", "1", "http"),
        ("localhost:5000/a:1", "localhost:5000", "a", "1", "http"),
        ("[::1]/a:1", "[::1]", "a", "1", "http"),
        ("[::1]:5000/a:1", "[::1]:5000", "a", "1", "http"),
        ("10.1.2.3:5000/a:1", "10.1.2.3:5000", "a", "1", "http"),
        ("registry.example.com/a@sha256:" + "a" * 64, "registry.example.com", "a", "sha256:" + "a" * 64, "https"),
        ("registry.example.com/a:1@sha256:" + "a" * 64, "registry.example.com", "a", "sha256:" + "a" * 64, "https"),
    ],
)
def test_a_reference_has_its_parts(text, host, repository, version, scheme):
    found = parse(text)
    assert (found.host, found.repository, found.version) == (host, repository, version)
    assert found.plain_http() == (scheme == "http")
    assert parse(str(found)) == found


def test_a_host_that_is_said_to_be_insecure_is_asked_by_http():
    assert parse("registry.example.com/a").plain_http({"registry.example.com"})


@pytest.mark.parametrize("text", ["iris", "models/iris:1", "registry.example.com/Iris", "https://x.example.com/a", ""])
def test_half_a_reference_is_refused_with_the_form(text):
    with pytest.raises(WeightsError, match=re.escape("Write it as host/repository:tag")):
        parse(text)


def secret(folder: Path, name: str, key: str, content: object) -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / key).write_text(content if isinstance(content, str) else json.dumps(content))


def test_pull_secrets_become_one_docker_config(tmp_path):
    secret(tmp_path / "in", "a", ".dockerconfigjson", {"auths": {"one.example.com": {"auth": "QTpC"}}})
    secret(tmp_path / "in", "b", ".dockercfg", {"https://two.example.com/v1/": {"username": "u", "password": "p"}})
    secret(tmp_path / "in", "c", "password", "something else")
    (tmp_path / "in" / "missing").mkdir()
    logins.write(tmp_path / "in", tmp_path / "out" / "config.json")
    assert (tmp_path / "out" / "config.json").stat().st_mode & 0o777 == 0o600
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert logins.login(config, "one.example.com") == Login("A", "B")
    assert logins.login(config, "two.example.com") == Login("u", "p")
    assert logins.login(config, "three.example.com") is None


def test_a_pull_secret_that_is_no_docker_config_is_named_without_its_content(tmp_path):
    secret(tmp_path, "broken", ".dockerconfigjson", "hunter2")
    with pytest.raises(WeightsError, match=r"broken: the Secret's .dockerconfigjson is not a docker config") as refused:
        logins.merged(tmp_path)
    assert "hunter2" not in str(refused.value)


def test_a_token_is_asked_for_with_the_login_and_kept(registry):
    registry.login = LOGIN
    digest = registry.image("source")
    reader = registries({"auths": {registry.host: {"username": "me", "password": "secret"}}})
    assert image.resolve(f"{registry.host}/models/iris:source", reader).endswith(f"@{digest}")
    image.resolve(f"{registry.host}/models/iris:source", reader)
    tokens = [path for path, _ in registry.asked if path.startswith("/token")]
    assert tokens == ["/token?service=test&scope=repository%3Amodels%2Firis%3Apull"]


def test_a_registry_that_refuses_names_the_remedy(registry):
    registry.login = LOGIN
    with pytest.raises(WeightsError, match=re.escape("answers 401 Unauthorized. Add a Secret of type")):
        image.resolve(f"{registry.host}/models/iris:source", registries())
    registry.login = None
    with pytest.raises(WeightsError, match=re.escape("answers 404 Not Found. Check its name and tag")):
        image.resolve(f"{registry.host}/models/iris:source", registries())


def test_a_registry_that_does_not_answer_is_named():
    with pytest.raises(WeightsError, match=r"the registry 127\.0\.0\.1:1 does not answer"):
        image.resolve("127.0.0.1:1/a:1", registries())


def test_a_registry_that_breaks_off_is_named():
    with socket.create_server(("127.0.0.1", 0)) as server:
        host = f"127.0.0.1:{server.getsockname()[1]}"

        def half() -> None:
            for _ in range(2):
                connection, _ = server.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
                    # What is closed so is reset.
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        thread = threading.Thread(target=half, daemon=True)
        thread.start()
        with pytest.raises(WeightsError, match=rf"the registry {host} does not answer: .*reset"):
            image.resolve(f"{host}/a:1", registries())
        with pytest.raises(WeightsError, match=rf"the registry {host} does not answer: .*reset"):
            list(registries().blob(parse(f"{host}/a:1"), "sha256:aa"))
        thread.join(30)


def test_a_manifest_that_is_not_the_digests_is_refused(registry):
    digest = registry.image("source")
    registry.manifests[digest] = ("x", b'{"layers": []}')
    with pytest.raises(WeightsError, match=re.escape("The registry or a proxy is broken")):
        image.resolve(f"{registry.host}/models/iris@{digest}", registries())


def fetch(registry: FakeRegistry, tmp_path: Path) -> Path:
    (tmp_path / "staging").mkdir()
    return image.fetch(f"{registry.host}/models/iris:source", registries(), tmp_path / "staging")


def test_layers_are_laid_over_each_other_and_programs_can_be_run(registry, tmp_path):
    program = tarfile.TarInfo("run.sh")
    program.mode = 0o755
    registry.image(
        "source",
        registry.layer(("./model.py", "old"), ("data/a", "a"), program),
        registry.layer(("model.py", "new")),
    )
    tree = fetch(registry, tmp_path)
    assert (tree / "model.py").read_text() == "new"
    assert (tree / "data" / "a").read_text() == "a"
    assert (tree / "run.sh").stat().st_mode & 0o100


def link(name: str, to: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, to
    return member


@pytest.mark.parametrize(
    ("member", "why"),
    [
        (("../out", "x"), "has a . or .. segment"),
        (("/etc/passwd", "x"), "is an absolute path"),
        (link("out", "/etc"), "outside of the archive"),
        (link("a/out", "../../etc"), "outside of the archive"),
        ((".wh.model.py", ""), "deletes files of another"),
    ],
)
def test_a_layer_that_would_leave_the_folder_is_refused(registry, tmp_path, member, why):
    registry.image("source", registry.layer(member))
    with pytest.raises(WeightsError, match=re.escape(why)):
        fetch(registry, tmp_path)


def test_a_layer_of_another_kind_and_a_damaged_one_are_refused(registry, tmp_path):
    registry.image("source", registry.layer(("a", "a"), kind="application/vnd.oci.image.layer.v1.tar+zstd"))
    with pytest.raises(WeightsError, match=r"not tar\+gzip. Push the folder as layers"):
        fetch(registry, tmp_path)
    layer = registry.layer(("a", "a"))
    registry.image("source", layer)
    registry.blobs[layer["digest"]] = b"else"
    with pytest.raises(WeightsError, match=re.escape("arrived damaged")):
        image.fetch(f"{registry.host}/models/iris:source", registries(), tmp_path / "again")


def builder_config(registry: FakeRegistry, **changes: object) -> dict[str, object]:
    metadata = {
        "images": [{"image": f"{registry.host}/models/iris:run"}],
        "lifecycle": {"apis": {"platform": {"supported": ["0.7", "0.12", "0.13", "0.14"]}}},
    }
    return {
        "Env": ["PATH=/bin", "CNB_USER_ID=1001", "CNB_GROUP_ID=1002"],
        "Labels": {METADATA: json.dumps(metadata | changes)},
    }


def test_a_builder_says_its_user_platform_and_run_image(registry):
    run = registry.image("run")
    digest = registry.image("builder", config=builder_config(registry))
    index = registry.manifest(
        "many",
        {"mediaType": INDEX, "manifests": [{"digest": digest, "platform": {"os": "linux", "architecture": "amd64"}}]},
    )
    found = resolve(f"{registry.host}/models/iris:many", None, registries(), "amd64")
    assert found.facts() == {
        "builder": f"{registry.host}/models/iris@{index}",
        "run_image": f"{registry.host}/models/iris@{run}",
        "uid": 1001,
        "gid": 1002,
        "platform_api": "0.13",
    }
    with pytest.raises(WeightsError, match=re.escape("is not there for linux/arm64")):
        resolve(f"{registry.host}/models/iris:many", None, registries(), "arm64")


def test_a_run_image_that_is_named_wins(registry):
    other = registry.image("other")
    registry.image("builder", config=builder_config(registry, images=[]))
    name = f"{registry.host}/models/iris:builder"
    assert resolve(name, f"{registry.host}/models/iris:other", registries(), "amd64").run_image.endswith(other)
    with pytest.raises(WeightsError, match=re.escape("names no run image. Name one in spec.runImage")):
        resolve(name, None, registries(), "amd64")


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({}, "is not a builder: it has no label io.buildpacks.builder.metadata"),
        ({"Labels": {METADATA: "{}"}}, "does not say which user builds"),
        ({"Labels": {METADATA: "{}"}, "Env": ["CNB_USER_ID=0", "CNB_GROUP_ID=0"]}, "builds as root"),
    ],
)
def test_what_is_no_builder_is_refused_with_the_remedy(registry, config, why):
    registry.image("builder", config=config)
    with pytest.raises(WeightsError, match=re.escape(why)):
        resolve(f"{registry.host}/models/iris:builder", None, registries(), "amd64")


def test_a_lifecycle_that_is_too_old_is_refused(registry):
    registry.image("run")
    registry.image("builder", config=builder_config(registry, lifecycle={"apis": {"platform": {"supported": ["0.3"]}}}))
    with pytest.raises(WeightsError, match=re.escape("Use a newer builder")):
        resolve(f"{registry.host}/models/iris:builder", None, registries(), "amd64")
