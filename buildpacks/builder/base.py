"""The base images: made once, kept in the cache as one archive, pushed again to whatever registry lacks them."""

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from modelwright.images.errors import ImageError
from modelwright.images.tools import asked

from cluster import packages
from cluster.paths import cache_folder

from .. import registry
from ..command import stream
from ..engine import environment, repository
from .say import step

HERE = Path(__file__).parent
RELEASE = "bookworm"
MIRROR = os.environ.get("MODELWRIGHT_DEBIAN_MIRROR", "")
HUB_IMAGE = f"debian:{RELEASE}-slim"
HUB_TIMEOUT = 60.0
"""Seconds to wait for Docker Hub and its 30 MB: a firewall that blocks it may drop packets instead of refusing."""
UV = "uv==0.13.8"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


@dataclass(frozen=True)
class Bases:
    """The two images, by tags that change with what they are made from."""

    run: str
    build: str
    key: str


def key() -> str:
    """Everything the base images are made from, short enough for a tag."""
    digest = hashlib.sha256(f"{RELEASE} {UV} {platform.machine()}".encode())
    for name in ("run.Dockerfile", "build.Dockerfile", "debootstrap.sh"):
        digest.update((HERE / name).read_bytes())
    return digest.hexdigest()[:16]


def ensure() -> Bases:
    """Return the base images, making or pushing whatever is missing. Raises ImageError."""
    short = key()
    bases = Bases(f"{repository('run')}:{short}", f"{repository('build')}:{short}", short)
    if any(registry.digest(image) is None for image in (bases.run, bases.build)):
        _load_or_make(bases)
        for image in (bases.run, bases.build):
            with step(f"pushing {image}"):
                stream(["docker", "push", "--quiet", image], environment=environment(), log=_log("push"))
    for image in (bases.run, bases.build):
        named = f"{image.rpartition(':')[0]}:{RELEASE}"
        if registry.digest(named) != registry.digest(image):
            registry.tag(image, named)
    return bases


def _log(name: str) -> Path:
    path = cache_folder() / "logs" / f"builder-{name}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _load_or_make(bases: Bases) -> None:
    archive = cache_folder() / "images" / f"base-{bases.key}.tar"
    neutral = [f"modelwright/{name}:{bases.key}" for name in ("run", "build")]
    if archive.is_file():
        with step(f"base images out of the cache ({archive.name})"):
            stream(["docker", "load", "--quiet", "--input", str(archive)], environment=environment(), log=_log("load"))
    else:
        _make(*neutral)
        archive.parent.mkdir(parents=True, exist_ok=True)
        fresh = archive.with_suffix(f".{os.getpid()}")
        stream(["docker", "save", "--output", str(fresh), *neutral], environment=environment(), log=_log("save"))
        fresh.replace(archive)
    for local, pushed in zip(neutral, (bases.run, bases.build), strict=True):
        stream(["docker", "tag", local, pushed], environment=environment(), log=_log("tag"))


def _make(run: str, build: str) -> None:
    debian = _debian()
    with _context("run.Dockerfile") as context, step("run image: Debian, its Python, a user"):
        proxies = [word for name in PROXIES if name in os.environ for word in ("--build-arg", name)]
        _docker_build(context, run, "--network", "host", "--build-arg", f"BASE={debian}", *proxies)
    with _context("build.Dockerfile") as context, step(f"build image: the run image and {UV}"):
        shutil.copy2(_uv(context), context / "uv")
        _docker_build(context, build, "--build-arg", f"RUN_IMAGE={run}")


@contextmanager
def _context(dockerfile: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="modelwright-base-") as folder:
        shutil.copy2(HERE / dockerfile, Path(folder) / "Dockerfile")
        yield Path(folder)


def _docker_build(context: Path, image: str, *options: str) -> None:
    command = ["docker", "build", "--force-rm", *options, "--tag", image, str(context)]
    stream(command, environment=environment(), log=_log(image.partition("/")[2].partition(":")[0]))


def _debian() -> str:
    """Docker Hub's Debian where the Hub answers, and the same release by debootstrap where it does not."""
    pull = ["docker", "pull", "--quiet", HUB_IMAGE]
    with step(f"{HUB_IMAGE} from Docker Hub") as note:
        try:
            merged = {**os.environ, **environment()}
            subprocess.run(pull, env=merged, timeout=HUB_TIMEOUT, capture_output=True, check=True)
            return HUB_IMAGE
        except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
            note("no answer")
    if os.geteuid() != 0:
        raise ImageError("Docker Hub does not answer, and debootstrap needs root: sudo make builder")
    packages.require("debootstrap", "debian-archive-keyring")
    local = f"modelwright/debian:{RELEASE}-slim"
    with step(f"Debian {RELEASE} by debootstrap"):
        _import(local)
    return local


def _import(image: str) -> None:
    with tempfile.NamedTemporaryFile(suffix=".tar") as archive, _log("debootstrap").open("w") as log:
        made = subprocess.run([HERE / "debootstrap.sh", RELEASE, MIRROR], stdout=archive, stderr=log, check=False)
        if made.returncode != 0:
            raise ImageError(f"debootstrap failed: {_last_line(Path(log.name))} (its log is {log.name})")
        stream(
            ["docker", "import", "--change", f"ENV PATH={PATH}", archive.name, image],
            environment=environment(),
            log=_log("import"),
        )


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[-1] if lines else "is a Debian mirror reachable? MODELWRIGHT_DEBIAN_MIRROR names another"


def _uv(folder: Path) -> Path:
    """Fetch uv's own wheel: the one place where it is published for every platform and version."""
    target = folder / "wheel"
    installer = ["uv", "pip", "install"] if asked(["uv", "--version"]) else ["python3", "-m", "pip", "install"]
    stream([*installer, "--quiet", "--no-deps", "--target", str(target), UV], log=_log("uv"))
    return target / "bin" / "uv"
