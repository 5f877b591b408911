"""What is refused of a ModelImage at `kubectl apply`, each with the field and the remedy in its message."""

from modelwright_operator.api.rule import Rule

MAX_NAME = 63 - len("-look-65a1b2c3")
"""The longest name whose Jobs' names, and the label on their pods, are still labels."""

_HOST = (
    r"^([A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+(:[0-9]+)?|[A-Za-z0-9.-]+:[0-9]+|localhost|\\[[0-9a-fA-F:]+\\](:[0-9]+)?)/.+"
)
_IMAGE = "write it as host/repository:tag, such as registry.example.com/models/iris:latest"
_SSH = "ssh://([^/@:]+@)?[^/@]+/.+|[^/@:]+@[^/@:]+:.+"
_SOURCES = ("s3", "gs", "hf", "https", "http", "pvc")

OBJECT_RULES = (
    Rule(
        rule="has(self.spec)",
        message="spec is required: give it tag, builder and source",
        field=".spec",
    ),
    Rule(
        rule=f"size(self.metadata.name) <= {MAX_NAME}",
        message=f"metadata.name is too long: Jobs are named after it, so shorten it to {MAX_NAME} characters or fewer",
        field=".metadata.name",
        for_new=True,
    ),
    Rule(
        rule="self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
        message="metadata.name must have only lower-case letters, digits and '-', because Jobs and a label are named "
        "after it: rename the ModelImage, for example iris",
        field=".metadata.name",
        for_new=True,
    ),
)

SPEC_RULES = (
    Rule(
        rule="has(self.tag) && size(self.tag) > 0",
        message=f"spec.tag is required, the image to push: {_IMAGE}",
        field=".tag",
    ),
    Rule(
        rule=f"!has(self.tag) || size(self.tag) == 0 || (self.tag.matches('{_HOST}') && !self.tag.contains('@'))",
        message=f"spec.tag must name the registry's host and a tag, not a digest: {_IMAGE}",
        field=".tag",
    ),
    Rule(
        rule=f"!has(self.builder) || self.builder.matches('{_HOST}')",
        message="spec.builder must name the registry's host: write it as host/repository:tag, or "
        "host/repository@sha256:...",
        field=".builder",
    ),
    Rule(
        rule=f"!has(self.runImage) || self.runImage.matches('{_HOST}')",
        message="spec.runImage must name the registry's host: write it as host/repository:tag, or leave it away",
        field=".runImage",
    ),
    Rule(
        rule="has(self.source) && [has(self.source.git), has(self.source.registry), has(self.source.storageUri)]"
        ".filter(given, given).size() == 1",
        message="spec.source must have exactly one of git, registry and storageUri: say where the folder with the "
        "model is",
        field=".source",
    ),
    Rule(
        rule="!has(self.source) || !has(self.source.git) || "
        f"(has(self.source.git.url) && self.source.git.url.matches('^(https?://[^/]+/.+|{_SSH})'))",
        message="spec.source.git.url must be an address that git has, such as https://git.example.com/models/iris.git, "
        "ssh://git@git.example.com/models/iris.git or git@git.example.com:models/iris.git",
        field=".source",
    ),
    Rule(
        rule="!has(self.source) || !has(self.source.git) || !has(self.source.git.url) || "
        f"!self.source.git.url.matches('^({_SSH})') || "
        "(has(self.source.git.secretName) && size(self.source.git.secretName) > 0)",
        message="spec.source.git.secretName is required for ssh: name a Secret of type kubernetes.io/ssh-auth with the "
        "key known_hosts beside ssh-privatekey",
        field=".source",
    ),
    Rule(
        rule="!has(self.source) || !has(self.source.git) || !has(self.source.git.url) || "
        "!self.source.git.url.matches('^https?://[^/]*@')",
        message="spec.source.git.url must not hold a user or password, which everybody could read: put them into a "
        "Secret with the keys username and password, and name it in spec.source.git.secretName",
        field=".source",
    ),
    Rule(
        rule="!has(self.source) || !has(self.source.git) || !has(self.source.git.subPath) || "
        "(!self.source.git.subPath.startsWith('/') && !self.source.git.subPath.split('/').exists(part, part == '..'))",
        message="spec.source.git.subPath must stay inside the repository: write it without a leading / and without ..",
        field=".source",
    ),
    Rule(
        rule="!has(self.source) || !has(self.source.registry) || "
        f"(has(self.source.registry.image) && self.source.registry.image.matches('{_HOST}'))",
        message="spec.source.registry.image is required and must name the registry's host: write it as "
        "host/repository:tag, or host/repository@sha256:...",
        field=".source",
    ),
    Rule(
        rule="!has(self.source) || !has(self.source.storageUri) || "
        f"self.source.storageUri.matches('^({'|'.join(_SOURCES)})://[^/]+')",
        message="spec.source.storageUri must start with one of "
        + ", ".join(f"{scheme}://" for scheme in _SOURCES)
        + " and name a bucket, host or claim",
        field=".source",
    ),
    Rule(
        rule="!has(self.cache) || !(has(self.cache.volume) && has(self.cache.registry))",
        message="spec.cache must have one of volume and registry, not both: remove one",
        field=".cache",
    ),
    Rule(
        rule="!has(self.cache) || !has(self.cache.registry) || "
        f"(has(self.cache.registry.tag) && self.cache.registry.tag.matches('{_HOST}') && "
        "self.cache.registry.tag != self.tag)",
        message="spec.cache.registry.tag must be an image of its own, with the registry's host and another name than "
        "spec.tag: such as registry.example.com/models/iris:cache",
        field=".cache",
    ),
    Rule(
        rule="!has(self.cache) || !has(self.cache.volume) || !has(self.cache.volume.size) || "
        "isQuantity(self.cache.volume.size)",
        message="spec.cache.volume.size must be a quantity, such as 2Gi",
        field=".cache",
    ),
)
