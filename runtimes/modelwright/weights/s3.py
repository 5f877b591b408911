"""s3://bucket/key, with KServe's environment variables for endpoint, region and credentials."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from obstore.store import S3Store

from modelwright.weights import trust
from modelwright.weights.errors import WeightsError
from modelwright.weights.objects import ObjectSource, split

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

_AWS = "https://s3.amazonaws.com"
_ACCELERATED = "https://s3-accelerate.amazonaws.com"
_ROLES = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)


@dataclass(frozen=True, slots=True)
class S3Settings:
    """How to reach a bucket. Timeouts in seconds; no endpoint means AWS itself."""

    endpoint: str | None
    region: str
    anonymous: bool
    virtual: bool
    accelerate: bool
    verify: bool
    ca_bundle: Path | None
    connect_timeout: int
    read_timeout: int
    attempts: int
    workers: int

    @classmethod
    def from_env(cls, uri: str, env: Mapping[str, str]) -> Self:
        """Read KServe's names. Raises `WeightsError` for a value that cannot be used."""
        region = env.get("AWS_DEFAULT_REGION") or env.get("AWS_REGION") or "us-east-1"
        try:
            return cls(
                endpoint=_endpoint(env, region),
                region=region,
                anonymous=trust.flag(env, "awsAnonymousCredential", False),
                # S3_USER_VIRTUAL_BUCKET is KServe's spelling.
                virtual=trust.flag(env, "S3_USER_VIRTUAL_BUCKET", False),
                accelerate=trust.flag(env, "S3_USE_ACCELERATE", False),
                verify=trust.flag(env, "S3_VERIFY_SSL", True),
                ca_bundle=trust.ca_bundle(uri, env, "AWS_CA_BUNDLE"),
                connect_timeout=_number(env, "S3_CONNECT_TIMEOUT", 15),
                read_timeout=_number(env, "S3_READ_TIMEOUT", 30),
                attempts=_number(env, "S3_MAX_ATTEMPTS", 3),
                workers=_number(env, "S3_MAX_FILE_CONCURRENCY", 4),
            )
        except ValueError as reason:
            raise WeightsError(uri, str(reason), "Correct it in the Secret or the annotation.") from None


def credentials(uri: str, env: Mapping[str, str], settings: S3Settings) -> dict[str, str]:
    """Return the keys to sign with, empty where a role or the node provides them.

    Raises `WeightsError` when a key is missing, and when a store that is not AWS is given none at all: asking
    the node's metadata service for them would only wait for a timeout.
    """
    if settings.anonymous:
        return {}
    names = {"access_key_id": "AWS_ACCESS_KEY_ID", "secret_access_key": "AWS_SECRET_ACCESS_KEY"}
    missing = [name for name in names.values() if not env.get(name)]
    if len(missing) == 1:
        raise WeightsError(uri, f"{missing[0]} is not set", "Put both keys into the Secret.")
    if not missing:
        keys = {key: env[name] for key, name in names.items()}
        if env.get("AWS_SESSION_TOKEN"):
            keys["session_token"] = env["AWS_SESSION_TOKEN"]
        return keys
    if settings.endpoint and not any(env.get(name) for name in _ROLES):
        raise WeightsError(
            uri,
            f"no credentials were given for {settings.endpoint}",
            "Name a Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the ServiceAccount (or by the "
            "annotation serving.kserve.io/storageSecretName), or set awsAnonymousCredential to true.",
        )
    return {}


def open_source(uri: str, env: Mapping[str, str]) -> ObjectSource:
    """Return the source behind an `s3://` URI. No request is made yet. Raises `WeightsError`."""
    bucket, key = split(uri)
    settings = S3Settings.from_env(uri, env)
    config: dict[str, Any] = {"region": settings.region, **credentials(uri, env, settings)}
    if settings.anonymous:
        config["skip_signature"] = True
    config |= addressing(settings, bucket)
    store = S3Store(bucket, client_options=_client(settings), retry_config=_retry(settings), **config)
    return ObjectSource(uri, store, key, workers=settings.workers, attempts=settings.attempts)


def _client(settings: S3Settings) -> "ClientConfig":
    options: ClientConfig = {
        "connect_timeout": f"{settings.connect_timeout}s",
        "read_timeout": f"{settings.read_timeout}s",
        # The whole of one part; a stall is what read_timeout finds.
        "timeout": "1h",
        "allow_http": bool(settings.endpoint and settings.endpoint.startswith("http://")),
        "allow_invalid_certificates": not settings.verify,
    }
    if settings.ca_bundle is not None:
        options["root_certificate"] = settings.ca_bundle.read_bytes()
    return options


def _retry(settings: S3Settings) -> "RetryConfig":
    return {"max_retries": settings.attempts - 1}


def _endpoint(env: Mapping[str, str], region: str) -> str | None:
    url = env.get("AWS_ENDPOINT_URL", "").strip().rstrip("/")
    if not url and (host := env.get("S3_ENDPOINT", "").strip().rstrip("/")):
        scheme = "https" if trust.flag(env, "S3_USE_HTTPS", True) else "http"
        url = host if "://" in host else f"{scheme}://{host}"
    if url == _AWS and region != "us-east-1":
        # The global address answers other regions with a redirect; without it the region's own is used.
        return None
    if url and not url.startswith(("http://", "https://")):
        raise ValueError(f"the endpoint {url!r} is neither http:// nor https://")
    return url or None


def addressing(settings: S3Settings, bucket: str) -> dict[str, Any]:
    """Return obstore's settings for where the bucket is: in the path, or in the host's name.

    obstore wants the bucket already in an endpoint that is addressed by host.
    """
    endpoint = _ACCELERATED if settings.accelerate else settings.endpoint
    if not (settings.virtual or settings.accelerate):
        return {"endpoint": endpoint} if endpoint else {}
    if endpoint is None:
        return {"virtual_hosted_style_request": True}
    scheme, _, host = endpoint.partition("://")
    return {"virtual_hosted_style_request": True, "endpoint": f"{scheme}://{bucket}.{host}"}


def _number(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name, "").strip() or str(default)
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{name} is {text!r}, not a whole number of at least 1")
    return int(text)
