"""A ModelImage as the constructors of its children see it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelwright_operator import labels
from modelwright_operator.api.modelimage import ModelImage
from modelwright_operator.desired.storage_uri import Claim, claim_of, scheme_of
from modelwright_operator.settings import Settings


@dataclass(frozen=True)
class Target:
    """One ModelImage with the facts that several of its children need."""

    image: ModelImage
    settings: Settings
    service_account: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """The ModelImage's name."""
        return self.image.metadata.name

    @property
    def annotations(self) -> Mapping[str, str]:
        """The ModelImage's own annotations."""
        return self.image.metadata.annotations

    @property
    def builder(self) -> str:
        """The builder as named; empty where neither the author nor the operator's settings name one."""
        return self.image.spec.builder or self.settings.builder_image

    @property
    def source(self) -> str:
        """`spec.source` as JSON, for the fetching containers."""
        dumped = self.image.spec.source.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True)
        return json.dumps(dumped, sort_keys=True)

    @property
    def storage_scheme(self) -> str:
        """The scheme of `storageUri`, empty for other sources."""
        return scheme_of(self.image.spec.source.storage_uri or "")

    @property
    def claim(self) -> Claim | None:
        """The claim that holds the source, None for other sources."""
        return claim_of(self.image.spec.source.storage_uri or "")

    @property
    def ssh_secret(self) -> str:
        """The Secret with the key of a repository that git reaches by ssh, empty for other sources."""
        git = self.image.spec.source.git
        return git.secret_name if git and not git.url.startswith(("https://", "http://")) else ""

    @property
    def pull_secrets(self) -> list[str]:
        """The ServiceAccount's imagePullSecrets."""
        listed = (self.service_account or {}).get("imagePullSecrets") or []
        return sorted({str(entry["name"]) for entry in listed if entry.get("name")})

    @property
    def moves(self) -> bool:
        """Whether anything that goes into the image may become another by itself."""
        spec = self.image.spec
        named = [self.builder, *([spec.run_image] if spec.run_image else [])]
        if spec.source.registry:
            named.append(spec.source.registry.image)
        if spec.source.git:
            revision = spec.source.git.revision
            pinned = len(revision) == 40 and not set(revision) - set("0123456789abcdef")
            return not pinned or not all("@sha256:" in each for each in named)
        return spec.source.storage_uri is not None or not all("@sha256:" in each for each in named)

    def metadata(self, name: str, **more: str) -> dict[str, Any]:
        """Return the metadata of a child, with `more` labels; it is owned by the ModelImage."""
        own = self.image.metadata
        return {
            "name": name,
            "namespace": own.namespace,
            "labels": {**labels.inherited(own.labels), labels.MODEL_IMAGE: own.name, **more},
            "ownerReferences": self.image.owner_references(),
        }
