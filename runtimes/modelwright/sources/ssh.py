"""git over ssh, by asyncssh: the key out of a mounted Secret, and only hosts whose keys its known_hosts has.

OpenSSH's own client is not an option: it refuses users without an entry in passwd, as a pod's arbitrary user is one,
and keys that others may read, as a mounted Secret's files are. Nothing is read but these two files: no agent, no
configuration, no key of the home folder.
"""

import asyncio
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import asyncssh
from dulwich.client import SSHGitClient, SSHVendor

from modelwright.sources.address import PORT, Address
from modelwright.weights.errors import WeightsError

PRIVATE_KEY = "ssh-privatekey"
"""The key of a Secret of type kubernetes.io/ssh-auth."""
KNOWN_HOSTS = "known_hosts"
FOLDER = "GIT_SSH_FOLDER"
"""The variable that names the folder at which the Secret is mounted."""
_SECONDS = 30.0
_OTHER_KEYS = "+ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256"
"""Kinds of host keys behind those in known_hosts: a host that has none of these hangs up, and nobody learns why."""


@dataclass(frozen=True, slots=True)
class Secret:
    """The Secret of `spec.source.git.secretName`: its name, empty where none is named, and where it is mounted."""

    name: str
    folder: Path

    def read(self, url: str, key: str, remedy: str) -> bytes:
        """Return one key of it. Raises `WeightsError` where it has none, with the remedy."""
        if not self.name:
            why = "git over ssh needs a key of its own"
            raise WeightsError(url, why, f"Name a Secret in spec.source.git.secretName. {_created('NAME')}")
        with suppress(OSError):
            if found := (self.folder / key).read_bytes().strip():
                return found + b"\n"
        raise WeightsError(url, f"the Secret {self.name!r} has no key {key}, or is not there", remedy)


def client(url: str, place: Address, secret_name: str, env: Mapping[str, str]) -> SSHGitClient:
    """Return dulwich's client for a repository. It raises `WeightsError` where the two ends do not trust each other."""
    vendor = _Vendor(url, place, Secret(secret_name, Path(env.get(FOLDER, "/nonexistent"))))
    return SSHGitClient(place.host, port=place.port, username=place.user, vendor=vendor, quiet=True)


