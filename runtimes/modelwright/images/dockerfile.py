"""A folder's Dockerfile: arbitrary UIDs, the environment built on the fly, the folder's settings as defaults.

Nothing in it needs BuildKit: classic Docker, Kaniko and Buildah build the same. No heredoc, no `RUN --mount`, no
`COPY --chmod`, one name an ARG, exec form. A file's mode is mended in a stage of its own instead.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from modelwright.images import content, dependencies
from modelwright.images.dependencies import Dependencies
from modelwright.images.errors import ImageError
from modelwright.images.order import CERTIFICATES

FIRST_LINE: Final = "# Written by `modelwright dockerfile`, which writes it anew as long as this line is here."
CARRIED: Final = ".modelwright"
"""The folder beside the Dockerfile with what it copies and no author wrote."""
_EXTRAS: Final = "[server,tracing]"
INDEX_ARGUMENTS: Final = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_HTTP_TIMEOUT", "PIP_INDEX_URL")
"""What a build may be told of package indexes, without being in the image."""
# Every builder has these without an ARG line.
_PROXY_ARGUMENTS: Final = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
_HOME: Final = "/opt/modelwright"


@dataclass(frozen=True)
class Plan:
    """A Dockerfile's text, its .dockerignore's, files for `.modelwright`, and arguments that a build may give."""

    folder: Path
    text: str
    ignored: tuple[str, ...]
    carried: Mapping[str, Path]
    arguments: tuple[str, ...]

    @property
    def dockerignore(self) -> str:
        """What is in the folder and no part of the image."""
        patterns = (_as_dockerignore(each) for each in self.ignored if each != f"/{CARRIED}")
        return "".join(f"{line}\n" for line in (FIRST_LINE, *patterns))

    def stage(self, target: Path) -> None:
        """Lay out a whole context for a build in `target`."""
        content.copy(self.folder, target, ignored=self.ignored)
        (target / "Dockerfile").write_text(self.text, encoding="utf-8")
        (target / ".dockerignore").write_text("Dockerfile\n.dockerignore\n", encoding="utf-8")
        self.carry(target)

    def write(self, dockerfile: Path, *, force: bool) -> list[Path]:
        """Write the Dockerfile, and beside the folder's files what a build of it needs; give what was written.

        Raises:
            ImageError: a file is there that this did not write, and `force` is not given.

        """
        wanted = {dockerfile: self.text, self.folder / ".dockerignore": self.dockerignore}
        for path in wanted:
            if path.is_file() and not force and not path.read_text(encoding="utf-8").startswith(FIRST_LINE):
                raise ImageError(f"{path} is somebody's own: name another with -o, or --force to write over it")
        for path, text in wanted.items():
            path.write_text(text, encoding="utf-8")
        return [*wanted, *self.carry(self.folder)]

    def carry(self, target: Path) -> list[Path]:
        """Copy what the Dockerfile needs and no author wrote."""
        for name, origin in self.carried.items():
            (target / CARRIED).mkdir(exist_ok=True)
            shutil.copyfile(origin, target / CARRIED / name)
        return [target / CARRIED / name for name in self.carried]


def plan(
    folder: Path,
    *,
    base: str = "",
    build_base: str = "",
    wheel: Path | None = None,
    certificates: Path | None = None,
    with_weights: bool = False,
    arguments: Sequence[str] = INDEX_ARGUMENTS,
) -> Plan:
    """Plan the Dockerfile of a folder.

    `base` is an image with a Python; `build_base` is one with the same Python, and uv or pip. `certificates` is a CA
    bundle to install by, which stays out of the image, and so do `arguments`.

    Raises ImageError where the folder cannot be built.
    """
    content.check(folder)
    found = dependencies.read(folder)
    carried = {"ca-certificates.crt": certificates} if certificates else {}
    if wheel is not None:
        if not (wheel.is_file() and wheel.name.startswith("modelwright-") and wheel.suffix == ".whl"):
            raise ImageError(f"--wheel {wheel} is no wheel of modelwright's: `uv build --wheel` makes one")
        carried[wheel.name] = wheel
    weights = [] if with_weights else content.weights(folder)
    own = ("/Dockerfile", "/.dockerignore")
    ignored = (*content.LEFT_OUT, *own, *content.excludes(folder), *weights)
    for _ in content.files(folder, ignored=ignored):
        pass  # A link that leads out of the folder is found before anything is written.
    version_of_python = found.python or f"{sys.version_info.major}.{sys.version_info.minor}"
    image = base or f"python:{version_of_python}-slim"
    given = tuple(name for name in arguments if name not in _PROXY_ARGUMENTS)
    lines = [
        FIRST_LINE,
        f"ARG BASE={image}",
        f"ARG BUILD_BASE={build_base or image}",
        "",
        *_environment(found, _server(wheel), certificates is not None, given),
        "",
        *_code(),
        "",
        *_final(),
    ]
    return Plan(folder, "".join(f"{line}\n" for line in lines), ignored, carried, (*given, *_PROXY_ARGUMENTS))


def _server(wheel: Path | None) -> str:
    if wheel is not None:
        return f"'modelwright{_EXTRAS} @ file:///build/{CARRIED}/{wheel.name}'"
    try:
        return f"'modelwright{_EXTRAS}=={version('modelwright')}'"
    except PackageNotFoundError:
        raise ImageError("this Modelwright is not installed, so it has no version to install: give --wheel") from None


def _environment(found: Dependencies, server: str, certificates: bool, arguments: Sequence[str]) -> Iterator[str]:
    yield f"# The packages of {found.source}, and the server. It is built anew only when one of these files changes."
    yield "FROM ${BUILD_BASE} AS environment"
    yield "USER 0"
    yield from (f"ARG {name}" for name in arguments)
    if certificates:
        yield f"COPY {CARRIED}/ca-certificates.crt {CERTIFICATES}"
        yield f"ENV SSL_CERT_FILE={CERTIFICATES} PIP_CERT={CERTIFICATES}"
    yield f"ENV VIRTUAL_ENV={_HOME} UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1"
    yield "RUN command -v uv >/dev/null || python3 -m pip install --no-cache-dir uv"
    yield f"RUN uv venv --no-project --python {found.python or 'python3'} {_HOME}"
    yield "WORKDIR /build"
    if server.startswith("'modelwright[") and "file:" in server:
        yield f"COPY {CARRIED} ./{CARRIED}"
    if "." in found.copied:
        yield "COPY . ./"
    else:
        for name in found.copied:
            yield f"COPY {name} ./{name}"
    yield "RUN " + " \\\n && ".join(each.format(server=server) for each in found.commands)
    if found.project:
        yield "COPY . ./"
        yield "RUN uv pip install --no-deps ."


def _code() -> Iterator[str]:
    yield "# The folder, readable by every user, whatever its files' modes are."
    yield "FROM ${BASE} AS code"
    yield "USER 0"
    yield "COPY . /app"
    yield f"RUN rm -rf /app/{CARRIED} && chmod -R a+rX /app"


def _final() -> Iterator[str]:
    yield "# What runs: as any user, nothing writable but /tmp. settings.json and model-settings.json are defaults."
    yield "FROM ${BASE}"
    yield f"COPY --from=environment {_HOME} {_HOME}"
    yield "COPY --from=code /app /app"
    yield f"ENV PATH={_HOME}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \\"
    yield f"    VIRTUAL_ENV={_HOME} MODELWRIGHT_DEFAULT_SETTINGS=/app \\"
    yield "    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \\"
    yield "    HOME=/tmp USER=modelwright LOGNAME=modelwright XDG_CACHE_HOME=/tmp/.cache XDG_CONFIG_HOME=/tmp/.config"
    yield "WORKDIR /app"
    yield "USER 1000:0"
    yield "EXPOSE 8080"
    yield 'ENTRYPOINT ["modelwright", "serve", "/app"]'


def _as_dockerignore(pattern: str) -> str:
    """Write one of project.toml's patterns, which are .gitignore's, as .dockerignore has it."""
    bare = pattern.strip("/")
    return bare if pattern.startswith("/") or "/" in bare else f"**/{bare}"
