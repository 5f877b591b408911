"""The chart as Helm renders it, against a real kube-apiserver, and what the operator may do with its roles."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client, config
from modelwright_operator.settings import Settings

from cluster import binaries
from tests.controlplane.schema_api import Kubectl

CHART = Path(__file__).parents[2] / "charts" / "modelwright"
CRD = "inferenceservices.serving.kserve.io"


def helm(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    command = [str(binaries.ensure("helm") / "helm"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done


def kubectl(kubeconfig: Path, *arguments: str) -> str:
    """Run kubectl without a namespace of its own: manifests name theirs."""
    command = [str(binaries.ensure("kubectl") / "kubectl"), f"--kubeconfig={kubeconfig}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def render(*values: str, namespace: str = "system") -> list[dict[str, Any]]:
    sets = [f"--set-json={value}" for value in values]
    text = helm("template", "release", str(CHART), f"--namespace={namespace}", *sets).stdout
    return [manifest for manifest in yaml.safe_load_all(text) if manifest]


def of_kind(manifests: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def operator_env(manifests: list[dict[str, Any]]) -> dict[str, str]:
    container = of_kind(manifests, "Deployment")[0]["spec"]["template"]["spec"]["containers"][0]
    return {entry["name"]: entry["value"] for entry in container["env"]}


def settings_of(manifests: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in [name for name in os.environ if name.startswith("MODELWRIGHT_")]:
        monkeypatch.delenv(name)
    for name, value in operator_env(manifests).items():
        monkeypatch.setenv(name, value)
    return Settings()


# Unlike every default.
OTHER = {
    "route_kind": "HTTPRoute",
    "ingress_class_name": "traefik",
    "ingress_domain": "models.example.org",
    "domain_template": "{{.Name}}.{{.Namespace}}.{{.IngressDomain}}",
    "url_scheme": "https",
    "gateway_name": "public",
    "gateway_namespace": "edge",
    "pod_security": "none",
    "storage_initializer_image": "registry.example.org/storage:1",
    "storage_initializer_command": ["/bin/fetch", "--verbose"],
    "ray_worker_command": ["modelwright", "join"],
    "builder_image": "registry.example.org/builder:1",
    "build_poll_seconds": 60,
    "build_env": {"UV_INDEX": "https://index.example.org/simple"},
    "insecure_registries": ["registry.example.org:5000"],
    "source_command": ["/bin/source"],
    "storage_initializer_env": {"HTTPS_PROXY": "http://proxy:3128", "X": 'quote " and , comma'},
    "log_level": "debug",
    "log_format": "json",
}


def another(name: str) -> Any:
    """Return a value for the setting that differs from its default."""
    if name in OTHER:
        return OTHER[name]
    default = Settings.model_fields[name].default
    match default:
        case bool():
            return not default
        case int() | float():
            return type(default)(default + 1)
        case str():
            return f"{default}7"
    raise AssertionError(f"give OTHER a value for {name}")


def test_every_setting_arrives_at_the_operator_as_it_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    camel = {name: name.split("_")[0] + "".join(map(str.title, name.split("_")[1:])) for name in Settings.model_fields}
    wanted = {name: another(name) for name in Settings.model_fields if name != "namespaces"}
    given = json.dumps({camel[name]: value for name, value in wanted.items()})
    found = settings_of(render(f"settings={given}", 'watchNamespaces=["a","b"]'), monkeypatch).model_dump(mode="json")
    assert found == {**wanted, "namespaces": ["a", "b"]}


def test_without_values_the_operators_defaults_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings_of(render(), monkeypatch) == Settings.model_construct()


def test_large_numbers_keep_their_digits() -> None:
    env = operator_env(render('settings={"resyncSeconds": 86400, "startupSeconds": 86400}'))
    assert (env["MODELWRIGHT_RESYNC_SECONDS"], env["MODELWRIGHT_STARTUP_SECONDS"]) == ("86400", "86400")


def test_the_storage_initializer_is_the_operators_own_image_unless_named() -> None:
    digest = f"sha256:{'0' * 64}"
    env = operator_env(render('image.repository="registry.example.org/m"', f'image.digest="{digest}"'))
    assert env["MODELWRIGHT_STORAGE_INITIALIZER_IMAGE"] == f"registry.example.org/m@{digest}"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("replica=2", "'replica' not allowed"),
        ("image.tagg=x", "'tagg' not allowed"),
        ("settings.ingressClas=x", "'ingressClas' not allowed"),
        ("settings.routeKind=Route", "/settings/routeKind"),
        ("settings.healthPort=0", "/settings/healthPort"),
        ("watchNamespaces={Not_A_Name}", "/watchNamespaces/0"),
        ("image.pullPolicy=Sometimes", "/image/pullPolicy"),
    ],
)
def test_a_wrong_value_is_refused_and_named(value: str, told: str) -> None:
    done = helm("template", "release", str(CHART), "--set", value, check=False)
    assert done.returncode != 0
    assert told in done.stderr


def test_the_crds_are_kept_on_uninstall_unless_asked_otherwise() -> None:
    keep = {"helm.sh/resource-policy": "keep"}
    assert [crd["metadata"].get("annotations") for crd in of_kind(render(), "CustomResourceDefinition")] == [keep, keep]
    removed = of_kind(render("crds.keep=false"), "CustomResourceDefinition")
    assert [crd["metadata"].get("annotations") for crd in removed] == [None, None]
    assert of_kind(render("crds.install=false"), "CustomResourceDefinition") == []


def test_the_crds_are_rendered_without_a_change() -> None:
    sources = [yaml.safe_load(path.read_text()) for path in (CHART.parents[1] / "crds").glob("*.yaml")]
    rendered = of_kind(render("crds.keep=false"), "CustomResourceDefinition")
    assert {crd["metadata"]["name"]: crd for crd in rendered} == {crd["metadata"]["name"]: crd for crd in sources}
    assert len(rendered) == 2


def test_one_operator_is_replaced_and_several_elect_a_leader() -> None:
    alone, several = render(), render("replicas=2")
    assert of_kind(alone, "Deployment")[0]["spec"]["strategy"] == {"type": "Recreate"}
    assert of_kind(several, "Deployment")[0]["spec"]["strategy"] == {"type": "RollingUpdate"}
    assert operator_env(several)["MODELWRIGHT_LEADER_ELECTION"] == "true"
    assert "leases" not in json.dumps(of_kind(alone, "Role"))
    assert "leases" in json.dumps(of_kind(several, "Role"))


def test_with_named_namespaces_nothing_is_granted_in_others() -> None:
    manifests = render('watchNamespaces=["a","b"]', "rbac.aggregate=false")
    assert of_kind(manifests, "ClusterRole") == of_kind(manifests, "ClusterRoleBinding") == []
    assert {role["metadata"]["namespace"] for role in of_kind(manifests, "Role")} == {"a", "b"}


@pytest.fixture
def install(cluster: Path) -> Iterator[Kubectl]:
    """kubectl in a namespace of the test's own that enforces Pod Security `restricted`."""
    own = Kubectl(cluster, namespace=f"chart-{secrets.token_hex(4)}")
    own("create", "namespace", own.namespace)
    own("label", "namespace", own.namespace, "pod-security.kubernetes.io/enforce=restricted")
    yield own
    own("delete", "namespace", own.namespace, "--wait=false")


