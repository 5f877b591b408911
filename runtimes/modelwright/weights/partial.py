"""The temporary folder inside the target: the same volume, so that publishing is a rename."""

import json
import shutil
import threading
from pathlib import Path

NAME = ".modelwright-partial"


class Partial:
    """What has been fetched and not yet been published.

    `files/` mirrors the target, `unpacked/` is where an archive goes, `cache/` is for clients that want a
    home. The journal has one line per finished part, so that a restarted container continues.
    """

    def __init__(self, target: Path) -> None:
        self.root = target / NAME
        self.files = self.root / "files"
        self.unpacked = self.root / "unpacked"
        self.cache = self.root / "cache"
        self._journal = self.root / "journal"
        self._lock = threading.Lock()

    def open(self, identity: str) -> None:
        """Create the folder; what another set of files (`identity` differs) has left is removed first."""
        owner = self.root / "identity"
        if not owner.is_file() or owner.read_text() != identity:
            shutil.rmtree(self.root, ignore_errors=True)
        for folder in (self.files, self.cache):
            folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.unpacked, ignore_errors=True)
        owner.write_text(identity)

    def finished(self) -> set[tuple[str, int]]:
        """Return the parts already there, as (item name, first byte). A torn last line is ignored."""
        parts = set()
        if self._journal.is_file():
            for line in self._journal.read_text(errors="replace").splitlines():
                try:
                    name, start = json.loads(line)
                except ValueError:
                    continue
                parts.add((str(name), int(start)))
        return parts

    def finish(self, name: str, start: int) -> None:
        """Note that the part of `name` that begins at byte `start` is on disk."""
        with self._lock, self._journal.open("a") as journal:
            journal.write(json.dumps([name, start]) + "\n")

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.root, ignore_errors=True)
