"""Sources in a registry: an image or artifact whose layers are the folder's files."""

import hashlib
import tempfile
from pathlib import Path

from modelwright.registry.client import Registry
from modelwright.sources.reference import parse
from modelwright.weights import archive, verify
from modelwright.weights.errors import WeightsError
from modelwright.weights.publish import publish

_TAR_GZIP = (
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
)
_REMEDY = "Push the folder as layers of tar+gzip, as modelwright deploy does."


def resolve(image: str, registry: Registry) -> str:
    """Return the image by digest. Raises `WeightsError`."""
    reference = parse(image)
    digest, content = registry.manifest(reference)
    if "layers" not in content:
        raise WeightsError(image, "is an index, not one image", "Name one of its manifests by digest.")
    return str(reference.at(digest))


def fetch(image: str, registry: Registry, staging: Path) -> Path:
    """Unpack the layers, later ones over earlier, and return the folder. Raises `WeightsError`."""
    reference = parse(image)
    _, content = registry.manifest(reference)
    tree = staging / "tree"
    tree.mkdir(parents=True)
    for number, layer in enumerate(content.get("layers") or []):
        if layer.get("mediaType") not in _TAR_GZIP:
            raise WeightsError(image, f"its layer {number} is {layer.get('mediaType')}, not tar+gzip", _REMEDY)
        with tempfile.TemporaryDirectory(dir=staging) as folder:
            packed = Path(folder) / "layer.tar.gz"
            _download(image, registry, str(layer["digest"]), packed)
            unpacked = Path(folder) / "files"
            files = archive.unpack(image, packed, unpacked, limit=verify.free(staging), modes=True)
            if any(Path(name).name.startswith(".wh.") for name in files):
                raise WeightsError(image, f"its layer {number} deletes files of another (a whiteout)", _REMEDY)
            publish(image, unpacked, files, (), tree, ())
    return tree


def _download(image: str, registry: Registry, digest: str, target: Path) -> None:
    found, left = hashlib.sha256(), verify.free(target.parent)
    with target.open("xb") as file:
        for chunk in registry.blob(parse(image), digest):
            left -= len(chunk)
            if left < 0:
                raise WeightsError(image, "does not fit on the build's volume", "Leave the weights out of the source.")
            found.update(chunk)
            file.write(chunk)
    if f"sha256:{found.hexdigest()}" != digest:
        raise WeightsError(image, f"the layer {digest} arrived damaged", "Try again, or push it again.")
