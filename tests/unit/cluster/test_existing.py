from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cluster.existing import VARIABLES, describe, lacks
from cluster.info import ClusterError, ClusterInfo, Gateway

MARK = "ingressclass.kubernetes.io/is-default-class"


def named(name: str, **annotations: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "annotations": annotations}}


def described(environment: dict[str, str], classes: list[dict[str, Any]]) -> ClusterInfo:
    return describe(environment, Path("/k"), Path("/bin"), classes, [])


def test_a_bare_cluster_lacks_everything_and_each_line_names_its_variable() -> None:
    lines = lacks(described({}, []))
    assert len(lines) == len(VARIABLES)
    for variable in VARIABLES.values():
        assert any(line.endswith(f"name it in {variable}") for line in lines)


def test_variables_name_what_the_cluster_cannot_say() -> None:
    info = described(
        {
            "MODELWRIGHT_INGRESS_URL": "http://10.0.0.9",
            "MODELWRIGHT_GATEWAY": "edge/public",
            "MODELWRIGHT_REGISTRY": "registry.example/team",
            "MODELWRIGHT_INGRESS_CLASS": "nginx",
            "MODELWRIGHT_STORAGE_CLASS": "fast",
        },
        [named("traefik")],
    )
    assert (info.ingress_class_name, info.gateway) == ("nginx", Gateway("public", "edge"))
    assert lacks(info) == []


def test_the_default_class_is_found_among_several() -> None:
    assert described({}, [named("a"), named("b", **{MARK: "true"})]).ingress_class_name == "b"


def test_the_only_class_needs_no_mark() -> None:
    assert described({}, [named("only")]).ingress_class_name == "only"


def test_of_several_unmarked_classes_none_is_guessed() -> None:
    assert described({}, [named("a"), named("b")]).ingress_class_name is None


def test_a_gateway_without_namespace_is_refused() -> None:
    with pytest.raises(ClusterError, match=r"MODELWRIGHT_GATEWAY is 'public': write namespace/name"):
        described({"MODELWRIGHT_GATEWAY": "public"}, [])


def test_the_json_has_the_names_of_the_command_line() -> None:
    document = described({"MODELWRIGHT_GATEWAY": "edge/public"}, [named("only")]).to_json()
    assert document == {
        "provider": "existing",
        "kubeconfig": "/k",
        "bin": "/bin",
        "ingressURL": None,
        "ingressClassName": "only",
        "gateway": {"name": "public", "namespace": "edge"},
        "registry": None,
        "podRegistry": None,
        "storageClass": None,
    }
