"""`python -m cluster`: bring the test Kubernetes up and down, and say where things are."""

from __future__ import annotations

import argparse
import fcntl
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from cluster import docker
from cluster.binaries import BuildError, ensure
from cluster.golang import GoMissingError
from cluster.info import ClusterError, NotRunningError
from cluster.native import s3
from cluster.paths import state_folder
from cluster.progress import say
from cluster.provider import current, detect, host_processes
from cluster.tools import UnknownToolError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit status. Results go to stdout, all else to stderr."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], None] = options.command
    try:
        command(options)
    except (ClusterError, BuildError, GoMissingError, UnknownToolError) as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cluster", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="COMMAND")
    up = verbs.add_parser("up", help="bring the cluster up, or adopt the one that is; print where things are")
    up.add_argument("--control-plane", action="store_true", help="API server and controllers only, no node")
    up.set_defaults(command=_up)
    for name, function, text in (
        ("down", _down, "remove every trace of the cluster; caches stay"),
        ("kubeconfig", _kubeconfig, "print the kubeconfig's path"),
        ("info", _info, "print where things are, as JSON"),
        ("registry", _registry, "start the registry alone and print its address"),
        (
            "docker-host",
            _docker_host,
            "print the DOCKER_HOST to build images with; starts a daemon if none answers",
        ),
    ):
        verbs.add_parser(name, help=text).set_defaults(command=function)
    binaries = verbs.add_parser("binaries", help="build the named tools and print the folder that holds them")
    binaries.add_argument("names", nargs="+", metavar="TOOL")
    binaries.set_defaults(command=_binaries)
    storage = verbs.add_parser("s3", help="start or stop an S3 server that pods reach")
    storage.add_argument("action", choices=("up", "down"))
    storage.set_defaults(command=_s3)
    return parser


def _up(options: argparse.Namespace) -> None:
    with _alone():
        # A control plane without a node needs no trial of what containers can do here.
        provider = host_processes() if options.control_plane else detect()
        _print_json(provider.up(control_plane=options.control_plane).to_json())


def _down(_: argparse.Namespace) -> None:
    with _alone():
        s3.down()
        docker.stop()
        try:
            provider = current()
        except NotRunningError:
            provider = host_processes()
        provider.down()
        if state_folder().exists():
            shutil.rmtree(state_folder())


def _kubeconfig(_: argparse.Namespace) -> None:
    print(current().info().kubeconfig)


def _info(_: argparse.Namespace) -> None:
    _print_json(current().info().to_json())


def _registry(_: argparse.Namespace) -> None:
    with _alone():
        print(detect().registry())


def _docker_host(_: argparse.Namespace) -> None:
    with _alone("docker"):
        print(docker.docker_host())


def _binaries(options: argparse.Namespace) -> None:
    print(ensure(*options.names))


def _s3(options: argparse.Namespace) -> None:
    with _alone("s3"):
        if options.action == "down":
            s3.down()
        else:
            _print_json(s3.up(current().host_address()).to_json())


def _print_json(document: dict[str, object]) -> None:
    print(json.dumps(document, indent=2))


@contextmanager
def _alone(purpose: str = "cluster") -> Iterator[None]:
    """Wait until no other command changes the same thing, and leave no lock file behind."""
    path = Path(f"{state_folder()}.{purpose}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    file = _locked(path)
    while not _same(file, path):
        # The one before deleted the file that this one waited for.
        file.close()
        file = _locked(path)
    with file:
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _locked(path: Path) -> IO[str]:
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say(f"waiting for another `python -m cluster` ({path})")
        fcntl.flock(file, fcntl.LOCK_EX)
    return file


def _same(file: IO[str], path: Path) -> bool:
    try:
        return path.samefile(f"/proc/self/fd/{file.fileno()}")
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    sys.exit(main())
