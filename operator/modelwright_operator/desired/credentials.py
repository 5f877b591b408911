"""Credentials for the storage initializer, by reference: the operator never reads one.

KServe reads every Secret and copies what it recognises. Here the kubelet resolves references when the
container starts, so a Secret that is changed or created later is picked up without the operator, and a leak
of the operator's token leaks no credential. The environment's names are KServe's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from modelwright_operator import labels
from modelwright_operator.desired.inputs import Inputs
from modelwright_operator.settings import Settings

_PREFIX = "serving.kserve.io/s3-"
_S3_ENV = {
    "usehttps": "S3_USE_HTTPS",
    "region": "AWS_DEFAULT_REGION",
    "verifyssl": "S3_VERIFY_SSL",
    "usevirtualbucket": "S3_USER_VIRTUAL_BUCKET",
    "useaccelerate": "S3_USE_ACCELERATE",
    "useanoncredential": "awsAnonymousCredential",
    "cabundle": "AWS_CA_BUNDLE",
}
_S3_SECRET_KEYS = ("AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "S3_ENDPOINT", *_S3_ENV.values())
_HTTP_SECRET_KEYS = ("https-host", "headers")

_GCS_FILE = "gcloud-application-credentials.json"
_GCS_FOLDER = "/var/secrets/"
_CA_FOLDER = "/etc/ssl/custom-certs"


class Annotated(Protocol):
    """What fetches: an InferenceService or a ModelImage, whose annotations count first."""

    @property
    def annotations(self) -> Mapping[str, str]:
        """The object's own annotations."""


@dataclass
class Credentials:
    """What the initializer's container gets: environment, volumes and their mounts."""

    env: list[dict[str, Any]] = field(default_factory=list)
    env_from: list[dict[str, Any]] = field(default_factory=list)
    volumes: list[dict[str, Any]] = field(default_factory=list)
    mounts: list[dict[str, Any]] = field(default_factory=list)


def secret_names(subject: Annotated, inputs: Inputs) -> list[str]:
    """Return the Secrets that may hold credentials: the annotated one, else those of the ServiceAccount.

    Tokens and registry logins that Kubernetes and OpenShift put into a ServiceAccount are left out.
    """
    if named := subject.annotations.get(labels.STORAGE_SECRET_NAME):
        return [named]
    account = inputs.service_account or {}
    token = f"{(account.get('metadata') or {}).get('name', '')}-token-"
    names = [str(entry.get("name", "")) for entry in account.get("secrets") or []]
    return [name for name in names if name and not name.startswith(token) and "-dockercfg-" not in name]


def credentials(scheme: str, subject: Annotated, settings: Settings, inputs: Inputs) -> Credentials:
    """Return the credentials that fetching from `scheme` may need, and none that it does not."""
    secrets = secret_names(subject, inputs)
    required = labels.STORAGE_SECRET_NAME in subject.annotations
    if scheme == "s3":
        return _s3(secrets, required, subject, settings, inputs)
    if scheme == "gs":
        return _gcs(secrets)
    keys = {"hf": ("HF_TOKEN",), "https": _HTTP_SECRET_KEYS, "http": _HTTP_SECRET_KEYS}.get(scheme, ())
    return _from_keys(secrets, {key: key for key in keys})


def _s3(secrets: list[str], required: bool, subject: Annotated, settings: Settings, inputs: Inputs) -> Credentials:
    literal = _s3_settings(subject, inputs)
    keys = {name: name for name in _S3_SECRET_KEYS if name not in literal}
    anonymous = literal.get("awsAnonymousCredential", "").lower() in ("1", "true")
    identity = {} if anonymous else {
        "AWS_ACCESS_KEY_ID": settings.s3_access_key_id_name,
        "AWS_SECRET_ACCESS_KEY": settings.s3_secret_access_key_name,
    }  # fmt: skip
    result = _from_keys(secrets, identity | keys, required=frozenset(identity) if required else frozenset())
    result.env += [{"name": name, "value": value} for name, value in literal.items()]
    config_map = _annotation("cabundle-configmap", subject, inputs)
    if config_map:
        result.volumes.append({"name": "s3-ca-bundle", "configMap": {"name": config_map}})
        result.mounts.append({"name": "s3-ca-bundle", "mountPath": _CA_FOLDER, "readOnly": True})
    return result


def _s3_settings(subject: Annotated, inputs: Inputs) -> dict[str, str]:
    """Return the S3 settings that annotations give, by the names of their environment variables."""
    found = {name: _annotation(key, subject, inputs) for key, name in _S3_ENV.items()}
    result = {name: value for name, value in found.items() if value}
    if endpoint := _annotation("endpoint", subject, inputs):
        host = endpoint.partition("://")[2] or endpoint
        secure = result.get("S3_USE_HTTPS", "").lower() not in ("0", "false") and not endpoint.startswith("http://")
        result["S3_ENDPOINT"] = host
        result["AWS_ENDPOINT_URL"] = f"{'https' if secure else 'http'}://{host}"
    if _annotation("cabundle-configmap", subject, inputs):
        result.setdefault("AWS_CA_BUNDLE", f"{_CA_FOLDER}/cabundle.crt")
    return result


def _annotation(key: str, subject: Annotated, inputs: Inputs) -> str:
    """Return an S3 annotation: the InferenceService's own, else the Secret's, else the ServiceAccount's."""
    account: Mapping[str, Any] = (inputs.service_account or {}).get("metadata") or {}
    sources = (subject.annotations, inputs.secret_annotations or {}, account.get("annotations") or {})
    return next((source[_PREFIX + key] for source in sources if source.get(_PREFIX + key)), "")


def _from_keys(secrets: list[str], keys: Mapping[str, str], required: frozenset[str] = frozenset()) -> Credentials:
    """Return references to the keys of one Secret, or to whole Secrets where there are several.

    Kubernetes has no "the first Secret that has this key", and a pod may not list a variable twice under
    server-side apply. `envFrom` is the one form in which a later Secret fills in what an earlier one lacks.
    """
    if len(secrets) > 1 and keys:
        return Credentials(env_from=[{"secretRef": {"name": name, "optional": True}} for name in secrets])
    return Credentials(
        env=[
            {
                "name": name,
                "valueFrom": {"secretKeyRef": _reference(secret, key, optional=name not in required)},
            }
            for secret in secrets
            for name, key in keys.items()
        ]
    )


def _reference(secret: str, key: str, *, optional: bool) -> dict[str, Any]:
    reference: dict[str, Any] = {"name": secret, "key": key}
    return {**reference, "optional": True} if optional else reference


def _gcs(secrets: list[str]) -> Credentials:
    if not secrets:
        return Credentials()
    volume = {
        "name": "user-gcp-sa",
        "secret": {
            "secretName": secrets[0],
            "items": [{"key": _GCS_FILE, "path": _GCS_FILE}],
            "optional": True,
        },
    }
    return Credentials(
        env=[{"name": "GOOGLE_APPLICATION_CREDENTIALS", "value": _GCS_FOLDER + _GCS_FILE}],
        volumes=[volume],
        mounts=[{"name": "user-gcp-sa", "mountPath": _GCS_FOLDER, "readOnly": True}],
    )
