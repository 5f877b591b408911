"""Where a model's weights are: the URI that the author gave, taken apart."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from modelwright_operator.desired.subject import Subject

STORAGE_URI = "STORAGE_URI"
FETCHED_SCHEMES = ("s3", "gs", "hf", "https", "http", "file")
SCHEMES = ("pvc", *FETCHED_SCHEMES)

_DNS_SUBDOMAIN = re.compile(r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$")
# Suffixes by which a path in a claim is known to be one file.
_FILE_SUFFIXES = frozenset(
    {".bin", ".bst", ".cbm", ".ckpt", ".csv", ".gguf", ".h5", ".joblib", ".json", ".keras", ".npy", ".npz", ".onnx"}
    | {".pb", ".pickle", ".pkl", ".pmml", ".pt", ".pth", ".safetensors", ".tflite", ".txt", ".ubj", ".yaml", ".yml"}
)


@dataclass(frozen=True)
class Claim:
    """A place in a PersistentVolumeClaim."""

    name: str
    path: str

    @property
    def is_file(self) -> bool:
        """Whether the path names one file, judged by its suffix: nobody can look inside the claim beforehand."""
        return PurePosixPath(self.path).suffix.lower() in _FILE_SUFFIXES

    def problem(self) -> str | None:
        """Return what is wrong with this place, or None."""
        if not _DNS_SUBDOMAIN.match(self.name):
            return (
                f"{self.name!r} cannot be the name of a PersistentVolumeClaim (lower-case letters, digits, '-' and "
                "'.'); write pvc://<claim>/<path in it>"
            )
        if ".." in PurePosixPath(self.path).parts:
            return f"the path {self.path!r} must stay inside the claim; remove '..'"
        return None


def storage_uri(subject: Subject) -> str | None:
    """Return the URI of the weights: `predictor.storageUri`, else STORAGE_URI in the model container's env."""
    if subject.predictor.storage_uri:
        return subject.predictor.storage_uri
    for entry in subject.main_container.get("env") or []:
        if entry.get("name") == STORAGE_URI:
            return str(entry.get("value") or "") or None
    return None


def scheme_of(uri: str) -> str:
    """Return the URI's scheme in lower case, empty where it has none."""
    scheme, separator, _ = uri.partition("://")
    return scheme.lower() if separator else ""


def claim_of(uri: str) -> Claim | None:
    """Return the place in a claim that a `pvc://` URI names, None for other schemes."""
    if scheme_of(uri) != "pvc":
        return None
    name, _, path = uri.partition("://")[2].partition("/")
    return Claim(name, path.strip("/"))
