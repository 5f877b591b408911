"""One URI into one folder: list, check, fetch, verify, unpack, publish."""

import logging
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from modelwright.weights import archive, manifest, publish, verify
from modelwright.weights.errors import WeightsError, redact
from modelwright.weights.partial import Partial
from modelwright.weights.progress import Progress, human
from modelwright.weights.selection import Selection
from modelwright.weights.source import Item, Source
from modelwright.weights.sources import open_source

log = logging.getLogger("modelwright.weights")

ALL = Selection()
_DIGEST = re.compile(r"#sha256=([0-9a-fA-F]{64})$")


def fetch(
    uri: str, target: Path, env: Mapping[str, str], selection: Selection = ALL, *, unpack: bool = True
) -> list[str]:
    """Bring the files behind `uri` into the folder `target` and return their paths below it.

    `uri` may end in `#sha256=<hex>` where it is one file. `env` has credentials and settings under KServe's
    names. `unpack` is whether a single archive is unpacked, as KServe does. Nothing is under its final name before
    all of it has arrived and been verified; what is there with the same ETags is not fetched again.
    Raises `WeightsError`.
    """
    location, wanted = _split_digest(uri)
    partial = Partial(target)
    source = open_source(location, env, partial.cache)
    log.info("looking at %s", redact(location))
    items = _with_digest(location, selection.of(location, source.items()), wanted)
    verify.names(location, items)
    if manifest.complete(target, location, items):
        log.info("%s already in %s", _count(items), target)
        return sorted(manifest.read(target)["files"])
    try:
        target.mkdir(parents=True, exist_ok=True)
        partial.open(manifest.identity(location, items))
    except OSError as error:
        raise WeightsError(
            uri,
            f"{target} cannot be written: {error.strerror}",
            "Mount a volume that this UID may write.",
        ) from error
    files = _into(source, items, partial, target, unpack=unpack and source.unpacks)
    manifest.write(target, source.uri, items, files, selection)
    partial.remove()
    return files


def _into(source: Source, items: list[Item], partial: Partial, target: Path, *, unpack: bool) -> list[str]:
    size = verify.total(items)
    verify.space(source.uri, (size or 0) - min(size or 0, _fetched(partial)), target)
    log.info("fetching %s, %s", _count(items), "of unknown size" if size is None else human(size))
    start = time.monotonic()
    with Progress(size) as progress:
        source.download(items, partial, progress)
    verify.sizes(source.uri, items, partial.files)
    verify.digests(source.uri, items, partial.files)
    tree, files = partial.files, [verify.relative(item.name) for item in items]
    folders: list[str] = []
    if unpack and len(items) == 1 and archive.is_archive(files[0]):
        packed = verify.contained(partial.files, files[0])
        log.info("unpacking %s", packed.name)
        tree = partial.unpacked
        files = archive.unpack(source.uri, packed, tree, limit=verify.free(target))
        packed.unlink()
        # Triton wants a version folder even where there is nothing in it.
        folders = [str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_dir() and not path.is_symlink()]
    stale = set(manifest.read(target).get("files", {})) - set(files)
    publish.publish(source.uri, tree, files, folders, target, stale)
    total = sum((target / name).lstat().st_size for name in files)
    seconds = max(time.monotonic() - start, 0.001)
    log.info("%s, %s, in %s after %.1f s", _count(files), human(total), target, seconds)
    return sorted(files)


def _split_digest(uri: str) -> tuple[str, str | None]:
    found = _DIGEST.search(uri)
    return (uri[: found.start()], found[1]) if found else (uri, None)


def _with_digest(uri: str, items: list[Item], sha256: str | None) -> list[Item]:
    if sha256 is None:
        return items
    if len(items) > 1:
        raise WeightsError(uri, f"#sha256= is for one file, this is {len(items)}", "Leave it away.")
    return [replace(items[0], sha256=sha256)]


def _fetched(partial: Partial) -> int:
    return sum(path.stat().st_blocks * 512 for path in partial.files.rglob("*") if path.is_file())


def _count(things: Sequence[object]) -> str:
    return "1 file" if len(things) == 1 else f"{len(things)} files"
