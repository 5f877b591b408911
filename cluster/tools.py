"""The tools that are compiled from Go modules: what each is called, where it comes from, what it costs."""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cluster.paths import modules_folder


class UnknownToolError(ValueError):
    """A tool was asked for that no module here builds."""


@dataclass(frozen=True)
class Tool:
    """One binary.

    `package` is the Go package of its main; `source` the module whose version is stamped into it; `stamps`
    the string variables set at link time, in which `{v}` is that version, `{bare}` the same without its v,
    `{minor}` its minor number; `seconds` what a cold build took on two cores after the tools before it, the
    base of every estimate.
    """

    name: str
    module: str
    package: str
    source: str
    seconds: int
    stamps: tuple[str, ...] = ()


_KUBERNETES_STAMPS = (
    "k8s.io/component-base/version.gitVersion={v}",
    "k8s.io/component-base/version.gitMajor=1",
    "k8s.io/component-base/version.gitMinor={minor}",
    "k8s.io/client-go/pkg/version.gitVersion={v}",
)


def _kubernetes(name: str, seconds: int) -> Tool:
    return Tool(name, "kubernetes", f"k8s.io/kubernetes/cmd/{name}", "k8s.io/kubernetes", seconds, _KUBERNETES_STAMPS)


def _lifecycle(name: str, seconds: int) -> Tool:
    source = "github.com/buildpacks/lifecycle"
    return Tool(name, "lifecycle", f"{source}/cmd/{name}", source, seconds, (f"{source}/cmd.Version={{bare}}",))


_HELM = "helm.sh/helm/v3"
_TRAEFIK = "github.com/traefik/traefik/v3"
_METRICS = "sigs.k8s.io/metrics-server"
_LOCAL_PATH = "github.com/rancher/local-path-provisioner"
_METRICS_STAMPS = ("k8s.io/client-go/pkg/version.gitVersion={v}",)

# In the order in which they are built: what a cluster needs first comes first.
TOOLS: tuple[Tool, ...] = (
    Tool("etcd", "etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3", 33),
    _kubernetes("kube-apiserver", 145),
    _kubernetes("kubectl", 15),
    _kubernetes("kube-controller-manager", 37),
    _kubernetes("kube-scheduler", 5),
    _kubernetes("kubelet", 14),
    _kubernetes("kube-proxy", 6),
    Tool(
        "pack",
        "pack",
        "github.com/buildpacks/pack",
        "github.com/buildpacks/pack",
        26,
        ("github.com/buildpacks/pack/pkg/client.Version={bare}",),
    ),
    _lifecycle("lifecycle", 42),
    _lifecycle("launcher", 1),
    Tool("coredns", "coredns", "github.com/coredns/coredns", "github.com/coredns/coredns", 57),
    Tool(
        "versitygw",
        "versitygw",
        "github.com/versity/versitygw/cmd/versitygw",
        "github.com/versity/versitygw",
        32,
        ("main.Version={v}",),
    ),
    Tool(
        "helm",
        "helm",
        f"{_HELM}/cmd/helm",
        _HELM,
        31,
        (
            f"{_HELM}/internal/version.version={{v}}",
            # `.Capabilities.KubeVersion` of `helm template`: the Kubernetes whose client-go it is built with.
            f"{_HELM}/pkg/lint/rules.k8sVersionMajor=1",
            f"{_HELM}/pkg/lint/rules.k8sVersionMinor=34",
            f"{_HELM}/pkg/chartutil.k8sVersionMajor=1",
            f"{_HELM}/pkg/chartutil.k8sVersionMinor=34",
        ),
    ),
    Tool("metrics-server", "metrics-server", f"{_METRICS}/cmd/metrics-server", _METRICS, 59, _METRICS_STAMPS),
    Tool("local-path-provisioner", "local-path-provisioner", _LOCAL_PATH, _LOCAL_PATH, 40, ("main.VERSION={v}",)),
    Tool(
        "traefik",
        "traefik",
        f"{_TRAEFIK}/cmd/traefik",
        _TRAEFIK,
        207,
        (f"{_TRAEFIK}/pkg/version.Version={{bare}}",),
    ),
    Tool("kind", "kind", "sigs.k8s.io/kind", "sigs.k8s.io/kind", 3),
    # KServe's own controller: only the benchmark that compares with it builds it.
    Tool("manager", "kserve", "github.com/kserve/kserve/cmd/manager", "github.com/kserve/kserve", 82),
)


def select(names: Iterable[str]) -> list[Tool]:
    """Return the named tools, each once, in building order; raise UnknownToolError for a name not here."""
    wanted = set(names)
    unknown = wanted - {tool.name for tool in TOOLS}
    if unknown:
        known = ", ".join(tool.name for tool in TOOLS)
        raise UnknownToolError(f"no module builds {', '.join(sorted(unknown))}; there are: {known}")
    return [tool for tool in TOOLS if tool.name in wanted]


def version(tool: Tool) -> str:
    """Version of the tool's source, such as v1.34.4, as its module's go.mod pins it."""
    text = (modules_folder() / tool.module / "go.mod").read_text()
    found = re.search(rf"^(?:require)?\s+{re.escape(tool.source)} (v\S+)", text, re.MULTILINE)
    if found is None:
        raise UnknownToolError(f"cluster/modules/{tool.module}/go.mod does not require {tool.source}")
    return found.group(1)


def go_version(tools: Iterable[Tool]) -> tuple[int, ...]:
    """Return the oldest Go that builds all of the tools: the largest `go` line of their modules."""
    texts = [(modules_folder() / tool.module / "go.mod").read_text() for tool in tools]
    lines = [found.group(1) for text in texts if (found := re.search(r"^go (\S+)", text, re.MULTILINE))]
    return max(tuple(int(part) for part in line.split(".")) for line in lines)


def linker_flags(tool: Tool) -> str:
    """Return the value of `-ldflags`: no symbol table, the version stamped in as upstream's releases do."""
    number = version(tool)
    fields = {"v": number, "bare": number.removeprefix("v"), "minor": number.split(".")[1]}
    return " ".join(["-s", "-w", *(f"-X {stamp.format(**fields)}" for stamp in tool.stamps)])


def key(tool: Tool, modules: Path | None = None) -> str:
    """Hash of all that decides what the binary is: go.mod, go.sum, package, flags and processor."""
    folder = (modules or modules_folder()) / tool.module
    digest = hashlib.sha256()
    for part in (
        (folder / "go.mod").read_bytes(),
        (folder / "go.sum").read_bytes(),
        f"{tool.package} {linker_flags(tool)} {platform.machine()}".encode(),
    ):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:16]
