"""Weights and credentials."""

from typing import Any

import pytest
from modelwright_operator import desired
from modelwright_operator.desired.storage_uri import claim_of

from tests.unit.operator.desired.build import isvc, settings

SECRET = {"serving.kserve.io/storageSecretName": "keys"}


def pod(uri: str, *, inputs: desired.Inputs | None = None, **metadata: Any) -> Any:
    children = desired.children(isvc({"storageUri": uri}, **metadata), settings(), inputs or desired.Inputs())
    return children[1]["spec"]["template"]["spec"]


def env(uri: str, **values: Any) -> dict[str, Any]:
    return {entry["name"]: entry for entry in pod(uri, **values)["initContainers"][0]["env"]}


@pytest.mark.parametrize(
    ("uri", "mount"),
    [
        ("pvc://claim", {"mountPath": "/mnt/models"}),
        ("pvc://claim/", {"mountPath": "/mnt/models"}),
        ("pvc://claim/a/b", {"mountPath": "/mnt/models", "subPath": "a/b"}),
        ("pvc://claim/v1.0", {"mountPath": "/mnt/models", "subPath": "v1.0"}),
        ("pvc://claim/a/model.onnx", {"mountPath": "/mnt/models/model.onnx", "subPath": "a/model.onnx"}),
    ],
)
def test_a_claim_is_mounted_read_only_and_needs_no_init_container(uri: str, mount: dict[str, str]) -> None:
    spec = pod(uri)
    assert spec["containers"][0]["volumeMounts"] == [{"name": "kserve-pvc-source", "readOnly": True, **mount}]
    assert spec["volumes"] == [{"name": "kserve-pvc-source", "persistentVolumeClaim": {"claimName": "claim"}}]
    assert "initContainers" not in spec


def test_kserves_annotation_makes_the_mount_writable() -> None:
    (mount,) = pod("pvc://claim", annotations={"storage.kserve.io/readonly": "false"})["containers"][0]["volumeMounts"]
    assert "readOnly" not in mount


def test_keys_of_the_named_secret_are_required_and_its_settings_optional() -> None:
    found = env("s3://b/k", annotations=SECRET)
    key = {"name": "keys", "key": "AWS_SECRET_ACCESS_KEY"}
    assert found["AWS_SECRET_ACCESS_KEY"]["valueFrom"] == {"secretKeyRef": key}
    assert found["S3_ENDPOINT"]["valueFrom"]["secretKeyRef"]["optional"] is True


def test_anonymous_access_asks_for_no_keys() -> None:
    found = env("s3://b/k", annotations={**SECRET, "serving.kserve.io/s3-useanoncredential": "true"})
    assert "AWS_ACCESS_KEY_ID" not in found
    assert found["awsAnonymousCredential"]["value"] == "true"


def test_a_secret_of_the_service_account_may_lack_keys() -> None:
    inputs = desired.Inputs(service_account={"metadata": {"name": "default"}, "secrets": [{"name": "keys"}]})
    reference = env("s3://b/k", inputs=inputs)["AWS_ACCESS_KEY_ID"]["valueFrom"]["secretKeyRef"]
    assert reference == {"name": "keys", "key": "AWS_ACCESS_KEY_ID", "optional": True}


def test_annotations_of_the_service_win_over_the_secrets_and_those_over_the_accounts() -> None:
    prefix = "serving.kserve.io/s3-"
    inputs = desired.Inputs(
        service_account={"metadata": {"annotations": {f"{prefix}region": "c", f"{prefix}verifyssl": "0"}}},
        secret_annotations={f"{prefix}region": "b", f"{prefix}endpoint": "minio:9000", f"{prefix}usehttps": "0"},
    )
    found = env("s3://b/k", inputs=inputs, annotations={f"{prefix}region": "a"})
    values = {name: entry.get("value") for name, entry in found.items()}
    assert values["AWS_DEFAULT_REGION"] == "a"
    assert values["AWS_ENDPOINT_URL"] == "http://minio:9000"
    assert values["S3_VERIFY_SSL"] == "0"


def test_an_endpoint_is_https_unless_the_annotation_says_otherwise() -> None:
    assert env("s3://b/k", annotations={"serving.kserve.io/s3-endpoint": "minio"})["AWS_ENDPOINT_URL"]["value"] == (
        "https://minio"
    )


@pytest.mark.parametrize("uri", ["hf://org/model", "https://example.org/model.tar.gz"])
def test_only_the_schemes_own_credentials_are_referenced(uri: str) -> None:
    assert not [name for name in env(uri, annotations=SECRET) if name.startswith(("AWS", "S3", "GOOGLE"))]


def test_no_variable_is_listed_twice() -> None:
    inputs = desired.Inputs(service_account={"secrets": [{"name": "a"}, {"name": "b"}]})
    container = pod("s3://b/k", inputs=inputs)["initContainers"][0]
    names = [entry["name"] for entry in container["env"]]
    assert len(names) == len(set(names))
    assert [source["secretRef"]["name"] for source in container["envFrom"]] == ["a", "b"]


@pytest.mark.parametrize("uri", ["pvc://my_model/x", "pvc://", "pvc://Claim", "pvc://c/../etc"])
def test_a_place_that_cannot_be_mounted_is_a_problem(uri: str) -> None:
    claim = claim_of(uri)
    assert claim is not None
    assert claim.problem()
    assert [problem.field for problem in desired.problems(isvc({"storageUri": uri}), settings())] == [
        "spec.predictor.storageUri"
    ]
