"""Which of a source's files are wanted: by name, or by shell patterns as Hugging Face's own client has them."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from modelwright.weights.errors import WeightsError
from modelwright.weights.source import Item


@dataclass(frozen=True, slots=True)
class Selection:
    """Files to fetch and to leave out, each a path below the source or a pattern; empty `only` is all files."""

    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def of(self, uri: str, items: Sequence[Item]) -> list[Item]:
        """Return the items wanted. Raises `WeightsError` where the source lacks one of `only`, or none is left."""
        missing = [wanted for wanted in self.only if not any(fnmatchcase(item.name, wanted) for item in items)]
        if missing:
            raise WeightsError(
                uri,
                f"there is no file {', '.join(missing)} among the {len(items)} there",
                "Correct the model's list of files, or upload what is missing.",
            )
        found = [item for item in items if self._wants(item.name)]
        if not found:
            raise WeightsError(uri, "every file is left out", "Correct the patterns of files to leave out.")
        return found

    def _wants(self, name: str) -> bool:
        wanted = not self.only or any(fnmatchcase(name, each) for each in self.only)
        return wanted and not any(fnmatchcase(name, each) for each in self.without)
