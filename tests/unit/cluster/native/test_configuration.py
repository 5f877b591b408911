"""What the processes are told: all within the state folder, and all consistent with each other."""

from __future__ import annotations

import json
from pathlib import Path
from string import Template

import pytest
import yaml

from cluster.native import manifests
from cluster.native.addons import corefile
from cluster.native.addresses import plan
from cluster.native.control_plane import PORTS as PLANE_PORTS
from cluster.native.ingress import CLASS, GATEWAY, NAMESPACE
from cluster.native.node import PORTS as NODE_PORTS
from cluster.native.node import Node, cni_config, kubelet_config, proxy_config
from cluster.native.parts import Parts
from cluster.native.provider import PORTS, environment
from cluster.native.storage import CLASS as STORAGE_CLASS

NETWORK = plan([])
STATE = Path("/state/cluster")
VALUES: dict[str, str | int] = {
    "address": NETWORK.address,
    "dns_service": NETWORK.dns_service,
    "dns_port": 1053,
    "metrics_port": 4443,
    "ca_bundle": "Y2E=",
    "ingress_port": 8081,
    "volumes": f"{STATE}/volumes",
    "helper_image": "localhost:5000/modelwright/busybox:1",
}


@pytest.fixture
def node() -> Node:
    return Node(
        state=STATE,
        binaries=Path("/bin"),
        ports=NODE_PORTS,
        network=NETWORK,
        sandbox_image="localhost:5000/modelwright/busybox:1",
        registry="localhost:5000",
        server="https://10.244.0.1:6443",
    )


@pytest.fixture
def objects() -> list[dict[str, object]]:
    return [entry for entry in yaml.safe_load_all(manifests.render(VALUES)) if entry]


def find(objects: list[dict[str, object]], kind: str, name: str) -> dict[str, object]:
    found = [entry for entry in objects if entry["kind"] == kind and entry["metadata"]["name"] == name]  # type: ignore[index]
    assert len(found) == 1
    return found[0]


def test_no_two_parts_prefer_one_port() -> None:
    assert len(set(PORTS.values())) == len(PORTS)
    assert PORTS.keys() >= PLANE_PORTS.keys() | NODE_PORTS.keys()


def test_the_kubelet_keeps_to_the_state_folder_and_to_its_own_control_group(node: Node) -> None:
    config = kubelet_config(node, STATE / "ca", STATE / "crt", STATE / "key")
    assert config["cgroupRoot"] == "/modelwright"
    for name in ("podLogsDir", "volumePluginDir", "tlsCertFile"):
        assert config[name].startswith(f"{STATE}/")
    assert config["containerRuntimeEndpoint"] == f"unix://{STATE}/containerd.sock"
    assert config["address"] == NETWORK.address
    assert not config["authentication"]["anonymous"]["enabled"]


def test_pods_get_addresses_of_the_nodes_range_and_the_cluster_knows_them_as_its_own(node: Node) -> None:
    bridge = cni_config(node)["plugins"][0]
    assert bridge["ipam"]["ranges"] == [[{"subnet": NETWORK.node_range}]]
    assert bridge["ipam"]["dataDir"].startswith(f"{STATE}/")
    assert proxy_config(node, STATE / "kubeconfig")["clusterCIDR"] == NETWORK.pod_range


def test_every_value_of_every_manifest_is_given() -> None:
    texts = [path.read_text() for path in (Path(manifests.__file__).parent / "manifests").glob("*.yaml")]
    wanted = {name for text in texts for name in Template(text).get_identifiers()}
    assert wanted == VALUES.keys()


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="dns_port"):
        manifests.render({name: value for name, value in VALUES.items() if name != "dns_port"})


def test_shell_variables_of_the_volume_scripts_survive_rendering(objects: list[dict[str, object]]) -> None:
    data = find(objects, "ConfigMap", "local-path-config")["data"]
    assert 'mkdir -m 0777 -p "$VOL_DIR"' in data["setup"]  # type: ignore[index]
    assert json.loads(data["config.json"])["nodePathMap"][0]["paths"] == [f"{STATE}/volumes"]  # type: ignore[index]


def test_the_names_that_info_prints_are_those_of_the_manifests(objects: list[dict[str, object]]) -> None:
    find(objects, "IngressClass", CLASS)
    find(objects, "StorageClass", STORAGE_CLASS)
    assert find(objects, "Gateway", GATEWAY)["metadata"]["namespace"] == NAMESPACE  # type: ignore[index]


def test_every_right_belongs_to_a_user_that_a_kubeconfig_is_made_for(objects: list[dict[str, object]]) -> None:
    users = {
        subject["name"]
        for entry in objects
        if entry["kind"] in ("ClusterRoleBinding", "RoleBinding")
        for subject in entry["subjects"]  # type: ignore[attr-defined]
    }
    names = ("coredns", "metrics-server", "local-path-provisioner", "traefik")
    assert users == {f"modelwright:{name}" for name in names}


@pytest.fixture
def parts() -> Parts:
    return Parts(state=STATE, binaries=Path("/bin"), ports=PORTS, network=NETWORK, server="https://10.244.0.1:6443")


def test_names_outside_the_cluster_go_to_the_machines_name_servers_if_it_has_any(parts: Parts) -> None:
    assert "forward . /etc/resolv.conf" in corefile(parts, "/k", "/etc/resolv.conf")
    assert "forward" not in corefile(parts, "/k", None)


def test_a_proxy_is_never_asked_for_pods_and_services() -> None:
    found = environment({"NO_PROXY": "corp.example", "PATH": "/usr/bin"}, NETWORK)
    assert found["NO_PROXY"].split(",")[0] == "corp.example"
    assert {NETWORK.address, NETWORK.pod_range, NETWORK.service_range, "localhost"} <= set(found["no_proxy"].split(","))
    assert found["PATH"].split(":") == ["/usr/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"]