class _Vendor(SSHVendor):
    def __init__(self, url: str, place: Address, secret: Secret) -> None:
        self._url, self._place, self._secret = url, place, secret

    def run_command(self, host: str, command: bytes, **_: Any) -> "_Channel":  # type: ignore[override]  # noqa: ANN401
        """Connect, and start the command there."""
        key, known = self._key(), self._known()
        # It wants a name for this side's user, whom nobody asks for and an arbitrary user of a pod does not have.
        os.environ.setdefault("LOGNAME", self._place.user)
        # It tells each connection; its warnings stay.
        logging.getLogger("asyncssh").setLevel(logging.WARNING)
        runner = asyncio.Runner()
        try:
            return _Channel(runner, *runner.run(self._start(command.decode(), key, known)))
        except BaseException as error:
            runner.close()
            if isinstance(error, asyncssh.Error | OSError):
                raise self._refused(error) from None
            raise

    async def _start(
        self, command: str, key: asyncssh.SSHKey, known: asyncssh.SSHKnownHosts
    ) -> tuple[asyncssh.SSHClientConnection, "asyncssh.SSHClientProcess[bytes]"]:
        place = self._place
        connection = await asyncssh.connect(
            place.host,
            place.port,
            username=place.user,
            client_keys=[key],
            known_hosts=known,
            server_host_key_algs=_OTHER_KEYS,
            config=None,
            agent_path=None,
            preferred_auth="publickey",
            connect_timeout=_SECONDS,
            login_timeout=_SECONDS,
        )
        # git gives any reachable commit by its hash in version 2 only; a server that does not know it ignores this.
        env = {"GIT_PROTOCOL": "version=2"}
        return connection, await connection.create_process(command, encoding=None, env=env)

    def _key(self) -> asyncssh.SSHKey:
        text = self._secret.read(self._url, PRIVATE_KEY, _created(self._secret.name))
        try:
            return asyncssh.import_private_key(text)
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
            if "passphrase" in str(error).lower():
                why, remedy = "is locked by a passphrase", "Make one without: ssh-keygen -t ed25519 -N ''."
            else:
                why, remedy = "is not a private key", _created(self._secret.name)
        raise WeightsError(self._url, f"{PRIVATE_KEY} of the Secret {self._secret.name!r} {why}", remedy)

    def _known(self) -> asyncssh.SSHKnownHosts:
        place = self._place
        remedy = (
            f"Put into its key {KNOWN_HOSTS} what `{place.scan}` prints, once the fingerprints are those that "
            f"{place.host} publishes."
        )
        text = self._secret.read(self._url, KNOWN_HOSTS, remedy).decode("utf-8", "replace")
        try:
            known = asyncssh.import_known_hosts(text)
        except ValueError as error:
            raise WeightsError(self._url, f"{KNOWN_HOSTS} of {self._secret.name!r}: {error}", remedy) from None
        # Entries name a port only where it is another than ssh's own.
        port = None if place.port == PORT else place.port
        host_keys, authorities, *_ = asyncssh.match_known_hosts(known, place.host, "", port)
        if not host_keys and not authorities:
            why = f"{KNOWN_HOSTS} of the Secret {self._secret.name!r} has no key of {place.host}"
            raise WeightsError(self._url, why, remedy)
        return known

    def _refused(self, error: Exception) -> WeightsError:
        host, name = self._place.host, self._secret.name
        if isinstance(error, asyncssh.HostKeyNotVerifiable):
            why = f"{host} shows another key than {KNOWN_HOSTS} of the Secret {name!r} has"
            remedy = (
                f"Somebody may stand between. Where {host} says that it has a new key, put what "
                f"`{self._place.scan}` prints there."
            )
            return WeightsError(self._url, why, remedy)
        if isinstance(error, asyncssh.PermissionDenied):
            why = f"{host} does not take {PRIVATE_KEY} of the Secret {name!r} for {self._place.user}"
            return WeightsError(self._url, why, "Add its public key there, as a deploy key that may read.")
        why = f"{host} does not answer by ssh: {' '.join(str(error).split())[:300] or type(error).__name__}"
        return WeightsError(self._url, why, "Check the URL, and that pods reach it.")


class _Channel:
    """What dulwich reads from and writes to. It is driven only while it is asked, so no thread is needed."""

    def __init__(
        self,
        runner: asyncio.Runner,
        connection: asyncssh.SSHClientConnection,
        process: "asyncssh.SSHClientProcess[bytes]",
    ) -> None:
        self._runner, self._connection, self._process = runner, connection, process
        self._open = True
        self.stderr = BytesIO()

    def read(self, size: int) -> bytes:
        """Return so many bytes, fewer at the end. What was said on stderr is then there, and nothing is left open."""
        if not self._open:
            return b""
        try:
            return self._runner.run(self._process.stdout.readexactly(size))
        except asyncio.IncompleteReadError as ended:
            with suppress(asyncssh.Error):
                self.stderr.write(self._runner.run(self._process.stderr.read()))
                self.stderr.seek(0)
            self.close()
            return ended.partial
        except asyncssh.Error as error:
            self.close()
            raise ConnectionError(str(error)) from None

    def write(self, data: bytes) -> int:
        """Send bytes, and wait where the other end is slow."""
        self._runner.run(self._sent(data))
        return len(data)

    async def _sent(self, data: bytes) -> None:
        try:
            self._process.stdin.write(data)
            await self._process.stdin.drain()
        except asyncssh.Error as error:
            raise ConnectionError(str(error)) from None

    def can_read(self) -> bool:
        """Say whether a read would not block: asked only by one who has commits to offer, which no build has."""
        return False

    def close(self) -> None:
        """End the connection."""
        if self._open:
            self._open = False
            self._runner.run(self._ended())
            self._runner.close()

    async def _ended(self) -> None:
        self._process.close()
        self._connection.close()
        await self._connection.wait_closed()


def _created(name: str) -> str:
    return (
        f"Make it: kubectl create secret generic {name or 'NAME'} --type=kubernetes.io/ssh-auth "
        f"--from-file={PRIVATE_KEY}=FILE --from-file={KNOWN_HOSTS}=FILE."
    )
