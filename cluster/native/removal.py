"""Removal of every trace that a cluster left on this machine."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cluster.native import bridge, cgroups, firewall
from cluster.native.processes import Supervisor, descendants, marked, stop_process, wait_gone
from cluster.native.waiting import Report

# Folders outside the state folder that programs of ours cannot be talked out of.
_CNI_RESULTS = Path("/var/lib/cni/results")
_CONTAINER_LOGS = Path("/var/log/containers")
_DEVICE_PLUGINS = Path("/var/lib/kubelet/device-plugins")
_KUBELET_FILES = ("kubelet.sock", "kubelet_internal_checkpoint", "DEPRECATION")


def remove(state: Path, report: Report) -> None:
    """Stop the processes of the state folder, undo what they changed, and delete the folder."""
    supervisor = Supervisor(state)
    # What a node changes belongs to the whole machine: only the cluster that has it may undo it.
    has_node = bridge.owner() == state
    sockets = _shim_sockets(state)
    if has_node:
        # No new pods while the old ones are taken away; the API server is not needed for that.
        for name in ("kubelet", "kube-proxy"):
            supervisor.stop(name)
        _end_pods()
    for name in supervisor.names():
        supervisor.stop(name, grace=5.0)
    stop_unnamed(state)
    for socket in sockets:
        socket.unlink(missing_ok=True)
    if has_node:
        _undo_node(state)
    delete(state)
    if not any(state.parent.iterdir()):
        state.parent.rmdir()
    report(f"removed {state}")


def stop_unnamed(folder: Path) -> None:
    """Stop what was started from the folder and has no pid file there.

    Shims outlive their daemon on purpose, with the containers below them, and an interrupted start leaves a process
    that was not noted yet.
    """
    found = list(marked(folder))
    for process in [*descendants(found), *found]:
        stop_process(process, grace=2.0)


def delete(folder: Path) -> None:
    """Delete the folder with all that is mounted in it taken off first; its processes must be gone."""
    unmount_below(folder)
    shutil.rmtree(folder)


def _end_pods() -> None:
    processes = cgroups.members()
    for process in processes:
        stop_process(process, grace=0.0)
    wait_gone(processes, timeout=10.0)


def _shim_sockets(state: Path) -> list[Path]:
    """Return the sockets that our containerd's shims have in /run/containerd; a killed shim leaves its own."""
    tasks = state / "containerd" / "state" / "io.containerd.runtime.v2.task"
    addresses = [file.read_text(encoding="ascii").strip() for file in tasks.glob("*/*/address")]
    return [Path(address.removeprefix("unix://")) for address in addresses if address.startswith("unix:///")]


def _undo_node(state: Path) -> None:
    cgroups.remove()
    firewall.clean()
    bridge.restore_kernel(state / "kernel.json")
    for file in _left_outside(state):
        file.unlink()
    for folder in (_CNI_RESULTS, _CNI_RESULTS.parent, _CONTAINER_LOGS, _DEVICE_PLUGINS, _DEVICE_PLUGINS.parent):
        # Only what is empty now: a kubelet or containerd of the host's own keeps its folders.
        with suppress(OSError):
            folder.rmdir()
    # Last: as long as it is there, an interrupted removal can be repeated.
    bridge.remove()


def _left_outside(state: Path) -> Iterator[Path]:
    """Yield the files of ours in folders that the kubelet and the CNI plugins share with everybody."""
    sandboxes = state / "containerd" / "root" / "io.containerd.grpc.v1.cri" / "sandboxes"
    ours = [sandbox.name for sandbox in sandboxes.glob("*")]
    for file in _CNI_RESULTS.glob("*"):
        if file.name.startswith(f"{firewall.NETWORK}-") or any(sandbox in file.name for sandbox in ours):
            yield file
    for link in _CONTAINER_LOGS.glob("*.log"):
        if link.is_symlink() and str(link.readlink()).startswith(f"{state}/"):
            yield link
    yield from (file for file in (_DEVICE_PLUGINS / name for name in _KUBELET_FILES) if file.exists())


def unmount_below(folder: Path) -> None:
    """Unmount all that is mounted below the folder, the deepest first."""
    for target in mounts_below(Path("/proc/self/mountinfo").read_text(encoding="utf-8"), folder):
        result = subprocess.run(["umount", target], capture_output=True, text=True, check=False)
        if result.returncode:
            # Still in use by a process that is just ending: detach it now, it goes when that one is gone.
            subprocess.run(["umount", "--lazy", target], capture_output=True, check=True)


def mounts_below(mountinfo: str, folder: Path) -> list[str]:
    """Return the mount points below the folder, in the order in which they can be unmounted."""
    targets = [_unescape(line.split()[4]) for line in mountinfo.splitlines()]
    # What was mounted last lies on top.
    return [target for target in reversed(targets) if target.startswith(f"{folder}/")]


def _unescape(field: str) -> str:
    """Decode the octal escapes that the kernel writes for blanks and backslashes in a path."""
    return (
        field.encode("latin-1", "backslashreplace")
        .decode("unicode_escape")
        .encode("latin-1")
        .decode("utf-8", "surrogateescape")
    )
