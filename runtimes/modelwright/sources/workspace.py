"""The build's workspace: filled at the end, whole, and with nothing of ours left in it."""

import json
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelwright.registry.client import Registry
from modelwright.sources import git, image
from modelwright.weights import fetch as weights
from modelwright.weights import manifest, verify
from modelwright.weights.errors import WeightsError
from modelwright.weights.publish import publish
from modelwright.weights.sources import open_source

STAGING = ".modelwright-source"
"""Inside the workspace, so that placing the files is a rename."""
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def architecture() -> str:
    """Return this node's architecture by its name in image indexes."""
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)


def read(text: str) -> dict[str, Any]:
    """Return `spec.source` out of its JSON. Raises `WeightsError`."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or len(found) != 1:
        raise WeightsError(text, "is not one source", "Give exactly one of git, registry and storageUri.")
    return found


def resolve(source: Mapping[str, Any], env: Mapping[str, str], registry: Registry, scratch: Path) -> str:
    """Return what the source is now, as something that does not move: a commit, an image by digest, a hash of ETags.

    Raises `WeightsError`.
    """
    match source:
        case {"git": {"url": str(url), **rest}}:
            remote = git.Remote(url, str(rest.get("secretName") or ""), env)
            return git.resolve(remote, str(rest.get("revision") or git.HEAD))
        case {"registry": {"image": str(reference)}}:
            return image.resolve(reference, registry)
        case {"storageUri": str(uri)}:
            return manifest.identity(uri, open_source(uri, env, scratch).items())[:40]
    raise WeightsError(json.dumps(source), "is not a source", "Give one of git, registry and storageUri.")


def fill(source: Mapping[str, Any], pinned: str, env: Mapping[str, str], registry: Registry, target: Path) -> int:
    """Bring the source's files into `target` and return how many there are. Raises `WeightsError`."""
    staging = target / STAGING
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    name, below = json.dumps(source), ""
    match source:
        case {"git": {"url": str(url), **rest}}:
            name, below = url, str(rest.get("subPath") or "")
            tree = git.fetch(git.Remote(url, str(rest.get("secretName") or ""), env), pinned, below, staging)
        case {"registry": {"image": str(reference)}}:
            name, tree = reference, image.fetch(pinned, registry, staging)
        case {"storageUri": str(uri)}:
            name, tree = uri, staging / "tree"
            weights(uri, tree, env)
            (tree / manifest.NAME).unlink(missing_ok=True)
        case _:
            raise WeightsError(name, "is not a source", "Give one of git, registry and storageUri.")
    files = _place(name, tree, below, target)
    shutil.rmtree(staging)
    return files


def _place(name: str, tree: Path, below: str, target: Path) -> int:
    try:
        root = verify.contained(tree, below) if below else tree
    except ValueError as reason:
        raise WeightsError(name, f"subPath {below!r} {reason}", "Name a folder of the repository.") from None
    if root.is_symlink() or not root.is_dir():
        raise WeightsError(name, f"has no folder {below!r}", "Correct spec.source.git.subPath.")
    found = [path for path in root.rglob("*") if path.is_symlink() or path.is_file()]
    for path in found:
        if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
            link = path.relative_to(root).as_posix()
            raise WeightsError(name, f"the link {link!r} leads out of it", "Put the file itself there.")
    if not found:
        raise WeightsError(name, "has no files", "Push a folder with a model in it.")
    publish(name, root, [path.relative_to(root).as_posix() for path in found], (), target, ())
    return len(found)
