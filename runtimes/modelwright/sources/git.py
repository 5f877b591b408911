"""Sources in git: a branch, tag or commit, by dulwich over HTTP or ssh; nothing of the repository is run."""

import io
import re
import stat
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dulwich.client import GitClient, HTTPUnauthorized, get_transport_and_path
from dulwich.errors import GitProtocolError, NotGitRepository
from dulwich.object_store import iter_tree_contents
from dulwich.objects import S_ISGITLINK, Commit
from dulwich.repo import Repo
from urllib3.exceptions import HTTPError

from modelwright.sources.address import address
from modelwright.weights import archive, verify
from modelwright.weights.errors import WeightsError

_COMMIT = re.compile(r"^[0-9a-f]{40}$")
HEAD = "HEAD"
_LFS = b"version https://git-lfs.github.com/spec/"
_LFS_MOST = 1024
"""How a pointer begins, and bytes that it stays below: github.com/git-lfs/git-lfs, docs/spec.md."""
_NOT_FOLLOWED = (
    "Put the file into the repository itself, weights into a bucket that storageUri names, or push the whole folder "
    "with modelwright deploy."
)


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository, the name of the Secret that opens it, and what the environment has of that Secret."""

    url: str
    secret: str
    env: Mapping[str, str]

    def client(self) -> tuple[GitClient, str]:
        """Return a client, and the repository's path there. Raises `WeightsError` for an address that is none."""
        if place := address(self.url):
            from modelwright.sources import ssh  # noqa: PLC0415 - other sources do without its cryptography

            return ssh.client(self.url, place, self.secret, self.env), place.path
        if urlsplit(self.url).scheme not in ("https", "http"):
            raise WeightsError(self.url, "is not an address for https or ssh", "Correct spec.source.git.url.")
        user, password = self.env.get("GIT_USERNAME"), self.env.get("GIT_PASSWORD")
        return get_transport_and_path(self.url, username=user, password=password, quiet=True, operation="pull")


def resolve(remote: Remote, revision: str) -> str:
    """Return the commit that a branch, tag or commit names now. Raises `WeightsError`."""
    if _COMMIT.match(revision):
        return revision
    url = remote.url
    client, path = remote.client()
    try:
        refs = client.get_refs(path.encode()).refs
    except (OSError, GitProtocolError, NotGitRepository, HTTPError) as error:
        raise _unreachable(url, error) from error
    for name in (f"refs/heads/{revision}", f"refs/tags/{revision}", revision):
        for ref in (f"{name}^{{}}", name):
            if found := refs.get(ref.encode()):  # type: ignore[call-overload]  # dulwich's Ref is bytes at run time
                return str(found.decode())
    raise WeightsError(url, f"has no branch, tag or commit {revision!r}", "Correct spec.source.git.revision.")


def fetch(remote: Remote, commit: str, below: str, staging: Path) -> Path:
    """Bring a commit's files below a folder of it into `staging`, return the root. Raises `WeightsError`."""
    url = remote.url
    client, path = remote.client()
    repository = Repo.init_bare(str(staging / "git"), mkdir=True)
    try:
        _download(client, path, repository, commit)
        found = repository[commit.encode()]
    except KeyError:
        raise WeightsError(url, f"has no commit {commit}", "Correct spec.source.git.revision.") from None
    except (OSError, GitProtocolError, NotGitRepository, HTTPError) as error:
        raise _unreachable(url, error) from error
    if not isinstance(found, Commit):
        raise WeightsError(url, f"{commit} is not a commit", "Give the commit's own hash, or the tag by its name.")
    packed = staging / "source.tar"
    _pack(url, repository, found, below, packed)
    archive.unpack(url, packed, staging / "tree", limit=verify.free(staging), modes=True)
    return staging / "tree"


def _download(client: GitClient, path: str, repository: Repo, commit: str) -> None:
    def wants(refs: Mapping[Any, Any], depth: int | None = None) -> list[Any]:
        return [commit.encode()]

    try:
        client.fetch(path.encode(), repository, determine_wants=wants, depth=1)
    except (GitProtocolError, KeyError):
        # Servers give a commit by its hash only where they are set up so; then all that the refs lead to is needed.
        client.fetch(path.encode(), repository)


def _pack(url: str, repository: Repo, commit: Commit, below: str, target: Path) -> None:
    """Write a folder's files as a tar archive, whose rules for names and links then hold for git's as well."""
    folder = [part for part in below.split("/") if part]
    with tarfile.open(target, "w") as tar:
        for entry in iter_tree_contents(repository.object_store, commit.tree):
            name, mode = (entry.path or b"").decode("utf-8", "surrogateescape"), entry.mode or 0
            # What the other models of a repository have is no matter of this build.
            if name.split("/")[: len(folder)] != folder:
                continue
            if S_ISGITLINK(mode):
                raise WeightsError(url, f"{name!r} is a submodule, which is not fetched", _NOT_FOLLOWED)
            data = repository[entry.sha].as_raw_string()
            member = tarfile.TarInfo(name)
            if stat.S_ISLNK(mode):
                member.type, member.linkname = tarfile.SYMTYPE, data.decode("utf-8", "surrogateescape")
                tar.addfile(member)
                continue
            if len(data) < _LFS_MOST and data.startswith(_LFS):
                raise WeightsError(url, f"{name!r} is a pointer of Git LFS, whose file is not fetched", _NOT_FOLLOWED)
            member.size, member.mode = len(data), stat.S_IMODE(mode)
            tar.addfile(member, io.BytesIO(data))


def _unreachable(url: str, error: Exception) -> WeightsError:
    if isinstance(error, HTTPUnauthorized):
        remedy = "Name a Secret with the keys username and password in spec.source.git.secretName."
        return WeightsError(url, "the git server wants credentials, or refuses these", remedy)
    if isinstance(error, NotGitRepository):
        return WeightsError(url, "there is no git repository", "Correct spec.source.git.url.")
    text = " ".join(str(error).split())[:300] or type(error).__name__
    return WeightsError(url, f"git does not answer: {text}", "Check the URL, and that pods reach the server.")
