"""file:///path: what is already on a volume of the init container, copied."""

from collections.abc import Generator, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from modelwright.weights.errors import WeightsError
from modelwright.weights.partial import Partial
from modelwright.weights.progress import Progress
from modelwright.weights.source import Item
from modelwright.weights.transfer import Transfer

_CHUNK = 1024 * 1024


class FileSource:
    """A file, or all regular files below a folder. Symbolic links are followed only within it."""

    unpacks = True

    def __init__(self, uri: str) -> None:
        self.uri = uri
        parts = urlsplit(uri)
        if parts.netloc not in {"", "localhost"} or not parts.path:
            raise WeightsError(uri, "is not an absolute path", "Write file:///path with three slashes.")
        self._path = Path(unquote(parts.path))

    def items(self) -> list[Item]:
        """List the files. Raises `WeightsError` where there is none."""
        try:
            if self._path.is_file():
                return [_item(self._path, self._path.name)]
            root = self._path.resolve()
            found = [
                _item(path, path.relative_to(self._path).as_posix())
                for path in sorted(self._path.rglob("*"))
                if path.is_file() and path.resolve().is_relative_to(root)
            ]
        except OSError as error:
            raise WeightsError(
                self.uri,
                f"cannot be read: {error.strerror}",
                "Check that any user may read it: the initializer runs without privileges.",
            ) from error
        if not found:
            state = "has no file in it" if self._path.is_dir() else "does not exist"
            raise WeightsError(
                self.uri, f"{self._path} {state}", "Mount the volume that holds it into the init container."
            )
        return found

    def download(self, items: Sequence[Item], partial: Partial, progress: Progress) -> None:
        """Copy the files."""
        Transfer(self.uri, self._read, workers=2, attempts=1).run(items, partial, progress)

    def _read(self, item: Item, start: int, stop: int | None) -> Generator[bytes, None, None]:
        try:
            with Path(item.key).open("rb") as file:
                file.seek(start)
                left = item.size - start if stop is None and item.size is not None else (stop or 0) - start
                while left > 0 and (chunk := file.read(min(_CHUNK, left))):
                    left -= len(chunk)
                    yield chunk
        except OSError as error:
            raise WeightsError(
                self.uri, f"{item.key} cannot be read: {error.strerror}", "Check its permissions."
            ) from error


def _item(path: Path, name: str) -> Item:
    facts = path.stat()
    return Item(str(path), name, facts.st_size, f"{facts.st_mtime_ns:x}-{facts.st_size:x}")
