"""What an author's own code measures with prometheus_client, right across workers.

That library keeps counts in the process unless it is told before the first metric is made; so it is told when it is
imported, where there will be several workers. Its files are then one set for each worker's place, not for each pid: a
worker that replaces another goes on with its counts, and a crash loop does not fill the folder.
"""

from __future__ import annotations

import atexit
import importlib.machinery
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    # Not at run time: it brings importlib.resources and all that this needs.
    from importlib.abc import Loader

    from prometheus_client.core import Metric

FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
_LIBRARY: Final = "prometheus_client"
_PREFIX: Final = "modelwright-metrics-"
# Memory, where there is some to write to: the counts are written at each observation.
_MEMORY: Final = "/dev/shm"  # noqa: S108 - mkdtemp makes a private folder in it


class _Place:
    """Which files are this process's (0 before the fork, then the worker's number), and whether there are several."""

    number = 0
    shared = False
    alone = True


class Watcher:
    """Finds prometheus_client as always, and sets it up for several workers before anybody uses it."""

    def __init__(self, workers: Callable[[], int]) -> None:
        self._workers = workers

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find prometheus_client, and nothing else."""
        if fullname != _LIBRARY or self._workers() == 1:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)  # type: ignore[assignment]
        return spec


class _Loader:
    def __init__(self, real: Loader) -> None:
        self._real = real

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._real
        # Where nothing can be written the author's code still runs; `prepare` says what is missing.
        made = _has_folder()
        self._real.exec_module(module)
        if not made:
            return
        from prometheus_client import values  # noqa: PLC0415

        # As others key it by uWSGI's worker ids. It is looked up when a metric is made, which has not happened yet.
        values.ValueClass = values.MultiProcessValue(lambda: _Place.number)  # type: ignore[no-untyped-call]
        _Place.shared = True


def watch(workers: Callable[[], int]) -> None:
    """Set prometheus_client up when it is imported, if `workers` then gives more than one, as of all who ask here."""
    sys.meta_path.insert(0, Watcher(workers))


def prepare(workers: int) -> bool:
    """Make ready for `workers` to be forked; False where the author's metrics cannot be shared.

    They were made too early for that, or there is no folder to write to.
    """
    if workers == 1:
        return True
    # Named by whoever runs the server: prometheus_client has known from its import on.
    named = FOLDER in os.environ
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, Watcher)]
    watch(lambda: workers)
    _Place.alone = False
    return _has_folder() and (named or _LIBRARY not in sys.modules)


def take(number: int) -> None:
    """Count in the files of worker `number`, where the last one that had it stopped."""
    _Place.number = number


def ended(number: int) -> None:
    """Forget the gauges that a dead worker's author wants told of live ones only."""
    if _Place.shared:
        from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

        mark_process_dead(number)  # type: ignore[no-untyped-call]


def collect() -> Iterable[Metric]:
    """Give the author's metrics: of this process where it is the only one, else of all that could be shared."""
    if FOLDER in os.environ:
        from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

        return list(MultiProcessCollector(None).collect())  # type: ignore[no-untyped-call]
    if not _Place.alone:
        return []
    from prometheus_client import REGISTRY  # noqa: PLC0415

    return list(REGISTRY.collect())


def _has_folder() -> bool:
    """Make the folder that prometheus_client wants, unless somebody has named one; False where none can be made."""
    if FOLDER not in os.environ:
        try:
            _make_folder()
        except OSError:
            return False
    return True


def _make_folder() -> None:
    # Every Python under the import hook loads this module, and few of them come here.
    import fcntl  # noqa: PLC0415
    import shutil  # noqa: PLC0415
    import tempfile  # noqa: PLC0415

    within = Path(_MEMORY if os.access(_MEMORY, os.W_OK) else tempfile.gettempdir())
    for left in within.glob(f"{_PREFIX}*"):
        _remove_unless_held(left)
    made = Path(tempfile.mkdtemp(prefix="modelwright-new-", dir=within))
    # Held, through a descriptor that workers inherit, until the last of this server's processes has ended.
    fcntl.flock(os.open(made, os.O_RDONLY), fcntl.LOCK_SH)
    # Under the name that others look for only now that it is held.
    folder = made.rename(within / (_PREFIX + made.name.removeprefix("modelwright-new-")))
    os.environ[FOLDER] = str(folder)
    maker = os.getpid()

    def remove() -> None:
        if os.getpid() == maker:
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)


def _remove_unless_held(folder: Path) -> None:
    """Remove what a server has left that was killed: nobody holds it any more."""
    import fcntl  # noqa: PLC0415
    import shutil  # noqa: PLC0415

    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        return
    finally:
        os.close(descriptor)