@pytest.mark.parametrize("values", [[], ["replicas=2", 'rbac.secretAnnotationNamespaces=["default"]']])
def test_the_api_server_accepts_everything_that_is_rendered(
    cluster: Path, install: Kubectl, tmp_path: Path, values: list[str]
) -> None:
    path = tmp_path / "manifests.yaml"
    path.write_text(yaml.safe_dump_all(render(*values, namespace=install.namespace)))
    arguments = ["--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict"]
    answer = kubectl(cluster, "apply", *arguments, f"--filename={path}")
    assert "customresourcedefinition.apiextensions.k8s.io/" + CRD in answer
    assert "deployment.apps/modelwright-operator" in answer


def test_the_pods_are_admitted_under_pod_security_restricted(install: Kubectl) -> None:
    template = of_kind(render(namespace=install.namespace), "Deployment")[0]["spec"]["template"]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "operator"}, "spec": template["spec"]}
    pod["spec"]["serviceAccountName"] = "default"
    install("create", "serviceaccount", "default", "--dry-run=client")
    install("create", "--dry-run=server", "--filename=-", stdin=pod)


def test_install_upgrade_and_uninstall(install: Kubectl, cluster: Path) -> None:
    release = ["modelwright", str(CHART), f"--namespace={install.namespace}", f"--kubeconfig={cluster}"]
    # Names of a release of its own: other tests have the operator's roles in this control plane.
    own = ["--set=crds.install=false", f"--set=fullnameOverride={install.namespace}"]
    notes = helm("install", *release, *own).stdout
    assert f"kubectl -n {install.namespace} rollout status deployment/{install.namespace}" in notes
    helm("upgrade", *release, *own, "--set=settings.ingressDomain=example.org")
    deployment = install.json("get", "deployment", install.namespace)
    env = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "MODELWRIGHT_INGRESS_DOMAIN", "value": "example.org"} in env
    helm("uninstall", "modelwright", f"--namespace={install.namespace}", f"--kubeconfig={cluster}", "--wait")
    left = install("get", "clusterrole,clusterrolebinding", "--output=name")
    assert install.namespace not in left


