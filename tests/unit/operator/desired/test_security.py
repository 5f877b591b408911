"""Pod Security `restricted`, without overruling the author."""

from typing import Any

import pytest
from modelwright_operator import desired

from tests.unit.operator.desired.build import isvc, settings


def pod(predictor: dict[str, Any] | None = None, container: dict[str, Any] | None = None, **values: Any) -> Any:
    children = desired.children(isvc(predictor, container=container), settings(**values), desired.Inputs())
    return children[1]["spec"]["template"]["spec"]


def meets_restricted(spec: dict[str, Any]) -> bool:
    """Pod Security Standards, profile restricted, for the fields that it asks to be set."""
    context = spec["securityContext"]
    containers = [*spec["containers"], *spec.get("initContainers", [])]
    return (
        context["runAsNonRoot"] is True
        and context["seccompProfile"]["type"] == "RuntimeDefault"
        and all(c["securityContext"]["allowPrivilegeEscalation"] is False for c in containers)
        and all(c["securityContext"]["capabilities"]["drop"] == ["ALL"] for c in containers)
    )


@pytest.mark.parametrize("uri", [None, "s3://b/k", "pvc://claim"])
def test_an_author_who_says_nothing_gets_a_pod_that_hardened_namespaces_admit(uri: str | None) -> None:
    spec = pod({"storageUri": uri} if uri else {})
    assert meets_restricted(spec)
    assert spec["automountServiceAccountToken"] is False


def test_the_initializer_cannot_write_outside_its_volumes() -> None:
    (initializer,) = pod({"storageUri": "s3://b/k"})["initContainers"]
    assert initializer["securityContext"]["readOnlyRootFilesystem"] is True
    assert {mount["mountPath"] for mount in initializer["volumeMounts"]} == {"/mnt/models", "/tmp"}


def test_a_pod_that_is_to_run_as_root_is_not_told_otherwise() -> None:
    assert "runAsNonRoot" not in pod({"securityContext": {"runAsUser": 0}})["securityContext"]


def test_a_container_that_is_to_run_as_root_is_exempt_alone() -> None:
    spec = pod(container={"securityContext": {"runAsUser": 0}})
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["containers"][0]["securityContext"]["runAsNonRoot"] is False


def test_a_privileged_container_stays_as_written() -> None:
    context = pod(container={"securityContext": {"privileged": True}})["containers"][0]["securityContext"]
    assert context == {"privileged": True}


def test_added_capabilities_stay_and_the_rest_is_dropped() -> None:
    given = {"capabilities": {"add": ["NET_BIND_SERVICE"]}}
    context = pod(container={"securityContext": given})["containers"][0]["securityContext"]
    assert context["capabilities"] == {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}


def test_pod_security_none_adds_nothing_to_the_authors_containers() -> None:
    spec = pod(pod_security="none")
    assert "securityContext" not in spec
    assert "securityContext" not in spec["containers"][0]
