"""`environment_tarball` and `environment_path`: a model whose class is imported in an environment of its own only."""

from __future__ import annotations

from modelwright import environments
from modelwright.model import Model
from modelwright.styles.catalogue import DiscoveryError, Wanted
from modelwright.styles.mlserver.repository import FILE, Entry

_FIELDS = ("environment_tarball", "environment_path")


def model(entry: Entry) -> Model | None:
    """Give the model that runs there; None for one whose settings name no environment, or which is in it already.

    The path may also be of a requirements.txt, a conda file or a uv.lock, which MLServer itself does not know.

    Raises:
        DiscoveryError: the settings name two, or something that is no environment.

    """
    parameters = entry.settings.parameters
    named = {field: str(value) for field in _FIELDS if (value := getattr(parameters, field, None))}
    if not named or environments.inside():
        return None
    if len(named) > 1:
        raise DiscoveryError(f"{entry.where}: parameters has both {' and '.join(named)}; keep one of them")
    ((field, value),) = named.items()
    try:
        # As with MLServer, from the folder of the settings.
        description = environments.from_file(entry.folder / value)
    except environments.EnvironmentUnusable as error:
        raise DiscoveryError(f"{entry.where}: parameters.{field}: {error}") from None
    settings = entry.folder / FILE
    wanted = Wanted(settings if settings.is_file() else entry.folder, model_name=entry.settings.name)
    return environments.in_environment(description, "mlserver", wanted)
