"""IngressReady: whether the route leads anywhere yet."""

from collections.abc import Iterator, Mapping
from typing import Any

from modelwright_operator.addresses import predictor_name, route_kind
from modelwright_operator.api import InferenceService
from modelwright_operator.observed.conditions import INGRESS_READY, Condition, all_of
from modelwright_operator.observed.observation import Observation
from modelwright_operator.settings import Settings


def ingress_condition(isvc: InferenceService, seen: Observation, settings: Settings) -> Condition:
    """Return IngressReady. A service that stays inside the cluster is as reachable as it is meant to be."""
    kind = route_kind(isvc.metadata.labels, settings)
    name = isvc.metadata.name
    if kind == "none":
        return Condition(INGRESS_READY, "True", "ClusterLocal", "reached inside the cluster only")
    names = (name,) if kind == "Ingress" else (name, predictor_name(name))
    return all_of(INGRESS_READY, (_route(kind, one, seen, settings) for one in names))


def _route(kind: str, name: str, seen: Observation, settings: Settings) -> Condition:
    route = seen.children.get((kind, name))
    if route is None:
        return Condition(INGRESS_READY, "Unknown", "RouteNotCreated", f"{kind} {name} does not exist yet")
    status = route.get("status") or {}
    if kind == "Ingress":
        return _address(name, status, settings)
    return all_of(INGRESS_READY, _parents(name, status))


def _address(name: str, status: Mapping[str, Any], settings: Settings) -> Condition:
    if not settings.require_route_address or (status.get("loadBalancer") or {}).get("ingress"):
        return Condition(INGRESS_READY, "True")
    return Condition(
        INGRESS_READY,
        "Unknown",
        "AddressNotAssigned",
        f"Ingress {name} has no address yet; if it stays so, check its class "
        f"({settings.ingress_class_name or 'the default one'}) and that the ingress controller publishes addresses",
    )


def _parents(name: str, status: Mapping[str, Any]) -> Iterator[Condition]:
    parents = status.get("parents") or []
    if not parents:
        yield Condition(
            INGRESS_READY,
            "Unknown",
            "ParentStatusNotAvailable",
            f"no Gateway has accepted HTTPRoute {name} yet; if it stays so, check the Gateway's name and that a "
            "controller serves it",
        )
    for parent in parents:
        conditions = {c.get("type"): c for c in parent.get("conditions") or []}
        for kind in ("Accepted", "ResolvedRefs"):
            found = conditions.get(kind) or {}
            if found.get("status") == "True":
                continue
            refused = found.get("status") == "False"
            yield Condition(
                INGRESS_READY,
                "False" if refused else "Unknown",
                str(found.get("reason") or "ParentStatusNotAvailable"),
                f"HTTPRoute {name}: {kind} is {found.get('status', 'Unknown')}: {found.get('message', '')}".rstrip(
                    ": "
                ),
            )
