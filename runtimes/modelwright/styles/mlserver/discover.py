"""The author's models: by `model-settings.json`, by `MLSERVER_MODEL_*`, or the classes of a file without settings."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from modelwright import author_metrics
from modelwright.model import Model
from modelwright.styles.catalogue import Discovered, DiscoveryError, Wanted
from modelwright.styles.detect import sources
from modelwright.styles.mlserver import repository, server_settings
from modelwright.styles.mlserver.adapter import MLServerModel
from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.modules import Importer, is_model
from modelwright.styles.mlserver.repository import Entry
from modelwright.styles.source import Source


def discover(wanted: Wanted) -> Discovered:
    """Make a model of each of the author's, and arguments of their settings.

    Raises:
        DiscoveryError: there is none, or it cannot be served as written.
        Exception: whatever the author's code raises at import.

    """
    folder = wanted.path if wanted.path.is_dir() else wanted.path.parent
    server = server_settings.read(folder)
    # The genuine library makes its metrics at import, and so has to know by then.
    author_metrics.watch(lambda: int(server.arguments.get("workers", 1)))
    library = _library()
    found = _entries(wanted, folder, library)
    if wanted.model_name is not None:
        if len(found) > 1:
            names = ", ".join(each.settings.name for each in found)
            raise DiscoveryError(f"{wanted.path} has several models ({names}): --model_name cannot be the name of each")
        found[0].settings.name = wanted.model_name
    importer = Importer([each.folder for each in found])
    models = [_elsewhere(each) or _model(each, importer, library, server.name) for each in found]
    return Discovered(models, {**server.arguments, **_batching(found)})


def _elsewhere(entry: Entry) -> Model | None:
    """Give the model of settings that name an environment; most name none, and do not pay for the import."""
    parameters = entry.settings.parameters
    if not (parameters.environment_path or parameters.environment_tarball):
        return None
    from modelwright.styles.mlserver import own_environment  # noqa: PLC0415

    return own_environment.model(entry)


def _model(entry: Entry, importer: Importer, library: Foreign, server: str) -> MLServerModel:
    kind = importer.load(entry.settings.implementation_, entry.folder, entry.where)
    if not is_model(kind):
        raise DiscoveryError(f"{entry.where}: {entry.settings.implementation_} must be a subclass of mlserver.MLModel")
    return MLServerModel(kind, entry.settings, library, server)


def _library() -> Foreign:
    """Return the modules of `mlserver` that this style needs, genuine or ours, whichever authors get."""
    names = ("types", "context", "settings", "handlers")
    library = SimpleNamespace(**{name: importlib.import_module(f"mlserver.{name}") for name in names})
    if not library.types.__name__.startswith("modelwright."):
        _expose_metrics()
    return library


def _expose_metrics() -> None:
    """Put the genuine library's registry where the server looks for authors' metrics; it does so for workers only."""
    from prometheus_client import REGISTRY  # noqa: PLC0415 - only who has the genuine library comes here

    authors: Any = importlib.import_module("mlserver.metrics").REGISTRY
    if authors not in REGISTRY._collector_to_names:
        REGISTRY.register(authors)


def _entries(wanted: Wanted, folder: Path, library: Foreign) -> list[Entry]:
    selected = None if wanted.path.is_dir() or wanted.path.name == repository.FILE else wanted.path
    found = repository.entries(folder, library)
    if selected is not None:
        found = [each for each in found if _file_of(each) == selected]
    if wanted.class_name is not None:
        found = [each for each in found if each.settings.implementation_.rpartition(".")[2] == wanted.class_name]
    return found or _without_settings(wanted, library)


def _file_of(entry: Entry) -> Path:
    module = entry.settings.implementation_.rpartition(".")[0]
    return (entry.folder / f"{module.replace('.', '/')}.py").resolve()


def _without_settings(wanted: Wanted, library: Foreign) -> list[Entry]:
    """Return an entry for each class of an author's file or folder, under the class's name."""
    found = []
    seen = []
    for source in sources(wanted.path):
        for each in _models(source):
            seen.append(f"{source.path.name}:{each}")
            if wanted.class_name in (None, each):
                folder = source.path.parent
                settings = library.settings.ModelSettings(
                    name=each, implementation=f"{source.path.stem}.{each}", parameters={"uri": str(folder)}
                )
                found.append(Entry(settings, folder, str(source.path)))
    if not found:
        there = f"; it has {', '.join(seen)}" if seen else ""
        which = f" {wanted.class_name!r}" if wanted.class_name else ""
        raise DiscoveryError(
            f"{wanted.path} has neither {repository.FILE} nor a subclass of mlserver.MLModel{which}{there}"
        )
    return found


def _models(source: Source) -> list[str]:
    """Return the classes of a file that are models: of MLModel, or of one of the file's own that is."""
    known = {"mlserver.MLModel", "mlserver.model.MLModel"}
    names = []
    for each in source.classes:
        if known.intersection(each.bases):
            known.add(each.name)
            names.append(each.name)
    return names


def _batching(found: Sequence[Entry]) -> Mapping[str, Any]:
    """Return the models' adaptive batching as the server's, which is one for all of its models.

    Raises:
        DiscoveryError: the models differ in it.

    """
    wanted = {(each.settings.max_batch_size, each.settings.max_batch_time): each.where for each in found}
    if len(wanted) > 1:
        said = "; ".join(f"{where}: {size} and {time} s" for (size, time), where in wanted.items())
        raise DiscoveryError(
            f"max_batch_size and max_batch_time differ ({said}): one server batches all of its models alike; give each "
            "the same, or serve them apart"
        )
    size, time = next(iter(wanted))
    # As with MLServer, either alone is no batching.
    return {"max_batch_size": size, "max_batch_latency_ms": time * 1000} if size > 1 and time > 0 else {}
