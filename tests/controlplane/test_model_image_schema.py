"""What the kube-apiserver says to a ModelImage: refusals with the field and the remedy, and nothing pruned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from modelwright_operator.cluster.resources import MODEL_IMAGE

from tests.controlplane.api import Api, RefusedError
from tests.controlplane.builds import SOURCE, image
from tests.controlplane.schema_api import Kubectl

WHOLE: dict[str, Any] = {
    "runImage": "registry.example.com/run:1",
    "source": {
        "git": {
            "url": "https://git.example.com/models.git",
            "revision": "main",
            "subPath": "models/iris",
            "secretName": "git",
        }
    },
    "serviceAccountName": "pusher",
    "cache": {"volume": {"size": "2Gi", "storageClassName": "fast"}},
    "build": {
        "env": [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "index", "key": "token"}}}],
        "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "4Gi"}},
        "timeoutSeconds": 900,
        "caBundle": "trust",
    },
    "successBuildHistoryLimit": 2,
    "failedBuildHistoryLimit": 1,
}


def create(admin: Api, body: dict[str, Any]) -> dict[str, Any]:
    query = {"dryRun": "All", "fieldValidation": "Strict"}
    return admin.request("POST", MODEL_IMAGE.path("default"), body, **query)


def test_every_field_is_kept(admin):
    assert create(admin, image(**WHOLE))["spec"] == image(**WHOLE)["spec"]


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"tag": "localhost:5000/models/iris"},
        {"source": {"storageUri": "s3://models/iris"}},
        {"source": {"storageUri": "pvc://models"}},
        {"source": {"git": {"url": "http://10.0.0.1:3000/models.git"}}},
        {"source": {"git": {"url": "git@git.example.com:team/models.git", "secretName": "deploy"}}},
        {"source": {"git": {"url": "ssh://git@git.example.com:2222/team/models.git", "secretName": "deploy"}}},
        {"cache": {"registry": {"tag": "registry.example.com/models/iris:cache"}}},
        {"builder": "registry.example.com/builder@sha256:" + "a" * 64},
    ],
)
def test_what_can_be_built_is_accepted(admin, spec):
    create(admin, image(**spec))


def test_the_builder_may_be_left_to_the_operators_settings(admin):
    body = image()
    del body["spec"]["builder"]
    create(admin, body)


TWO = {**SOURCE, "storageUri": "s3://models/iris"}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"tag": ""}, "spec.tag is required, the image to push: write it as host/repository:tag"),
        ({"tag": "iris:latest"}, "spec.tag must name the registry's host"),
        ({"tag": "registry.example.com/iris@sha256:" + "a" * 64}, "spec.tag must name the registry's host and a tag"),
        ({"builder": "builder:1"}, "spec.builder must name the registry's host"),
        ({"runImage": "run"}, "spec.runImage must name the registry's host"),
        ({"source": {}}, "spec.source must have exactly one of git, registry and storageUri"),
        ({"source": TWO}, "spec.source must have exactly one of git, registry and storageUri"),
        ({"source": {"git": {}}}, "spec.source.git.url must be an address that git has"),
        ({"source": {"git": {"url": "git.example.com/models.git"}}}, "or git@git.example.com:models/iris.git"),
        ({"source": {"git": {"url": "ssh://me:secret@git.example.com/models.git"}}}, "must be an address that git has"),
        (
            {"source": {"git": {"url": "git@git.example.com:models.git"}}},
            "spec.source.git.secretName is required for ssh: name a Secret of type kubernetes.io/ssh-auth",
        ),
        (
            {"source": {"git": {"url": "https://me:secret@git.example.com/models.git"}}},
            "put them into a Secret with the keys username and password",
        ),
        (
            {"source": {"git": {"url": "https://git.example.com/models.git", "subPath": "../other"}}},
            "spec.source.git.subPath must stay inside the repository",
        ),
        (
            {"source": {"git": {"url": "https://git.example.com/models.git", "subPath": "/iris"}}},
            "spec.source.git.subPath must stay inside the repository",
        ),
        ({"source": {"registry": {}}}, "spec.source.registry.image is required and must name the registry's host"),
        ({"source": {"storageUri": "file:///models"}}, "spec.source.storageUri must start with one of s3://"),
        (
            {"cache": {"volume": {}, "registry": {"tag": "registry.example.com/models/iris:cache"}}},
            "spec.cache must have one of volume and registry, not both: remove one",
        ),
        (
            {"cache": {"registry": {"tag": "registry.example.com/models/iris:latest"}}},
            "spec.cache.registry.tag must be an image of its own",
        ),
        ({"cache": {"volume": {"size": "much"}}}, "spec.cache.volume.size must be a quantity, such as 2Gi"),
        ({"build": {"timeoutSeconds": 5}}, "spec.build.timeoutSeconds"),
        ({"successBuildHistoryLimit": 0}, "spec.successBuildHistoryLimit"),
        ({"bulider": "x"}, 'unknown field "spec.bulider"'),
    ],
)
def test_what_cannot_be_built_is_refused_with_the_remedy(admin, spec, message):
    with pytest.raises(RefusedError) as refused:
        create(admin, image(**spec))
    assert message in str(refused.value).replace('\\"', '"')


@pytest.mark.parametrize(
    ("name", "message"), [("a" * 50, "shorten it to 49 characters"), ("a.b", "rename the ModelImage")]
)
def test_a_name_that_jobs_cannot_have_is_refused(admin, name, message):
    with pytest.raises(RefusedError, match=message):
        create(admin, image(name))


def test_without_a_spec_it_is_refused_with_what_to_give(admin):
    body = image()
    del body["spec"]
    with pytest.raises(RefusedError, match="spec is required: give it tag, builder and source"):
        create(admin, body)


def test_kubectl_prints_tag_latest_and_ready(admin, cluster: Path, namespace: str):
    admin.create(MODEL_IMAGE, namespace, image())
    header = Kubectl(cluster, namespace)("get", "mi", "iris").splitlines()[0].split()
    assert header == ["NAME", "TAG", "LATEST", "READY", "REASON", "AGE"]


def test_kubectl_explains_the_fields(admin, cluster: Path):
    text = Kubectl(cluster)("explain", "modelimage.spec.source.git")
    assert "revision" in text
    assert "A branch is looked at every few minutes" in " ".join(text.split())
