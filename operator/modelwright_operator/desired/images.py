"""Images by name: `modelimage://NAME` and `kpack://NAME` in a container stand for what that object has built."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from modelwright_operator.api import PredictorSpec

KINDS = {"modelimage": ("ModelImage", "modelimage"), "kpack": ("kpack Image", "images.kpack.io")}
"""By scheme, what the object is called and its name for kubectl."""


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """What one object says of its image: by digest, empty before the first is built; and why it is not Ready."""

    image: str = ""
    reason: str = ""
    message: str = ""
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """One such image in a service: where it stands, and the object's scheme and name."""

    field: str
    reference: str
    scheme: str
    name: str

    @property
    def label(self) -> str:
        """The object, as people call it."""
        return f"{KINDS[self.scheme][0]} {self.name}"

    @property
    def look(self) -> str:
        """The command that tells more of it."""
        return f"kubectl describe {KINDS[self.scheme][1]} {self.name}"


def named_images(predictor: PredictorSpec) -> list[Named]:
    """Return the images by name of all containers of a predictor."""
    found = []
    for field, container in _containers(predictor):
        reference = str(container.get("image") or "")
        scheme, separator, name = reference.partition("://")
        if separator and scheme in KINDS:
            found.append(Named(f"{field}[{container.get('name')}].image", reference, scheme, name))
    return found


def image_of(reference: str, images: Mapping[str, BuiltImage | None]) -> str:
    """Return the image to run: what the name stands for, or any other reference as it is."""
    built = images.get(reference)
    return built.image if built and built.image else reference


def outdated(predictor: PredictorSpec, images: Mapping[str, BuiltImage | None]) -> list[str]:
    """Return a sentence for each image that a newer build was to replace and did not."""
    return [
        f"{named.label} keeps its last image, because its newest build failed ({built.reason}): {named.look}"
        for named in named_images(predictor)
        if (built := images.get(named.reference)) and built.image and built.failed
    ]


def _containers(predictor: PredictorSpec) -> Iterator[tuple[str, dict[str, Any]]]:
    pod = predictor.pod_spec()
    for field in ("initContainers", "containers"):
        for container in pod.get(field) or []:
            yield f"spec.predictor.{field}", container
    if predictor.worker_spec and predictor.worker_spec.container:
        yield "spec.predictor.workerSpec.containers", predictor.worker_spec.container
