"""Sources in git: a branch, tag or commit over HTTP, by dulwich; nothing of the repository is run."""

import io
import re
import stat
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dulwich.client import GitClient, HTTPUnauthorized, get_transport_and_path
from dulwich.errors import GitProtocolError, NotGitRepository
from dulwich.object_store import iter_tree_contents
from dulwich.objects import S_ISGITLINK, Commit
from dulwich.repo import Repo
from urllib3.exceptions import HTTPError

from modelwright.weights import archive, verify
from modelwright.weights.errors import WeightsError

_COMMIT = re.compile(r"^[0-9a-f]{40}$")
HEAD = "HEAD"


def resolve(url: str, revision: str, env: Mapping[str, str]) -> str:
    """Return the commit that a branch, tag or commit names now. Raises `WeightsError`."""
    if _COMMIT.match(revision):
        return revision
    client, path = _client(url, env)
    try:
        refs = client.get_refs(path.encode()).refs
    except (OSError, GitProtocolError, NotGitRepository, HTTPError) as error:
        raise _unreachable(url, error) from error
    for name in (f"refs/heads/{revision}", f"refs/tags/{revision}", revision):
        for ref in (f"{name}^{{}}", name):
            if found := refs.get(ref.encode()):  # type: ignore[call-overload]  # dulwich's Ref is bytes at run time
                return str(found.decode())
    raise WeightsError(url, f"has no branch, tag or commit {revision!r}", "Correct spec.source.git.revision.")


def fetch(url: str, commit: str, env: Mapping[str, str], staging: Path) -> Path:
    """Bring the files of a commit into `staging` and return their folder. Raises `WeightsError`."""
    client, path = _client(url, env)
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
    _pack(url, repository, found, packed)
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


def _pack(url: str, repository: Repo, commit: Commit, target: Path) -> None:
    """Write the commit's files as a tar archive, whose rules for names and links then hold for git's as well."""
    with tarfile.open(target, "w") as tar:
        for entry in iter_tree_contents(repository.object_store, commit.tree):
            name, mode = (entry.path or b"").decode("utf-8", "surrogateescape"), entry.mode or 0
            if S_ISGITLINK(mode):
                raise WeightsError(url, f"{name!r} is a submodule", "Put its files into the repository itself.")
            data = repository[entry.sha].as_raw_string()
            member = tarfile.TarInfo(name)
            if stat.S_ISLNK(mode):
                member.type, member.linkname = tarfile.SYMTYPE, data.decode("utf-8", "surrogateescape")
                tar.addfile(member)
            else:
                member.size, member.mode = len(data), stat.S_IMODE(mode)
                tar.addfile(member, io.BytesIO(data))


def _client(url: str, env: Mapping[str, str]) -> tuple[GitClient, str]:
    if urlsplit(url).scheme not in ("https", "http"):
        raise WeightsError(url, "is not an http:// or https:// URL", "Use the repository's HTTPS address.")
    return get_transport_and_path(
        url, username=env.get("GIT_USERNAME"), password=env.get("GIT_PASSWORD"), quiet=True, operation="pull"
    )


def _unreachable(url: str, error: Exception) -> WeightsError:
    if isinstance(error, HTTPUnauthorized):
        remedy = "Name a Secret with the keys username and password in spec.source.git.secretName."
        return WeightsError(url, "the git server wants credentials, or refuses these", remedy)
    if isinstance(error, NotGitRepository):
        return WeightsError(url, "there is no git repository", "Correct spec.source.git.url.")
    text = " ".join(str(error).split())[:300] or type(error).__name__
    return WeightsError(url, f"git does not answer: {text}", "Check the URL, and that pods reach the server.")
