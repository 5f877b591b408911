"""Which certificate authorities are trusted, and whether certificates are checked."""

from collections.abc import Mapping
from pathlib import Path

from modelwright.weights.errors import WeightsError

_NO = frozenset({"0", "false", "no", "off"})
_YES = frozenset({"1", "true", "yes", "on"})


def flag(env: Mapping[str, str], name: str, default: bool) -> bool:
    """Return the boolean env variable `name`. Raises `ValueError` where it is neither."""
    text = env.get(name, "").strip().lower()
    if not text:
        return default
    if text in _YES | _NO:
        return text in _YES
    raise ValueError(f"{name} is {env[name]!r}, which is neither true nor false")


def ca_bundle(uri: str, env: Mapping[str, str], *names: str) -> Path | None:
    """Return the PEM file to trust beside the system's: the first of `names` set in `env`, or KServe's mount.

    KServe mounts its ConfigMap at `CA_BUNDLE_VOLUME_MOUNT_POINT` as `cabundle.crt`.
    Raises `WeightsError` when the file named is not there.
    """
    path = next((Path(env[name]) for name in names if env.get(name)), None)
    if path is None and env.get("CA_BUNDLE_CONFIGMAP_NAME") and env.get("CA_BUNDLE_VOLUME_MOUNT_POINT"):
        path = Path(env["CA_BUNDLE_VOLUME_MOUNT_POINT"]) / "cabundle.crt"
    if path is not None and not path.is_file():
        raise WeightsError(uri, f"the CA bundle {path} is not there", "Mount it there or correct AWS_CA_BUNDLE.")
    return path
