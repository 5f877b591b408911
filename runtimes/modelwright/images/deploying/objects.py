"""The two objects of a deployment, as plain data. Pure but for `from_folder`, which reads the author's own."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from modelwright.images.errors import ImageError
from modelwright.images.order import Order

Object = dict[str, Any]
CONTAINER: Final = "kserve-container"
SCHEME: Final = "modelimage://"
_PORT: Final = 8080
# Jobs and a label of theirs are named after a ModelImage; the operator allows so much.
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,47}[a-z0-9])?")
_MANIFESTS: Final = ("isvc.yaml", "isvc.yml", "inferenceservice.yaml")


def name(text: str, flag: str) -> str:
    """Check a name that a service and its image can have. Raises ImageError."""
    if not _NAME.fullmatch(text):
        raise ImageError(
            f"{text!r} can name no service: it takes small letters, digits and '-', 49 at most; choose one with {flag}"
        )
    return text


def model_image(
    called: str, namespace: str, order: Order, source: str, account: str = "", ca_bundle: str = ""
) -> Object:
    """Give the ModelImage that builds `source`, an artifact by its digest, into the order's tag."""
    build: Object = {"env": [{"name": key, "value": value} for key, value in order.for_a_cluster().items()]}
    if ca_bundle:
        build["caBundle"] = ca_bundle
    spec: Object = {"tag": str(order.tag), "source": {"registry": {"image": source}}, "build": build}
    if order.builder:
        spec["builder"] = order.builder
    if order.run_image:
        spec["runImage"] = order.run_image
    if account:
        spec["serviceAccountName"] = account
    return {
        "apiVersion": "modelwright.dev/v1alpha1",
        "kind": "ModelImage",
        "metadata": {"name": called, "namespace": namespace},
        "spec": spec,
    }


def inference_service(called: str, namespace: str, given: Mapping[str, Any] | None, storage_uri: str) -> Object:
    """Give the InferenceService whose container is the ModelImage of the same name; `given` is the author's own."""
    made: Object = copy.deepcopy(dict(given)) if given else {}
    made = {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", **made}
    made["metadata"] = {**(made.get("metadata") or {}), "name": called, "namespace": namespace}
    spec = made.setdefault("spec", {})
    predictor = spec.setdefault("predictor", {})
    containers = predictor.setdefault("containers", [{"name": CONTAINER}])
    main = next((each for each in containers if each.get("name") == CONTAINER), containers[0])
    main["image"] = f"{SCHEME}{called}"
    if storage_uri:
        predictor["storageUri"] = storage_uri
    return made


def image_of(given: Mapping[str, Any] | None) -> str:
    """Give the image that an InferenceService names, where it is one that can be pushed to; else nothing."""
    image = str(_container(given).get("image") or "")
    return image if "://" not in image and "@" not in image else ""


def port_of(given: Mapping[str, Any] | None) -> int:
    """Give the port that an InferenceService's container is asked on."""
    ports = _container(given).get("ports") or [{}]
    return int(ports[0].get("containerPort") or _PORT)


def _container(given: Mapping[str, Any] | None) -> Mapping[str, Any]:
    containers = (((given or {}).get("spec") or {}).get("predictor") or {}).get("containers") or [{}]
    return next((each for each in containers if each.get("name") == CONTAINER), containers[0])


def from_folder(folder: Path) -> Object | None:
    """Read the InferenceService that lies in the folder, for all that a command line does not say.

    Raises:
        ImageError: the file is not one InferenceService with a container.

    """
    path = next((folder / each for each in _MANIFESTS if (folder / each).is_file()), None)
    if path is None:
        return None
    import yaml  # noqa: PLC0415 - only who has such a file needs the parser

    try:
        found: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ImageError(f"{path} is no YAML: {' '.join(str(error).split())}") from None
    predictor = (found.get("spec") or {}).get("predictor") if isinstance(found, dict) else None
    if not isinstance(predictor, dict) or found.get("kind") != "InferenceService":
        raise ImageError(
            f"{path} is no InferenceService with spec.predictor: mend it, or delete it to have one written"
        )
    if not isinstance(predictor.get("containers", [{}]), list) or predictor.get("containers") == []:
        raise ImageError(f"{path}: spec.predictor.containers must be a list with one container: name it {CONTAINER}")
    given: Object = found
    return given


def as_yaml(*made: Object) -> str:
    """Write objects as one YAML stream."""
    import yaml  # noqa: PLC0415 - see above

    return "---\n".join(yaml.safe_dump(each, sort_keys=False) for each in made)
