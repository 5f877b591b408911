"""The ModelImage: an image that is built in the cluster from a folder with a model. Fields follow kpack's Image."""

from typing import Annotated, Any

from pydantic import Field

from modelwright_operator.api.base import ApiModel
from modelwright_operator.api.meta import ApiObject

GROUP = "modelwright.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "ModelImage"
PLURAL = "modelimages"

CA_BUNDLE_KEY = "cabundle.crt"
"""KServe's key of a ConfigMap that holds certificates."""

Reference = Annotated[str, Field(max_length=512)]


class GitSource(ApiModel):
    """A folder in a git repository."""

    url: Annotated[
        str,
        Field(max_length=2048, description="The repository's address: https://, ssh://git@HOST/PATH or git@HOST:PATH."),
    ] = ""
    revision: Annotated[
        str,
        Field(
            max_length=256,
            description="A branch, tag or commit. A branch is looked at every few minutes (the operator's setting "
            "buildPollSeconds), and a new commit is built. Default: the repository's HEAD.",
        ),
    ] = ""
    sub_path: Annotated[
        str, Field(max_length=1024, description="The folder with the model. Default: the repository's root.")
    ] = ""
    secret_name: Annotated[
        str,
        Field(
            max_length=253,
            description="A Secret for a private repository: with the keys username and password, or, for ssh, of type "
            "kubernetes.io/ssh-auth with the key known_hosts beside ssh-privatekey.",
        ),
    ] = ""


class RegistrySource(ApiModel):
    """A folder in a registry."""

    image: Annotated[
        Reference,
        Field(
            description="An OCI image or artifact whose layers (tar+gzip) hold the folder's files; "
            "`modelwright deploy` pushes one."
        ),
    ] = ""


class Source(ApiModel):
    """Where the folder with the model is. Exactly one is set."""

    git: Annotated[GitSource | None, Field(description="A folder in a git repository.")] = None
    registry: Annotated[RegistrySource | None, Field(description="A folder in a registry.")] = None
    storage_uri: Annotated[
        str | None,
        Field(
            max_length=8192,
            description="A folder or archive at s3://, gs://, hf://, https:// or http://, or in a claim by "
            "pvc://claim/path. Credentials are those of the service account, as for weights.",
        ),
    ] = None


class VolumeCache(ApiModel):
    """Layers are kept in a PersistentVolumeClaim, which belongs to the ModelImage."""

    size: Annotated[str, Field(max_length=64, description="Its size, such as 2Gi. Default 2Gi.")] = "2Gi"
    storage_class_name: Annotated[
        str, Field(max_length=253, description="Its StorageClass. Default: the cluster's own.")
    ] = ""


class RegistryCache(ApiModel):
    """Layers are kept in the registry."""

    tag: Annotated[Reference, Field(description="The image that holds them, such as registry/models/iris:cache.")] = ""


class CacheSpec(ApiModel):
    """Where the layers of one build are kept for the next. At most one is set."""

    volume: Annotated[VolumeCache | None, Field(description="In a PersistentVolumeClaim.")] = None
    registry: Annotated[RegistryCache | None, Field(description="In the registry.")] = None


class BuildSpec(ApiModel):
    """How it is built."""

    env: Annotated[
        list[dict[str, Any]],
        Field(default_factory=list, description="Environment of the buildpacks, as a container's."),
    ]
    resources: Annotated[
        dict[str, Any], Field(default_factory=dict, description="Resources of each of the build's containers.")
    ]
    timeout_seconds: Annotated[
        int | None, Field(ge=60, le=86400, description="Seconds after which a build is given up. Default 3600.")
    ] = None
    ca_bundle: Annotated[
        str,
        Field(
            max_length=253,
            description="A ConfigMap whose key cabundle.crt holds the certificates to trust while building, all of "
            "them (PEM), where a proxy or registry has others than the images.",
        ),
    ] = ""


class ModelImageSpec(ApiModel):
    """What is to be built."""

    tag: Annotated[
        Reference, Field(description="The image to push, such as registry.example.com/models/iris:latest.")
    ] = ""
    builder: Annotated[
        Reference,
        Field(
            description="The builder image. It is looked at as often as the source, and a new one builds again. "
            "Default: the operator's setting builderImage."
        ),
    ] = ""
    run_image: Annotated[
        Reference, Field(description="The image that the built one stands on. Default: the builder's own.")
    ] = ""
    source: Annotated[
        Source,
        Field(default_factory=Source, description="Where the folder is: exactly one of git, registry and storageUri."),
    ]
    service_account_name: Annotated[
        str,
        Field(
            max_length=253,
            description="Whose imagePullSecrets pull and push, and whose Secrets storageUri may use. Default: default.",
        ),
    ] = "default"
    cache: Annotated[
        CacheSpec,
        Field(default_factory=CacheSpec, description="Where layers are kept between builds. Default: nowhere."),
    ]
    build: Annotated[BuildSpec, Field(default_factory=BuildSpec, description="How it is built.")]
    success_build_history_limit: Annotated[
        int, Field(ge=1, le=100, description="How many successful builds' Jobs are kept. Default 3.")
    ] = 3
    failed_build_history_limit: Annotated[
        int, Field(ge=1, le=100, description="How many failed builds' Jobs are kept. Default 3.")
    ] = 3


class ModelImage(ApiObject):
    """An image and how it comes about."""

    api_version: str = API_VERSION
    kind: str = KIND
    spec: ModelImageSpec
