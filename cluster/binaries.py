"""Builds missing tools, once, into the cache: `ensure("kubectl", "helm")` gives the folder with them."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster.golang import find_go
from cluster.paths import cache_folder, modules_folder
from cluster.progress import Estimate, duration, heading, say
from cluster.tools import TOOLS, Tool, go_version, key, linker_flags, select, version

_LINE_EVERY = 30.0  # seconds between two lines of one build where the output is no terminal


class BuildError(RuntimeError):
    """A tool did not compile; the message names the log."""


def folder() -> Path:
    """Folder of the tools: one for each set of versions, so that two checkouts do not mix theirs."""
    digest = hashlib.sha256("".join(key(tool) for tool in TOOLS).encode()).hexdigest()
    return cache_folder() / "bin" / digest[:16]


def ensure(*names: str) -> Path:
    """Build those of the named tools that are missing and return the folder that holds them.

    Raises UnknownToolError for a name that no module builds, GoMissingError where there is no Go, BuildError
    when a build fails. Safe to call from several processes at once: each tool has a lock.
    """
    tools = select(names)
    missing = [tool for tool in tools if not _binary(tool).exists()]
    if missing:
        go = find_go(go_version(missing))
        finished: list[float] = []
        estimate = Estimate([tool.seconds for tool in missing], pace=min(1.0, 2 / (os.cpu_count() or 2)))
        for position, tool in enumerate(missing, start=1):
            started = time.monotonic()
            with _locked(tool):
                if not _binary(tool).exists():
                    _build(tool, go, _Reporter(tool, position, estimate, finished))
            finished.append(time.monotonic() - started)
    return _linked(tools)


def _binary(tool: Tool) -> Path:
    return cache_folder() / "binaries" / f"{tool.name}-{version(tool)}-{key(tool)}"


def _linked(tools: list[Tool]) -> Path:
    """Make each tool answer to its plain name in the folder; hard links need no second copy of 100 MB."""
    target = folder()
    target.mkdir(parents=True, exist_ok=True)
    for tool in tools:
        link = target / tool.name
        if not link.exists():
            temporary = target / f".{tool.name}.{os.getpid()}"
            temporary.hardlink_to(_binary(tool))
            temporary.replace(link)
    return target


@contextmanager
def _locked(tool: Tool) -> Iterator[None]:
    """Hold the tool's lock: a second process waits for the build that runs instead of repeating it."""
    path = _binary(tool).with_name(f"{_binary(tool).name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"{tool.name}: another process builds it, waiting")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


class _Reporter:
    """Says how a build is getting on: one line rewritten on a terminal, one each half minute elsewhere."""

    def __init__(self, tool: Tool, position: int, estimate: Estimate, finished: list[float]) -> None:
        self._tool, self._position, self._estimate, self._finished = tool, position, estimate, finished
        self._started = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._last = float("-inf")

    def tick(self, log: Path) -> None:
        now = time.monotonic()
        if now - self._last < (1.0 if self._terminal else _LINE_EVERY):
            return
        self._last = now
        running = now - self._started
        # `go build -v` names each package as it is compiled, one a line; `go: downloading` is none of them.
        packages = sum(not line.startswith(b"go: ") for line in log.read_bytes().splitlines())
        left = self._estimate.remaining(self._finished, running)
        line = heading(self._position, len(self._estimate.expected), self._tool.name, running, packages, left)
        sys.stderr.write(f"\r\033[K{line}" if self._terminal else f"{line}\n")
        sys.stderr.flush()

    def done(self) -> None:
        took = duration(time.monotonic() - self._started)
        place = f"{self._position}/{len(self._estimate.expected)}"
        line = f"[{place}] {self._tool.name} {version(self._tool)} built in {took}"
        sys.stderr.write(f"\r\033[K{line}\n" if self._terminal else f"{line}\n")
        sys.stderr.flush()


def _build(tool: Tool, go: Path, report: _Reporter) -> None:
    target = _binary(tool)
    log = cache_folder() / "logs" / f"build-{tool.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    command = [str(go), "build", "-v", "-o", str(fresh), "-ldflags", linker_flags(tool), tool.package]
    with (
        log.open("w") as output,
        subprocess.Popen(
            command,
            cwd=modules_folder() / tool.module,
            env=environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            while process.poll() is None:
                report.tick(log)
                time.sleep(0.2)
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-12:])
        raise BuildError(f"{tool.name} {version(tool)} did not build; the whole log is {log}, its end:\n{tail}")
    fresh.replace(target)
    report.done()


def environment() -> dict[str, str]:
    """Environment of a build: the caller's proxies and caches, no setting that changes the binary."""
    fixed = {
        "CGO_ENABLED": "0",
        "GOFLAGS": "-trimpath -buildvcs=false -mod=readonly",
        # The toolchain is chosen by find_go; Go must not download another one.
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }
    return {**os.environ, **fixed}
