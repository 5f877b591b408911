"""The configuration of kind, read by kind itself: it parses the file before it looks for Docker's containers."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from cluster.binaries import ensure
from cluster.kind import config


def render(ca_bundle: Path | None = None) -> str:
    return config.cluster_config(
        image=config.NODE_IMAGE, ingress_port=8081, certs=Path("/state/certs.d"), ca_bundle=ca_bundle
    )


@pytest.fixture(scope="module")
def kind() -> Path:
    return ensure("kind") / "kind"


def complaint(kind: Path, tmp_path: Path, text: str) -> str:
    """What kind says to the file, with a docker that answers to nothing."""
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\necho no docker here >&2\nexit 1\n")
    docker.chmod(0o755)
    file = tmp_path / "kind.yaml"
    file.write_text(text)
    environment = {"PATH": str(tmp_path), "HOME": str(tmp_path), "KIND_EXPERIMENTAL_PROVIDER": "docker"}
    command = [str(kind), "create", "cluster", "--config", str(file), "--kubeconfig", str(tmp_path / "kubeconfig")]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment).stderr


def test_kind_accepts_the_configuration(kind: Path, tmp_path: Path) -> None:
    said = complaint(kind, tmp_path, render(Path("/etc/ssl/certs/ca-certificates.crt")))
    assert "no docker here" in said
    assert "unmarshal" not in said


def test_kind_would_have_refused_a_misspelt_field(kind: Path, tmp_path: Path) -> None:
    said = complaint(kind, tmp_path, render().replace("extraMounts", "extraMount"))
    assert "field extraMount not found" in said


def test_the_node_image_is_the_one_that_this_kind_was_released_with(kind: Path) -> None:
    assert config.NODE_IMAGE.encode() in kind.read_bytes()


def test_the_ingress_is_reached_by_this_machine_only() -> None:
    node = yaml.safe_load(render())["nodes"][0]
    assert node["extraPortMappings"] == [
        {"containerPort": 80, "hostPort": 8081, "listenAddress": "127.0.0.1", "protocol": "TCP"}
    ]


def test_the_hosts_certificates_are_mounted_where_there_are_any() -> None:
    assert len(yaml.safe_load(render())["nodes"][0]["extraMounts"]) == 1
    mounts = yaml.safe_load(render(Path("/corp/ca.pem")))["nodes"][0]["extraMounts"]
    assert mounts[1] == {
        "hostPath": "/corp/ca.pem",
        "containerPath": "/etc/ssl/certs/ca-certificates.crt",
        "readOnly": True,
    }


def test_pulls_of_localhost_go_to_the_registrys_container() -> None:
    hosts = tomllib.loads(config.registry_hosts())["host"]
    assert hosts == {"http://modelwright-registry:5000": {"capabilities": ["pull", "resolve"]}}


def test_other_tools_are_told_of_the_registry_as_kep_1755_has_it() -> None:
    document = yaml.safe_load(config.registry_hosting())
    assert (document["metadata"]["namespace"], document["metadata"]["name"]) == (
        "kube-public",
        "local-registry-hosting",
    )
    assert yaml.safe_load(document["data"]["localRegistryHosting.v1"]) == {
        "host": "localhost:5000",
        "hostFromContainerRuntime": "modelwright-registry:5000",
        "hostFromClusterNetwork": "modelwright-registry:5000",
    }


@pytest.mark.parametrize(
    ("environment", "left_out"),
    [
        ({}, None),
        ({"NO_PROXY": "a.example.com"}, "a.example.com"),
        ({"HTTPS_PROXY": "http://p:3128"}, "modelwright-registry"),
        ({"http_proxy": "http://p:3128", "no_proxy": "a.example.com"}, "a.example.com,modelwright-registry"),
        ({"HTTP_PROXY": "http://p:3128", "NO_PROXY": "a,b", "no_proxy": "c"}, "a,b,modelwright-registry"),
    ],
)
def test_the_registry_is_behind_no_proxy_of_the_nodes(environment: dict[str, str], left_out: str | None) -> None:
    found = config.node_environment(environment)
    assert found.get("NO_PROXY") == left_out
    assert {**environment, **found} == found


def test_a_mirrors_node_image_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELWRIGHT_KIND_IMAGE", "mirror.example/kindest/node:v1.34.0")
    assert config.node_image() == "mirror.example/kindest/node:v1.34.0"
    monkeypatch.delenv("MODELWRIGHT_KIND_IMAGE")
    assert config.node_image() == config.NODE_IMAGE
