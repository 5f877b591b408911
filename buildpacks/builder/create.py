"""The builder image: base images, lifecycle, buildpack and model server, made anew when one of them has changed."""

import hashlib
import io
import shutil
import tarfile
import tempfile
import tomllib
from pathlib import Path

from modelwright.images import content

from cluster import binaries

from .. import registry
from ..command import stream
from ..engine import environment, repository
from . import server, wheels
from .base import HERE, Bases, ensure
from .say import step

BUILDPACK = HERE.parent / "python"
LIFECYCLE_LINKS = ("analyzer", "builder", "creator", "detector", "exporter", "extender", "rebaser", "restorer")
IGNORED = ("__pycache__",)


def builder() -> str:
    """Return the builder's reference, by a tag that changes with its content. Makes it where it is missing.

    Raises ImageError when a tool fails or the registry is down.
    """
    bases = ensure()
    tools = binaries.ensure("pack", "lifecycle", "launcher")
    reference = f"{repository('builder')}:{_key(bases, tools)}"
    if registry.digest(reference) is None:
        with step(f"builder {reference}"), tempfile.TemporaryDirectory(prefix="modelwright-builder-") as folder:
            config = _stage(Path(folder), bases, tools)
            _create(tools / "pack", reference, config)
    named = f"{repository('builder')}:dev"
    if registry.digest(named) != registry.digest(reference):
        registry.tag(reference, named)
    return reference


def _key(bases: Bases, tools: Path) -> str:
    digest = hashlib.sha256(f"{bases.key} {registry.digest(bases.run)} {registry.digest(bases.build)}".encode())
    digest.update(f"{content.digest(BUILDPACK, ignored=IGNORED)} {server.key()}".encode())
    for file in (
        Path(__file__),
        HERE / "builder.toml",
        HERE / "lifecycle.toml",
        tools / "lifecycle",
        tools / "launcher",
    ):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _create(pack: Path, reference: str, config: Path) -> None:
    log = config.with_suffix(".log")
    command = [
        str(pack),
        "builder",
        "create",
        reference,
        "--config",
        str(config),
        "--publish",
        "--pull-policy",
        "always",
    ]
    stream(command, environment=environment(), log=log)


def _stage(folder: Path, bases: Bases, tools: Path) -> Path:
    """Lay the definition out as in the repository, with the lifecycle beside it and our registry's name in it."""
    (folder / "builder").mkdir()
    shutil.copytree(BUILDPACK, folder / "python", ignore=shutil.ignore_patterns(*IGNORED))
    (folder / "scratch").mkdir()
    server.stage(folder / "python" / "server", folder / "scratch")
    described = tomllib.loads((folder / "python" / "buildpack.toml").read_text(encoding="utf-8"))["buildpack"]
    wheels.bytecode(folder / "python", f"/cnb/buildpacks/{described['id'].replace('/', '_')}/{described['version']}")
    _lifecycle(folder / "builder" / "lifecycle.tgz", tools)
    config = folder / "builder" / "builder.toml"
    config.write_text(definition(bases), encoding="utf-8")
    return config


def definition(bases: Bases) -> str:
    """Give builder.toml with our bases in it, by digest: a tag may be moved between two builds with one builder."""
    text = (HERE / "builder.toml").read_text(encoding="utf-8")
    for image in (bases.build, bases.run):
        name = image.rpartition("/")[2].partition(":")[0]
        pinned = f"{repository(name)}@{registry.digest(image)}"
        text = text.replace(f"localhost:5000/modelwright/{name}:bookworm", pinned)
    return text


def _lifecycle(archive: Path, tools: Path) -> None:
    """Pack the lifecycle as its releases are packed: two binaries, and its phases as links to the first."""
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        _add(tar, "lifecycle.toml", (HERE / "lifecycle.toml").read_bytes(), 0o644)
        for name in ("lifecycle", "launcher"):
            _add(tar, f"lifecycle/{name}", (tools / name).read_bytes(), 0o755)
        for name in LIFECYCLE_LINKS:
            link = tarfile.TarInfo(f"lifecycle/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "lifecycle"
            tar.addfile(link)


def _add(tar: tarfile.TarFile, name: str, data: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    tar.addfile(entry, io.BytesIO(data))
