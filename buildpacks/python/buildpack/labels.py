"""The image's labels: what it serves, what it was made of and from where, for whoever has only the image."""

from collections.abc import Mapping

from .context import Context
from .interpreter import Interpreter
from .project import Project
from .revision import Revision
from .server import Server
from .style import Style

OPEN_CONTAINERS = "org.opencontainers.image"
OURS = "dev.modelwright"
# The image-spec's annotations, by the variables that Paketo's image-labels buildpack reads them from.
GIVEN = {
    f"BP_OCI_{name.upper()}": f"{OPEN_CONTAINERS}.{name}"
    for name in ("title", "description", "version", "revision", "source", "url", "licenses", "vendor", "authors")
}


def of(
    context: Context,
    project: Project,
    style: Style | None,
    python: Interpreter,
    server: Server | None,
    revision: Revision,
) -> Mapping[str, str]:
    """Give the labels that are known, in the order of their names. A variable of the build wins over a file."""
    models = style.models if style else {}
    versions = {name: version for name, version in models.items() if version}
    found = {
        f"{OPEN_CONTAINERS}.title": project.name or ",".join(models),
        f"{OPEN_CONTAINERS}.version": project.version or (",".join(versions.values()) if len(versions) == 1 else ""),
        f"{OPEN_CONTAINERS}.revision": revision.commit,
        f"{OPEN_CONTAINERS}.source": revision.source,
        f"{OURS}.style": style.name if style else "",
        f"{OURS}.models": ",".join(models),
        f"{OURS}.model-versions": ",".join(f"{name}={version}" for name, version in versions.items()),
        f"{OURS}.python": python.version,
        f"{OURS}.server": server.version if server else "none",
    }
    found.update({label: context.environment[name] for name, label in GIVEN.items() if context.environment.get(name)})
    return {label: found[label] for label in sorted(found) if found[label]}
