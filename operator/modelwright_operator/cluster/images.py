"""Images by name: what ModelImages, and kpack's Images where they are there, have built."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from modelwright_operator.api import InferenceService
from modelwright_operator.cluster.cache import Key
from modelwright_operator.desired.images import BuiltImage, named_images


class Images:
    """What is built, by scheme (`modelimage`, `kpack`), namespace and name."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Key], BuiltImage] = {}

    def put(self, scheme: str, obj: Mapping[str, Any]) -> bool:
        """Take note of an object; return whether what it says of its image is new."""
        key = (scheme, Key(obj["metadata"]["namespace"], obj["metadata"]["name"]))
        built = _built(obj.get("status") or {})
        changed = self._known.get(key) != built
        self._known[key] = built
        return changed

    def drop(self, scheme: str, key: Key) -> bool:
        """Forget an object; return whether it was known."""
        return self._known.pop((scheme, key), None) is not None

    def known(self, scheme: str, namespace: str | None) -> list[Key]:
        """Return the objects of a scheme, or those of it in one namespace."""
        return [key for where, key in self._known if where == scheme and namespace in (None, key.namespace)]

    def of(self, isvc: InferenceService) -> dict[str, BuiltImage | None]:
        """Return what the images by name of a service stand for, by reference; None where there is no such object."""
        return {
            named.reference: self._known.get((named.scheme, Key(isvc.namespace, named.name)))
            for named in named_images(isvc.predictor)
        }


class ImageSink:
    """Files images; one whose digest moves concerns the InferenceServices of its namespace."""

    def __init__(self, images: Images, scheme: str, services: Callable[[str], Iterable[Key]]) -> None:
        self._images, self._scheme, self._services = images, scheme, services

    def put(self, obj: Mapping[str, Any]) -> Iterable[Key]:
        """File the object."""
        changed = self._images.put(self._scheme, obj)
        return self._services(obj["metadata"]["namespace"]) if changed else ()

    def drop(self, namespace: str, name: str, version: int) -> Iterable[Key]:
        """Unfile the object."""
        return self._services(namespace) if self._images.drop(self._scheme, Key(namespace, name)) else ()

    def known(self, namespace: str | None) -> list[tuple[str, str]]:
        """Return the filed objects."""
        return [(key.namespace, key.name) for key in self._images.known(self._scheme, namespace)]


def _built(status: Mapping[str, Any]) -> BuiltImage:
    ready: Mapping[str, Any] = next((c for c in status.get("conditions") or [] if c.get("type") == "Ready"), {})
    return BuiltImage(
        image=str(status.get("latestImage") or ""),
        reason=str(ready.get("reason") or ""),
        # While it is built the message changes with each phase, which concerns no service.
        message=str(ready.get("message") or "") if ready.get("status") == "False" else "",
        failed=ready.get("status") == "False",
    )
