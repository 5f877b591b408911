"""The containers of a ModelImage's Jobs: ours that fetches, then the lifecycle's phases, as kpack lays them out."""

import json
from typing import Any
from urllib.parse import quote

from modelwright_operator.desired.build import volumes
from modelwright_operator.desired.build.facts import Facts
from modelwright_operator.desired.build.target import Target
from modelwright_operator.desired.security import secure_container
from modelwright_operator.desired.storage import fetching_resources

LIFECYCLE = "/cnb/lifecycle"
PHASES = ("fetch", "analyze", "detect", "restore", "build", "export")
"""The building Job's containers, in the order in which they run."""
BUILD_ENV = "MODELWRIGHT_BUILD_ENV_"
"""The fetching container makes a file below /platform/env of each variable with this prefix."""

_DOCKER_CONFIG = f"{volumes.LOGINS}/config.json"
_CA_FILE = f"{volumes.CERTIFICATES}/cabundle.crt"


def resolve(target: Target) -> dict[str, Any]:
    """Return the container that says what source and builder are now."""
    arguments = ["resolve", "--builder", target.builder]
    if target.image.spec.run_image:
        arguments += ["--run-image", target.image.spec.run_image]
    return _ours("resolve", target, arguments, volumes.fetch_mounts(target), {})


def fetch(target: Target, facts: Facts) -> dict[str, Any]:
    """Return the container that fills workspace, platform and the registry logins."""
    arguments = ["fetch", "--pinned", facts.source, "--docker-config", _DOCKER_CONFIG]
    mounts = [
        *volumes.fetch_mounts(target),
        volumes.mount("workspace", "/workspace"),
        volumes.mount("platform", "/platform"),
        volumes.mount("logins", volumes.LOGINS),
    ]
    given = {entry["name"]: entry for entry in target.image.spec.build.env}
    common = {name: {"name": name, "value": value} for name, value in _common(target).items()}
    prefixed = {
        f"{BUILD_ENV}{name}": {**entry, "name": f"{BUILD_ENV}{name}"} for name, entry in {**common, **given}.items()
    }
    return _ours("fetch", target, arguments, mounts, prefixed)


def lifecycle(target: Target, facts: Facts) -> list[dict[str, Any]]:
    """Return the lifecycle's containers, in the order in which they run."""
    tag = target.image.spec.tag
    workspace, platform = (
        volumes.mount("workspace", "/workspace"),
        volumes.mount("platform", "/platform", read_only=True),
    )
    image_cache, cache = _cache(target)
    mounted = volumes.cache_mounts(target)
    return [
        _phase("analyze", "analyzer", [f"-run-image={facts.run_image}", *image_cache, tag], target, facts),
        _phase("detect", "detector", [], target, facts, workspace, platform),
        _phase("restore", "restorer", cache, target, facts, *mounted),
        _phase("build", "builder", [], target, facts, workspace, platform),
        # The report, which has the digest, becomes the container's termination message.
        _phase("export", "exporter", [*cache, "-report=/dev/termination-log", tag], target, facts, workspace, *mounted),
    ]


def _cache(target: Target) -> tuple[list[str], list[str]]:
    """Return the analyzer's and the others' arguments about the cache."""
    cache = target.image.spec.cache
    if cache.volume:
        return [], [f"-cache-dir={volumes.CACHE}"]
    if cache.registry:
        return [f"-cache-image={cache.registry.tag}"], [f"-cache-image={cache.registry.tag}"]
    return [], []


def _phase(
    name: str, program: str, arguments: list[str], target: Target, facts: Facts, *mounts: dict[str, Any]
) -> dict[str, Any]:
    runs_buildpacks = name in ("detect", "build")
    env = {**_common(target), "CNB_PLATFORM_API": facts.platform_api, "CNB_NO_COLOR": "true"}
    if not runs_buildpacks:
        env["DOCKER_CONFIG"] = volumes.LOGINS
        if target.settings.insecure_registries:
            env["CNB_INSECURE_REGISTRIES"] = ",".join(target.settings.insecure_registries)
    container: dict[str, Any] = {
        "name": name,
        "image": facts.builder,
        "command": [f"{LIFECYCLE}/{program}"],
        "args": arguments,
        "env": [{"name": key, "value": value} for key, value in env.items()],
        "resources": target.image.spec.build.resources,
        "volumeMounts": [*volumes.step_mounts(target, logins=not runs_buildpacks), *mounts],
        # Buildpacks of others write below their user's home.
        "securityContext": {} if runs_buildpacks else {"readOnlyRootFilesystem": True},
    }
    return _finished(container)


def _ours(
    name: str, target: Target, arguments: list[str], mounts: list[dict[str, Any]], env: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    settings = target.settings
    found = volumes.storage_credentials(target)
    own = {**settings.storage_initializer_env, **_common(target), "HOME": "/tmp"}  # noqa: S108 - a volume of its own
    source = ["--source", _mounted(target)]
    insecure = [word for host in settings.insecure_registries for word in ("--insecure-registry", host)]
    return _finished(
        {
            "name": name,
            "image": settings.storage_initializer_image,
            "command": list(settings.source_command),
            "args": [*arguments, *source, *insecure],
            "env": [
                *found.env,
                *_git_login(target),
                *({"name": key, "value": value} for key, value in own.items()),
                *env.values(),
            ],
            "envFrom": found.env_from,
            "resources": fetching_resources(target.settings),
            "securityContext": {"readOnlyRootFilesystem": True},
            "volumeMounts": [*mounts, *found.mounts],
        }
    )


def _mounted(target: Target) -> str:
    """Return the source; one in a claim is where the claim is mounted."""
    if claim := target.claim:
        return json.dumps({"storageUri": f"file://{volumes.CLAIM}/{quote(claim.path)}"})
    return target.source


def _git_login(target: Target) -> list[dict[str, Any]]:
    git = target.image.spec.source.git
    if git is None or not git.secret_name:
        return []
    if target.ssh_secret:
        return [{"name": "GIT_SSH_FOLDER", "value": volumes.GIT_SSH}]
    keys = {"GIT_USERNAME": "username", "GIT_PASSWORD": "password"}
    return [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": git.secret_name, "key": key, "optional": True}}}
        for name, key in keys.items()
    ]


def _common(target: Target) -> dict[str, str]:
    """Return the environment of every container, the buildpacks' included."""
    trusted = {"SSL_CERT_FILE": _CA_FILE} if target.image.spec.build.ca_bundle else {}
    return {**target.settings.build_env, **trusted}


def _finished(container: dict[str, Any]) -> dict[str, Any]:
    """Return a container with what diagnosis and Pod Security `restricted` need, without empty fields."""
    result = {"terminationMessagePolicy": "FallbackToLogsOnError", **container}
    result["securityContext"] = secure_container(container, {})
    return {name: value for name, value in result.items() if value not in ([], {})}
