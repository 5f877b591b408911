"""A registry's login, from where `docker login` and `podman login` keep it. No value of it is ever printed.

Sources: docs.docker.com/reference/cli/docker/login (auths, credHelpers, credsStore) and containers-auth.json(5).
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from modelwright.images.errors import ImageError
from modelwright.registry.login import Login, of

_HELPER_SECONDS: Final = 30.0


def login(host: str) -> Login | None:
    """Find the login of a registry; None where nobody logged in to it.

    Raises:
        ImageError: a file of logins is not JSON, or the helper that it names cannot be run.

    """
    for path in _files():
        config = _read(path)
        helper = (config.get("credHelpers") or {}).get(host) or config.get("credsStore")
        try:
            found = of(config, host)
        except ValueError as why:
            raise ImageError(f"{path}: {why}: log in to {host} again") from None
        if found:
            return found
        if helper and (helped := _helped(str(helper), host)):
            return helped
    return None


def write(hosts: Iterable[str], path: Path) -> bool:
    """Write the logins of these registries as docker's config.json has them, readable by this user alone.

    It is for tools that look elsewhere for logins, or run in a container that has no helper of this machine's. False
    where there is none.
    """
    logins = {host: found for host in sorted(set(hosts)) if host and (found := login(host))}
    auths = {host: {"auth": each.basic.removeprefix("Basic ")} for host, each in logins.items()}
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump({"auths": auths}, file)
    return bool(auths)


@contextmanager
def authfile(*hosts: str) -> Iterator[list[str]]:
    """Give the option by which buildah and podman find these registries' logins; nothing where there are none."""
    with tempfile.TemporaryDirectory(prefix="modelwright-logins-") as folder:
        path = Path(folder, "auth.json")
        yield ["--authfile", str(path)] if write(hosts, path) else []


def _files() -> Iterator[Path]:
    docker = os.environ.get("DOCKER_CONFIG")
    yield (Path(docker) if docker else Path.home() / ".docker") / "config.json"
    if named := os.environ.get("REGISTRY_AUTH_FILE"):
        yield Path(named)
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    yield Path(runtime, "containers", "auth.json") if runtime else Path(f"/run/containers/{os.getuid()}/auth.json")


def _read(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ImageError(f"{path}, where registries' logins are, cannot be read ({error}): mend or delete it") from None
    return content if isinstance(content, dict) else {}


def _helped(helper: str, host: str) -> Login | None:
    program = f"docker-credential-{helper}"
    try:
        done = subprocess.run(
            [program, "get"], input=host, text=True, capture_output=True, check=False, timeout=_HELPER_SECONDS
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        raise ImageError(
            f"{program}, which docker's config.json names for {host}, is not there or does not answer: install it, "
            f"or log in to {host} again without it"
        ) from None
    if done.returncode != 0:
        # That it knows no login of this host is one of its answers.
        return None
    try:
        given = json.loads(done.stdout)
        return Login(given["Username"], given["Secret"])
    except (ValueError, KeyError, TypeError):
        raise ImageError(f"{program} did not answer with a login of {host}: log in to it again") from None
