"""An S3 server on demand: versitygw over a folder, a real gateway that speaks the protocol and checks signatures."""

from __future__ import annotations

import json
import secrets
import shutil
import string
from dataclasses import dataclass
from pathlib import Path

from cluster import binaries
from cluster.native.pki import write_private
from cluster.native.ports import allocate, answers
from cluster.native.processes import Command, Supervisor
from cluster.native.waiting import print_progress, until
from cluster.paths import state_folder

REGION = "us-east-1"

_PORT = 9000


@dataclass(frozen=True, slots=True, kw_only=True)
class S3:
    """Where the server is, and the only account that it knows."""

    endpoint: str
    access_key_id: str
    secret_access_key: str
    region: str = REGION

    def __repr__(self) -> str:
        # A failing test prints its values: the secret must not be among them.
        return f"S3(endpoint={self.endpoint!r}, access_key_id={self.access_key_id!r})"

    def to_json(self) -> dict[str, object]:
        """Return the fields with the names that `python -m cluster s3 up` prints."""
        return {
            "endpoint": self.endpoint,
            "accessKeyId": self.access_key_id,
            "secretAccessKey": self.secret_access_key,
            "region": self.region,
        }


def up(address: str) -> S3:
    """Start the server on an address that pods reach, or adopt the one that runs.

    Raises ClusterError with the last log lines when it does not start.
    """
    programs = binaries.ensure("versitygw")
    folder = _folder()
    port = allocate(folder / "ports.json", {"s3": _PORT})["s3"]
    access, secret = account(folder / "keys.json")
    for name in ("data", "metadata"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    command = Command(
        name="s3",
        argv=(
            f"{programs}/versitygw",
            f"--port={address}:{port}",
            f"--region={REGION}",
            "--quiet",
            "posix",
            # Not every file system has extended attributes for the objects' metadata.
            f"--sidecar={folder / 'metadata'}",
            str(folder / "data"),
        ),
        # Not arguments: every user of the machine can read those.
        env={"ROOT_ACCESS_KEY": access, "ROOT_SECRET_KEY": secret},
    )
    supervisor = Supervisor(folder)
    supervisor.ensure(command)
    until("the S3 server", lambda: answers(address, port), report=print_progress, supervisor=supervisor, needs=("s3",))
    return S3(endpoint=f"http://{address}:{port}", access_key_id=access, secret_access_key=secret)


def down() -> None:
    """Stop the server and delete its data; nothing happens when there is none."""
    Supervisor(_folder()).stop("s3")
    if _folder().exists():
        shutil.rmtree(_folder())


def _folder() -> Path:
    return state_folder() / "s3"


def account(file: Path) -> tuple[str, str]:
    """Return the account's keys, random ones the first time."""
    if not file.is_file():
        alphabet = string.ascii_letters + string.digits
        made = {
            "access": "MW" + secrets.token_hex(9).upper(),
            "secret": "".join(secrets.choice(alphabet) for _ in range(40)),
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        write_private(file, json.dumps(made).encode())
    known = json.loads(file.read_text(encoding="utf-8"))
    return str(known["access"]), str(known["secret"])