RIGHTS = [
    ("list", "inferenceservices.serving.kserve.io", True),
    ("patch", "inferenceservices.serving.kserve.io/status", True),
    ("patch", "inferenceservices.serving.kserve.io", False),
    ("delete", "inferenceservices.serving.kserve.io", False),
    ("list", "modelimages.modelwright.dev", True),
    ("patch", "modelimages.modelwright.dev/status", True),
    ("patch", "modelimages.modelwright.dev", False),
    ("create", "jobs.batch", True),
    ("patch", "jobs.batch", False),
    ("patch", "persistentvolumeclaims", True),
    ("list", "images.kpack.io", True),
    ("patch", "images.kpack.io", False),
    ("get", "pods/log", False),
    ("patch", "deployments.apps", True),
    ("delete", "services", True),
    ("create", "httproutes.gateway.networking.k8s.io", True),
    ("create", "events.events.k8s.io", True),
    ("list", "events", True),
    ("create", "events", False),
    ("list", "pods", True),
    ("create", "pods", False),
    ("delete", "pods", False),
    ("create", "pods/exec", False),
    ("patch", "networkpolicies.networking.k8s.io", True),
    ("create", "secrets", True),
    ("patch", "secrets", False),
    ("delete", "secrets", False),
    ("get", "secrets", False),
    ("list", "secrets", False),
    ("get", "configmaps", False),
    ("list", "namespaces", False),
    ("list", "nodes", False),
    ("create", "serviceaccounts/token", False),
    ("create", "rolebindings.rbac.authorization.k8s.io", False),
    ("impersonate", "users", False),
]


@pytest.fixture(scope="module")
def account(cluster: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name by which the API server knows the operator's ServiceAccount, with the roles of the chart."""
    name = f"chart-{secrets.token_hex(4)}"
    values = [f'fullnameOverride="{name}"', "rbac.aggregate=false", 'rbac.secretAnnotationNamespaces=["default"]']
    others = {"CustomResourceDefinition", "Deployment"}
    manifests = [manifest for manifest in render(*values, namespace=name) if manifest["kind"] not in others]
    path = tmp_path_factory.mktemp("chart") / "roles.yaml"
    path.write_text(yaml.safe_dump_all(manifests))
    kubectl(cluster, "create", "namespace", name)
    kubectl(cluster, "apply", f"--filename={path}")
    yield f"system:serviceaccount:{name}:{name}"
    kubectl(cluster, "delete", "--wait=false", f"--filename={path}")
    kubectl(cluster, "delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="module")
def reviews(cluster: Path) -> client.AuthorizationV1Api:
    return client.AuthorizationV1Api(config.new_client_from_config(str(cluster)))


def may(reviews: client.AuthorizationV1Api, account: str, verb: str, resource: str, namespace: str) -> bool:
    name, _, subresource = resource.partition("/")
    plural, _, group = name.partition(".")
    attributes = {"namespace": namespace, "verb": verb, "resource": plural, "group": group, "subresource": subresource}
    answer = reviews.create_subject_access_review({"spec": {"user": account, "resourceAttributes": attributes}})
    return bool(answer.status.allowed)


@pytest.mark.parametrize(("verb", "resource", "allowed"), RIGHTS)
def test_the_operator_may_do_its_work_and_nothing_else(
    reviews: client.AuthorizationV1Api, account: str, verb: str, resource: str, allowed: bool
) -> None:
    assert may(reviews, account, verb, resource, "kube-system") is allowed


def test_secrets_are_read_only_where_asked_for_and_never_listed(
    reviews: client.AuthorizationV1Api, account: str
) -> None:
    assert may(reviews, account, "get", "secrets", "default")
    assert not may(reviews, account, "list", "secrets", "default")
