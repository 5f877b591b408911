"""Archives: unpacked without leaving the folder, without links out of it, and without filling the disk."""

import posixpath
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from modelwright.weights import verify
from modelwright.weights.errors import WeightsError
from modelwright.weights.progress import human

_TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_ZIP = (".zip",)
MAX_MEMBERS = 100_000
_CHUNK = 1024 * 1024
_SAFE = "Make the archive again from inside the model's folder, with relative names and links within it."


def is_archive(name: str) -> bool:
    """Say whether a file is one to unpack, by its name: .pt, .npz and .keras are zip files too, and stay."""
    return name.lower().endswith(_TAR + _ZIP)


def unpack(
    uri: str,
    archive: Path,
    folder: Path,
    *,
    limit: int,
    leave_out: Callable[[tarfile.TarInfo], bool] = lambda member: False,
    modes: bool = False,
) -> list[str]:
    """Unpack `archive` into `folder`, which is created, and return the files' paths below it.

    `limit` is the most bytes that may come out. Of a tar archive, members that `leave_out` is true of stay in it, and
    with `modes` a program can be run as before. Raises `WeightsError` for a member that would leave it,
    a device, a link out of it, more than `limit` bytes or `MAX_MEMBERS` members, and a damaged or encrypted
    archive. The folder holds only part of the archive then.
    """
    folder.mkdir(parents=True)
    budget = _Budget(uri, limit)
    try:
        if archive.name.lower().endswith(_ZIP):
            return _unzip(archive, folder, budget)
        return _untar(archive, folder, budget, leave_out, modes)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise WeightsError(
            uri, f"{archive.name} cannot be unpacked: {error}", "It may be damaged: make and upload it again."
        ) from error
    except ValueError as reason:
        raise WeightsError(uri, f"{archive.name}: {reason}", _SAFE) from reason
    except RuntimeError as error:
        raise WeightsError(
            uri, f"{archive.name} is encrypted", "Upload it without a password, in a private bucket."
        ) from error
    except OSError as error:
        raise WeightsError(
            uri,
            f"unpacking {archive.name} failed: {error.strerror or error}",
            "Check the archive and the disk.",
        ) from error


class _Budget:
    """What is left of the bytes and members that may come out."""

    def __init__(self, uri: str, limit: int) -> None:
        self._uri = uri
        self._limit = limit
        self._bytes = 0
        self._members = 0

    def spend(self, size: int) -> None:
        """Count a member of `size` bytes before it is written."""
        self._bytes += size
        self._members += 1
        if self._bytes > self._limit or self._members > MAX_MEMBERS:
            raise WeightsError(
                self._uri,
                f"the archive unpacks to more than {human(self._limit)} or {MAX_MEMBERS} members",
                "Upload the files themselves, or give the node more disk.",
            )


def _untar(
    archive: Path, folder: Path, budget: _Budget, leave_out: Callable[[tarfile.TarInfo], bool], modes: bool
) -> list[str]:
    files = []
    links: set[str] = set()
    with tarfile.open(archive) as tar:
        for member in tar:
            budget.spend(member.size)
            name = posixpath.normpath(member.name)
            if name == "." or leave_out(member):
                continue
            _check(name, member, links)
            member.name = name
            _extract(tar, member, folder)
            if member.issym():
                links.add(name)
            elif not member.isdir():
                files.append(name)
                if modes and member.mode & 0o100:
                    (folder / name).chmod(0o755)
    return files + sorted(links)


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Extract a member that was checked, through tarfile's filter as well where this Python has it (from 3.11.4 on)."""
    if hasattr(tarfile, "data_filter"):
        tar.extract(member, folder, set_attrs=False, filter="data")
    else:
        tar.extract(member, folder, set_attrs=False)


def _check(name: str, member: tarfile.TarInfo, links: set[str]) -> None:
    """Check a member beyond tarfile's "data" filter, which before Python 3.11.13 can be led outside by links.

    No member may pass through a link of the archive, and a link's target has `..` only at its beginning and
    stays inside: then no chain of links can lead out.
    """
    try:
        verify.relative(name)
    except ValueError as reason:
        raise ValueError(f"the member {member.name!r} {reason}") from None
    parts = name.split("/")
    if name in links or any("/".join(parts[:depth]) in links for depth in range(1, len(parts))):
        raise ValueError(f"the member {member.name!r} goes through a link")
    if member.issym() or member.islnk():
        base = posixpath.dirname(name) if member.issym() else ""
        target = posixpath.normpath(posixpath.join(base, member.linkname))
        steps = member.linkname.split("/")
        while steps and steps[0] in {"..", "."}:
            steps.pop(0)
        inside = not member.linkname.startswith("/") and target.split("/")[0] != ".." and ".." not in steps
        if not inside:
            raise ValueError(f"the link {member.name!r} leads to {member.linkname!r}, outside of the archive")
        if member.islnk() and target in links:
            raise ValueError(f"the link {member.name!r} leads to another link")
    elif not (member.isfile() or member.isdir()):
        raise ValueError(f"the member {member.name!r} is a device or a pipe")


def _unzip(archive: Path, folder: Path, budget: _Budget) -> list[str]:
    files = []
    with zipfile.ZipFile(archive) as packed:
        for member in packed.infolist():
            budget.spend(member.file_size)
            # ZipInfo cuts names at NUL and drops nothing else: the name that was written is the one to check.
            try:
                name = verify.relative(member.orig_filename)
            except ValueError as reason:
                raise ValueError(f"the member {member.orig_filename!r} {reason}") from None
            path = verify.contained(folder, name)
            if member.is_dir():
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            with packed.open(member) as content, path.open("xb") as file:
                while chunk := content.read(_CHUNK):
                    file.write(chunk)
            files.append(name)
    return files
