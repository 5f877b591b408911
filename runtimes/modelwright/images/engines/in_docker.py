"""The lifecycle in one container of Docker's, whose daemon may be another machine's: files are sent and not mounted."""

from __future__ import annotations

import tarfile
import threading
from collections.abc import Callable
from pathlib import Path

from modelwright.images import tools
from modelwright.images.engines import creator
from modelwright.images.order import CERTIFICATES, Lines, Order, host_certificates


def run(order: Order, scratch: Path, each: Lines) -> None:
    """Run the creator on what is staged in `scratch`. Raises ImageError."""
    container = _create(order)
    try:
        listed = ["docker", "inspect", "--format", "{{range .Config.Env}}{{println .}}{{end}}", container]
        user, group = creator.user(tools.asked(listed))
        sent = scratch / "sent.tar"
        _pack(scratch, sent, int(user), int(group))
        tools.run(["docker", "cp", "-", f"{container}:/"], given=sent)
        tools.run(["docker", "start", "--attach", container], each)
    except BaseException:
        _remove(container)
        raise
    # Beside what is still asked of the registry; the process ends after it.
    threading.Thread(target=_remove, args=(container,)).start()


def _remove(container: str) -> None:
    tools.asked(["docker", "rm", "--force", container])


def _create(order: Order) -> str:
    volume = f"modelwright-{creator.cache(order.tag)}"
    if order.fresh:
        tools.asked(["docker", "volume", "rm", "--force", volume])
    # The registry and the package index are reached as this machine reaches them.
    command = ["docker", "create", "--pull", "always", "--network", "host", "--user", "0:0"]
    command += [word for name, value in creator.ENVIRONMENT.items() for word in ("--env", f"{name}={value}")]
    command += ["--volume", f"{volume}:{creator.CACHE}", "--entrypoint", "", order.builder, *creator.words(order)]
    made: list[str] = []
    try:
        tools.run(command, made.append)
    except tools.ToolFailed as error:
        raise creator.no_builder(order.builder, error.lines[-1] if error.lines else "") from None
    return made[-1]


def _pack(scratch: Path, archive: Path, user: int, group: int) -> None:
    """Write what the container gets, each file with its owner there; what is in no layer of the image stays there."""
    with tarfile.open(archive, "w") as tar:
        tar.add(scratch / "app", creator.APP, filter=_owned(user, group))
        tar.add(scratch / "platform", creator.PLATFORM, filter=_owned(user, group))
        tar.add(scratch / "logins", creator.LOGINS, filter=_owned(0, 0))
        if bundle := host_certificates():
            tar.add(bundle, CERTIFICATES, filter=_owned(0, 0))


def _owned(user: int, group: int) -> Callable[[tarfile.TarInfo], tarfile.TarInfo]:
    def change(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid, entry.gid, entry.uname, entry.gname = user, group, "", ""
        return entry

    return change
