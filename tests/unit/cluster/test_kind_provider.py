"""What the kind provider asks of docker, kind and kubectl; scripts stand for them where kind cannot run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cluster.info import ClusterError, NotRunningError
from cluster.kind import KindProvider, provider
from cluster.kind.config import REGISTRY_CONTAINER

# Each script notes its arguments and answers from files of the folder `world`, which stand for the daemon's state.
KIND = """#!/bin/sh
echo "kind $*" >> {world}/calls
case "$1 $2" in
  "get clusters") cat {world}/clusters 2>/dev/null || true ;;
  "create cluster")
    echo "$NO_PROXY" > {world}/created_without
    echo modelwright > {world}/clusters
    echo running > {world}/modelwright-control-plane ;;
  "delete cluster") rm {world}/clusters ;;
esac
"""
DOCKER = """#!/bin/sh
echo "docker $*" >> {world}/calls
case "$1" in
  ps) name=$(echo "$4" | sed 's/name=^//; s/\\$$//'); cat {world}/$name 2>/dev/null || true ;;
  run) echo running > {world}/modelwright-registry ;;
  start) echo running > {world}/$2 ;;
  rm) rm {world}/modelwright-registry ;;
  network) case "$2" in
    inspect) cat {world}/network ;;
    connect) sed -i 's/{{}}/{{"1": {{"Name": "modelwright-registry"}}}}/' {world}/network ;;
  esac ;;
esac
"""
KUBECTL = '#!/bin/sh\necho "kubectl $*" >> {world}/calls\n'
NETWORK = [{"Containers": {}, "IPAM": {"Config": [{"Gateway": "fc00:f853::1"}, {"Gateway": "172.18.0.1"}]}}]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "world"
    folder.mkdir()
    for name, text in (("kind", KIND), ("docker", DOCKER), ("kubectl", KUBECTL)):
        (folder / name).write_text(text.format(world=folder))
        (folder / name).chmod(0o755)
    (folder / "network").write_text(json.dumps(NETWORK))
    (folder / "crds.yaml").touch()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("MODELWRIGHT_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(provider, "ensure", lambda *_: folder)
    monkeypatch.setattr(provider, "gateway_crds", lambda: folder / "crds.yaml")
    monkeypatch.setattr(provider, "host_daemon", lambda: "unix:///docker.sock")
    return folder


def calls(world: Path, wanted: str) -> list[str]:
    return [line for line in (world / "calls").read_text().splitlines() if line.startswith(wanted)]


def test_up_creates_cluster_registry_and_add_ons_in_order(world: Path) -> None:
    info = KindProvider().up(control_plane=False)
    assert (info.registry, info.storage_class) == ("localhost:5000", "standard")
    assert info.ingress_url is not None
    assert info.ingress_url.startswith("http://127.0.0.1:")
    noted = (world / "calls").read_text()
    order = ["kind create cluster", "docker run", "docker network connect", "kubectl --kubeconfig"]
    assert sorted(order, key=noted.index) == order
    assert noted.index("crds.yaml") < noted.index("traefik.yaml") < noted.index("rollout status")
    for name in ("localhost:5000", info.pod_registry):
        assert (info.kubeconfig.parent / f"certs.d/{name}/hosts.toml").is_file()


def test_the_nodes_reach_the_registry_past_a_proxy(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example.com:3128")
    monkeypatch.setenv("NO_PROXY", "localhost")
    KindProvider().up(control_plane=False)
    assert (world / "created_without").read_text() == "localhost,modelwright-registry\n"


def test_what_is_applied_first_tells_other_tools_of_the_registry(world: Path) -> None:
    info = KindProvider().up(control_plane=False)
    hosting = info.kubeconfig.parent / "local-registry-hosting.yaml"
    assert calls(world, "kubectl")[0].endswith(f"-f {hosting}")
    assert info.pod_registry
    assert info.pod_registry in hosting.read_text()


def test_a_second_up_creates_nothing(world: Path) -> None:
    KindProvider().up(control_plane=False)
    (world / "calls").unlink()
    KindProvider().up(control_plane=False)
    for call in ("kind create", "docker run", "docker start", "docker network connect"):
        assert calls(world, call) == []


def test_a_node_that_was_stopped_is_started_again(world: Path) -> None:
    KindProvider().up(control_plane=False)
    (world / "modelwright-control-plane").write_text("exited\n")
    KindProvider().up(control_plane=False)
    assert calls(world, "docker start") == ["docker start modelwright-control-plane"]


def test_the_registry_may_be_there_before_the_cluster(world: Path) -> None:
    assert KindProvider().registry() == "localhost:5000"
    run = calls(world, "docker run")[0]
    assert "--publish 127.0.0.1:5000:5000" in run
    assert REGISTRY_CONTAINER in run


def test_info_knows_of_no_cluster_before_there_is_one(world: Path) -> None:
    with pytest.raises(NotRunningError):
        KindProvider().info()


def test_servers_on_this_machine_are_reached_by_the_networks_ipv4_gateway(world: Path) -> None:
    assert KindProvider().host_address() == "172.18.0.1"


def test_down_deletes_what_up_made_and_can_be_repeated(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What it takes away is this machine's, and there may be a cluster on it.
    monkeypatch.setattr(provider.NativeProvider, "down", lambda _: None)
    KindProvider().up(control_plane=False)
    KindProvider().down()
    KindProvider().down()
    assert len(calls(world, "kind delete cluster")) == 1
    assert not (world / REGISTRY_CONTAINER).exists()


def test_without_a_daemon_the_remedy_is_named(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "host_daemon", lambda: None)
    with pytest.raises(ClusterError, match="start Docker, or set MODELWRIGHT_CLUSTER=native"):
        KindProvider().up(control_plane=False)
