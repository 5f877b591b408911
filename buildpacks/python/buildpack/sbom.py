"""A layer's bill of materials, CycloneDX and SPDX, from the metadata that installing left beside the packages.

Without times and with identifiers made from the content, so that one tree stays one digest.
"""

import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .context import Context
from .layers import Layer

if TYPE_CHECKING:
    # Imported where it is used: a build that installs nothing does without it.
    from importlib.metadata import Distribution

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "modelwright.dev")
# What the lifecycle gives every file of a layer as its time.
CREATED = "1980-01-01T00:00:01Z"
_LICENSE = "License :: "


@dataclass(frozen=True)
class Component:
    """One installed package. `expression` is its license where it is an SPDX expression, `license` in any form."""

    name: str
    version: str
    license: str
    expression: str
    requires: tuple[str, ...]

    @property
    def purl(self) -> str:
        """The package's address, https://github.com/package-url/purl-spec."""
        return f"pkg:pypi/{self.name}@{self.version.replace('+', '%2B')}"


def write(context: Context, layer: Layer, *folders: Path) -> None:
    """Write both documents about the packages in `folders`, which are on the path of Python, beside the layer."""
    found = components(folders)
    tool = ("modelwright/python", context.version)
    for ending, document in (("cdx", cyclonedx(layer.name, found, tool)), ("spdx", spdx(layer.name, found, tool))):
        text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False)
        (layer.root / f"{layer.name}.sbom.{ending}.json").write_text(text + "\n", encoding="utf-8")


def components(folders: Sequence[Path]) -> list[Component]:
    """Read what is installed, by name."""
    from importlib.metadata import distributions  # noqa: PLC0415

    found = {each.name: each for each in map(_component, distributions(path=[str(folder) for folder in folders]))}
    return [found[name] for name in sorted(found)]


def _component(package: "Distribution") -> Component:
    # Not every one of these headers is in typeshed's protocol for a message: a message it is.
    metadata: Any = package.metadata
    expression = metadata.get("License-Expression") or ""
    said = metadata.get("License") or ""
    classified = [
        each.rpartition(" :: ")[2] for each in metadata.get_all("Classifier", []) if each.startswith(_LICENSE)
    ]
    # A whole license text stands in this field as often as a name.
    named = expression or ("" if "\n" in said or len(said) > 80 else said) or ", ".join(classified)
    requires = {
        normal(match[0])
        for line in package.requires or []
        if "extra ==" not in line and (match := re.match(r"[A-Za-z0-9._-]+", line))
    }
    return Component(normal(metadata["Name"]), package.version, named, expression, tuple(sorted(requires)))


def normal(name: str) -> str:
    """Give a package's name as indexes compare it, PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _identifier(layer: str, found: Sequence[Component]) -> uuid.UUID:
    return uuid.uuid5(NAMESPACE, "\n".join([layer, *(each.purl for each in found)]))


def cyclonedx(layer: str, found: Sequence[Component], tool: tuple[str, str]) -> dict[str, Any]:
    """Describe packages as https://cyclonedx.org/docs/1.5/json/ has it."""
    there = {each.name: each.purl for each in found}
    listed = []
    for each in found:
        entry: dict[str, Any] = {
            "type": "library", "bom-ref": each.purl, "name": each.name, "version": each.version, "purl": each.purl,
        }  # fmt: skip
        if each.expression:
            entry["licenses"] = [{"expression": each.expression}]
        elif each.license:
            entry["licenses"] = [{"license": {"name": each.license}}]
        listed.append(entry)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "serialNumber": f"urn:uuid:{_identifier(layer, found)}",
        "metadata": {
            "component": {"type": "application", "bom-ref": layer, "name": layer},
            "tools": {"components": [{"type": "application", "name": tool[0], "version": tool[1]}]},
        },
        "components": listed,
        "dependencies": [
            {"ref": each.purl, "dependsOn": [there[name] for name in each.requires if name in there]} for each in found
        ],
    }


def spdx(layer: str, found: Sequence[Component], tool: tuple[str, str]) -> dict[str, Any]:
    """Describe packages as https://spdx.github.io/spdx-spec/v2.3/ has it."""
    identifiers = {each.name: f"SPDXRef-{re.sub(r'[^A-Za-z0-9.-]', '-', each.name)}" for each in found}
    root = "SPDXRef-DOCUMENT"
    relations = [(root, "DESCRIBES", each) for each in identifiers.values()]
    relations += [
        (identifiers[each.name], "DEPENDS_ON", identifiers[name])
        for each in found
        for name in each.requires
        if name in identifiers
    ]
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": root,
        "name": layer,
        "documentNamespace": f"https://modelwright.dev/spdx/{_identifier(layer, found)}",
        "creationInfo": {"created": CREATED, "creators": [f"Tool: {'-'.join(tool)}"]},
        "packages": [_spdx_package(each, identifiers[each.name]) for each in found],
        "relationships": [
            {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
            for one, kind, other in relations
        ],
    }


def _spdx_package(each: Component, identifier: str) -> dict[str, Any]:
    # A LicenseRef would have to be spelled out in the document, and its text is in the package.
    declared = each.expression if each.expression and "LicenseRef" not in each.expression else "NOASSERTION"
    return {
        "SPDXID": identifier,
        "name": each.name,
        "versionInfo": each.version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": declared,
        "licenseComments": each.license or "none is declared",
        "externalRefs": [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": each.purl}
        ],
    }
