"""What runs a handle's replicas."""

from __future__ import annotations

import importlib.util
import os
import sys
from dataclasses import dataclass
from typing import Any

import cloudpickle  # type: ignore[import-untyped]

from modelwright.scale.processes import Processes
from modelwright.scale.replicas import Replicas
from modelwright.styles import substitutes
from modelwright.styles.nos import packages


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes a spec's object in whichever process it is called in; `pickled` is the class and its arguments.

    Pickled apart, since the author's class may want modules that our library answers for.
    """

    pickled: bytes

    def __call__(self) -> object:
        """Make the object."""
        substitutes.install()
        kind, arguments, keywords = cloudpickle.loads(self.pickled)
        return kind(*arguments, **keywords)


def maker(spec: Any) -> Maker:  # noqa: ANN401 - the genuine library's ModelSpec as well as ours
    """Give what makes a spec's object elsewhere; a class that cannot be imported there travels by value."""
    signature = spec.default_signature
    kind = signature.func_or_cls
    module = sys.modules.get(kind.__module__)
    by_value = module is not None and kind.__module__ != "__main__" and not _importable(kind.__module__)
    if by_value:
        cloudpickle.register_pickle_by_value(module)
    try:
        return Maker(cloudpickle.dumps((kind, signature.init_args, signature.init_kwargs)))
    finally:
        if by_value:
            cloudpickle.unregister_pickle_by_value(module)


def replicas(spec: Any, count: int) -> Replicas:  # noqa: ANN401 - as `maker`
    """Start replicas of a spec: on Ray where one is named or runs in this process, else as processes.

    A spec that asks for packages that are not here has them in an environment of its own.

    Raises:
        EnvironmentUnusable: that environment cannot be had.
        Exception: what the author's constructor raises.

    """
    wanted = packages.of(spec.runtime_env)
    missing = packages.missing(wanted)
    if _on_ray():
        from modelwright.scale.ray_replicas import RayReplicas  # noqa: PLC0415 - only who asks for Ray waits for it

        return RayReplicas(maker(spec), count, options={"runtime_env": {"pip": list(wanted)}} if missing else None)
    if not missing:
        return Processes(maker(spec), count)
    from modelwright.environments import replicas as environment  # noqa: PLC0415 - few models have one

    described = environment.described(wanted, f"runtime_env of {spec.id!r}")
    return Processes(maker(spec), count, environment.launch(described))


def _on_ray() -> bool:
    """Tell whether Ray is asked for: by RAY_ADDRESS, "local" for one of this process's own, or by `ray.init()`."""
    ray = sys.modules.get("ray")
    return bool(os.environ.get("RAY_ADDRESS")) or (ray is not None and bool(ray.is_initialized()))


def _importable(module: str) -> bool:
    try:
        found = importlib.util.find_spec(module)
        # A file that scales at its top, where it would be run again by its own replica, and so on.
        return found is not None and not getattr(found, "_initializing", False)
    except (ImportError, ValueError):
        return False
