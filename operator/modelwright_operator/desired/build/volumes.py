"""The volumes of a ModelImage's Jobs, and which step sees which.

Registry logins are for the steps that talk to a registry. Those that run buildpacks, and with them whatever a
dependency's setup.py does, see none of them, nor the folder in which the others keep temporary files.
"""

from typing import Any

from modelwright_operator.desired.build.claim import claim_name
from modelwright_operator.desired.build.target import Target
from modelwright_operator.desired.credentials import Credentials, credentials
from modelwright_operator.desired.inputs import Inputs

SECRETS = "/var/run/modelwright/pull-secrets"
LOGINS = "/var/run/modelwright/docker"
GIT_SSH = "/var/run/modelwright/git-ssh"
CERTIFICATES = "/etc/ssl/custom-certs"
CLAIM = "/mnt/source"
CACHE = "/cache"

_TMP = "/tmp"  # noqa: S108 - a volume of its own


def mount(name: str, path: str, *, read_only: bool = False) -> dict[str, Any]:
    """Return one volumeMount."""
    return {"name": name, "mountPath": path, **({"readOnly": True} if read_only else {})}


def storage_credentials(target: Target) -> Credentials:
    """Return what fetching from `storageUri` may need; nothing for other sources."""
    inputs = Inputs(service_account=target.service_account)
    return credentials(target.storage_scheme, target, target.settings, inputs)


def fetch_mounts(target: Target) -> list[dict[str, Any]]:
    """Return what both Jobs' first containers see besides where they write to."""
    mounts = [mount("tmp", _TMP), *certificates(target)]
    mounts += [mount(_secret(name), f"{SECRETS}/{name}", read_only=True) for name in target.pull_secrets]
    if target.ssh_secret:
        mounts.append(mount("git-ssh", GIT_SSH, read_only=True))
    if target.claim:
        mounts.append(mount("source", CLAIM, read_only=True))
    return mounts


def certificates(target: Target) -> list[dict[str, Any]]:
    """Return the mount of the author's certificates."""
    return [mount("certificates", CERTIFICATES, read_only=True)] if target.image.spec.build.ca_bundle else []


def step_mounts(target: Target, *, logins: bool) -> list[dict[str, Any]]:
    """Return what a phase of the lifecycle sees of this: one that talks to registries, or one that runs buildpacks."""
    if not logins:
        return [mount("layers", "/layers"), mount("buildpacks-tmp", _TMP), *certificates(target)]
    return [
        mount("layers", "/layers"),
        mount("tmp", _TMP),
        mount("logins", LOGINS, read_only=True),
        *certificates(target),
    ]


def cache_mounts(target: Target) -> list[dict[str, Any]]:
    """Return the mount of the cache's claim."""
    return [mount("cache", CACHE)] if target.image.spec.cache.volume else []


def fetch_volumes(target: Target) -> list[dict[str, Any]]:
    """Return the volumes of both Jobs."""
    volumes: list[dict[str, Any]] = [{"name": "tmp", "emptyDir": {}}, *storage_credentials(target).volumes]
    volumes += [
        # One that does not exist holds no login; the registry's own refusal is then what is told.
        {"name": _secret(name), "secret": {"secretName": name, "optional": True}}
        for name in target.pull_secrets
    ]
    if name := target.image.spec.build.ca_bundle:
        volumes.append({"name": "certificates", "configMap": {"name": name, "optional": True}})
    if name := target.ssh_secret:
        volumes.append({"name": "git-ssh", "secret": _ssh_key(name)})
    if claim := target.claim:
        volumes.append({"name": "source", "persistentVolumeClaim": {"claimName": claim.name, "readOnly": True}})
    return volumes


def build_volumes(target: Target) -> list[dict[str, Any]]:
    """Return the volumes of the building Job."""
    volumes = fetch_volumes(target)
    volumes += [{"name": name, "emptyDir": {}} for name in ("workspace", "layers", "platform", "buildpacks-tmp")]
    volumes.append({"name": "logins", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}})
    if target.image.spec.cache.volume:
        volumes.append({"name": "cache", "persistentVolumeClaim": {"claimName": claim_name(target)}})
    return volumes


def _ssh_key(name: str) -> dict[str, Any]:
    # Readable by whoever fetches: the Job that looks runs as the image's user, or any other, and has no fsGroup, with
    # which files would get a group. No other container mounts it. What it lacks, the fetching container says.
    items = [{"key": key, "path": key} for key in ("ssh-privatekey", "known_hosts")]
    return {"secretName": name, "optional": True, "defaultMode": 0o444, "items": items}


def _secret(name: str) -> str:
    # A Secret's name may hold dots and be longer than a volume's.
    return f"secret-{name.replace('.', '-')}"[:63].rstrip("-")
