"""The commit of the folder, read from `.git` without git, which the build image does not have."""

import configparser
import re
from dataclasses import dataclass
from pathlib import Path

from .context import Context

_HASH = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


@dataclass(frozen=True)
class Revision:
    """A commit's hash and where it was cloned from; each empty where it is not known."""

    commit: str = ""
    source: str = ""


def read(context: Context) -> Revision:
    """Read what is checked out. Called before version control is removed from the build's copy."""
    git = context.app / ".git"
    if not git.is_dir():
        return Revision()
    return Revision(_commit(git), _origin(git / "config"))


def _commit(git: Path) -> str:
    head = _text(git / "HEAD").strip()
    name = head.removeprefix("ref: ")
    if name != head:
        packed = (line.partition(" ") for line in _text(git / "packed-refs").splitlines())
        head = _text(git / name).strip() or next((commit for commit, _, ref in packed if ref == name), "")
    return head if _HASH.fullmatch(head) else ""


def _origin(config: Path) -> str:
    parser = configparser.ConfigParser(strict=False, interpolation=None, allow_no_value=True)
    try:
        parser.read_string(_text(config))
    except configparser.Error:
        return ""
    url = parser.get('remote "origin"', "url", fallback="") or ""
    # A token in the address is a secret, and an image's labels are read by everybody.
    return re.sub(r"(?<=://)[^/@]*@", "", url)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
