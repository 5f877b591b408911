"""Ray Serve deployments of kserve models: brought up as they are declared, each behind a RayModel."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from ray import serve
from ray.serve import Application, Deployment

from modelwright.scale import cluster
from modelwright.server.cgroup import cpu_limit
from modelwright.server.loading import LoadFailed
from modelwright.styles.kserve.foreign import Foreign
from modelwright.styles.kserve.twins.model import BaseKServeModel
from modelwright.styles.kserve.twins.ray import RayModel

# Called in the processes of a Ray that somebody else has started: what is pickled here names kserve's modules there.
_SETUP = "modelwright.styles.kserve.hook.install"


def deploy(given: Mapping[str, Foreign], address: str | None = None) -> dict[str, RayModel]:
    """Run each deployment, or application that `bind` made of one, and wait until its replicas are ready.

    Raises:
        LoadFailed: replicas cannot be placed, or their constructor or `load` raised.

    """
    deployments = {name: _declared(each) for name, each in given.items()}
    demands = {name: _demand(each) for name, each in deployments.items()}
    cpus = max(cpu_limit(), sum(demand.get("CPU", 0) for demand in demands.values()))
    try:
        cluster.connect(address, cpus=cpus, setup=_SETUP)
        for name, demand in demands.items():
            cluster.check(f"the replicas of {name!r}", demand)
    except ConnectionError as error:
        raise LoadFailed(str(error)) from None
    except cluster.Unplaceable as error:
        raise LoadFailed(f"{error}; its deployment's num_replicas and ray_actor_options say so") from None
    # Only our server is asked from outside.
    serve.start(proxy_location="Disabled")
    targets = [
        serve.RunTarget(
            target=given[name] if isinstance(given[name], Application) else _bound(name, each),
            name=name,
            route_prefix=None,
        )
        for name, each in deployments.items()
    ]
    try:
        handles = serve.run_many(targets)
    except RuntimeError as error:
        raise LoadFailed(f"Ray Serve did not bring up {', '.join(map(repr, given))}: {error}") from None
    return {name: _ready(name, handle) for name, handle in zip(deployments, handles, strict=True)}


def is_deployment(given: Foreign) -> bool:
    """Tell what `@serve.deployment` makes of a class, and what its `bind` makes."""
    return isinstance(given, Deployment | Application)


def _declared(given: Foreign) -> Deployment:
    return given._bound_deployment if isinstance(given, Application) else given


def _ready(name: str, handle: serve.handle.DeploymentHandle[Any]) -> RayModel:
    model = RayModel(name, handle)
    model.ready = True
    return model


def _demand(deployment: Deployment) -> dict[str, float]:
    # One CPU is what Serve gives a replica that says nothing; None is how many replicas there are to begin with, one,
    # where Ray scales them itself.
    return cluster.demand({"num_cpus": 1, **(deployment.ray_actor_options or {})}, deployment.num_replicas or 1)


def _bound(name: str, deployment: Deployment) -> Application:
    kind = deployment.func_or_class
    if not isinstance(kind, type) or not issubclass(kind, BaseKServeModel):
        raise LoadFailed(f"{name!r} deploys {kind!r}, which is no subclass of kserve.Model")
    options: dict[str, Any] = {"func_or_class": _loading(kind)}
    if deployment.logging_config is None:
        # Our server writes the access log; Ray's would come here a second time, by a slower way.
        options["logging_config"] = {"enable_access_log": False}
    # What a deployment was given with `bind` is in an Application, and comes here no more.
    return deployment.options(**options).bind(*((name,) if _wants_name(kind) else ()))


def _wants_name(kind: type[Any]) -> bool:
    # Both forms are in KServe's documents: __init__(self) and __init__(self, name).
    parameter = inspect.signature(kind).parameters.get("name")
    return parameter is not None and parameter.default is parameter.empty


def _loading(kind: type[Any]) -> type[Any]:
    """Make a class whose instances are loaded once they are made: Ray counts a replica as ready then."""

    async def __init__(self: Foreign, *arguments: Foreign, **keywords: Foreign) -> None:  # noqa: N807
        kind.__init__(self, *arguments, **keywords)
        if not self.ready:
            loaded = self.load()
            loaded = await loaded if inspect.isawaitable(loaded) else loaded
            self.ready = bool(self.ready or loaded)
        if not self.ready:
            raise RuntimeError(f"{kind.__name__}.load() neither set self.ready nor returned True")
        self.start()
        if self.engine:
            await self.start_engine()

    return type(kind.__name__, (kind,), {"__init__": __init__, "__module__": kind.__module__, "__doc__": kind.__doc__})
