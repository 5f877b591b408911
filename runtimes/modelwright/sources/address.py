"""Where a repository is that git reaches by ssh. Source: git-scm.com/docs/git-fetch, "GIT URLS"."""

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

_SCP = re.compile(r"^(?P<user>[^@:/]+)@(?P<host>[^:/]+):(?P<path>.+)$")
_USER = "git"
PORT = 22


@dataclass(frozen=True, slots=True)
class Address:
    """`ssh://[USER@]HOST[:PORT]/PATH` or `USER@HOST:PATH`; the user is by default git, as hosts of many have it."""

    user: str
    host: str
    port: int
    path: str

    @property
    def scan(self) -> str:
        """The command that prints the host's keys."""
        return f"ssh-keyscan {'' if self.port == PORT else f'-p {self.port} '}{self.host}"


def address(url: str) -> Address | None:
    """Return the parts of an address for ssh, None for one of another kind."""
    if found := _SCP.match(url):
        return Address(found["user"], found["host"], PORT, found["path"])
    parts = urlsplit(url)
    if parts.scheme != "ssh" or not parts.hostname:
        return None
    return Address(parts.username or _USER, parts.hostname, parts.port or PORT, unquote(parts.path))
