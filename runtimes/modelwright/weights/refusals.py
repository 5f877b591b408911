"""What an object store's error means and what to do about it. Pure: text in, text out."""

import re
from typing import NamedTuple

from obstore.exceptions import (
    GenericError,
    InvalidPathError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)


class Explanation(NamedTuple):
    """A reason and its remedy, each one sentence without its full stop at the end of the reason."""

    reason: str
    remedy: str


_CODE = re.compile(r"<Code>(\w+)</Code>")
_MESSAGE = re.compile(r"<Message>([^<]{1,300})</Message>")
_STATUS = re.compile(r"status(?: code)?: (\d{3})")
_HOST = re.compile(r"https?://([^/\s\"]+)")

_SECRET = "Put the right keys into the Secret that the ServiceAccount (or storageSecretName) names."  # noqa: S105
_GRANT = "Grant these credentials GetObject and ListBucket on it, or name others in the Secret."
_REGION = "Set the bucket's region: AWS_DEFAULT_REGION or the annotation serving.kserve.io/s3-region."
_CLOCK = "Set the node's clock: signatures are valid for 15 minutes."

_BY_CODE = {
    "NoSuchBucket": Explanation(
        "the bucket {bucket!r} does not exist", "Create it, or correct the bucket or the endpoint."
    ),
    "NoSuchKey": Explanation(
        "the object is gone", "It was removed while it was fetched: upload it again or correct the URI."
    ),
    "AccessDenied": Explanation("access to the bucket {bucket!r} is denied", _GRANT),
    "AllAccessDisabled": Explanation("access to the bucket {bucket!r} is disabled", _GRANT),
    "InvalidAccessKeyId": Explanation("the store does not know the access key", _SECRET),
    "SignatureDoesNotMatch": Explanation("the secret key does not fit the access key", _SECRET),
    "InvalidToken": Explanation("the session token is not valid", _SECRET),
    "ExpiredToken": Explanation("the credentials have expired", _SECRET),
    "RequestTimeTooSkewed": Explanation("the node's clock and the store's differ too much", _CLOCK),
    "PermanentRedirect": Explanation("the bucket {bucket!r} is in another region", _REGION),
    "AuthorizationHeaderMalformed": Explanation("the region is not the bucket's", _REGION),
    "IllegalLocationConstraintException": Explanation("the region is not the bucket's", _REGION),
    "InvalidBucketName": Explanation("{bucket!r} is not a bucket's name", "Correct the bucket in the URI."),
    "SlowDown": Explanation("the store asks to slow down", "Lower S3_MAX_FILE_CONCURRENCY, or try later."),
}

_BY_TEXT = (
    (
        "169.254.169.254",
        Explanation(
            "no credentials were given and the node has none",
            "Name a Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the ServiceAccount, or set "
            "awsAnonymousCredential to true for a public bucket.",
        ),
    ),
    (
        "dns error",
        Explanation("the endpoint {host} has no address", "Correct it; the pod's DNS must know it."),
    ),
    (
        "certificate",
        Explanation(
            "the certificate of {host} is not trusted",
            "Mount its authority and name it by AWS_CA_BUNDLE, or set S3_VERIFY_SSL to 0.",
        ),
    ),
    (
        "ConnectionRefused",
        Explanation("{host} refuses the connection", "Check the endpoint's port and that the store runs."),
    ),
    ("TimedOut", Explanation("{host} does not answer", "Check the endpoint, network policies and proxies.")),
    ("Connect", Explanation("{host} cannot be reached", "Check the endpoint, network policies and proxies.")),
)

_BY_STATUS = {
    301: _BY_CODE["PermanentRedirect"],
    400: Explanation("the store rejects the request (400)", "Check the endpoint and the region."),
    401: Explanation("the store wants credentials", _SECRET),
    403: _BY_CODE["AccessDenied"],
    404: Explanation("the endpoint {host} knows neither bucket nor key (404)", "Correct the bucket, key or endpoint."),
    412: Explanation("the object changed while it was fetched", "Try again once its upload is over."),
}

_BY_KIND: tuple[tuple[type[Exception], Explanation], ...] = (
    (
        InvalidPathError,
        Explanation("an object's key is not a safe path ({detail})", "Rename or remove that object."),
    ),
    (PreconditionError, _BY_STATUS[412]),
    (FileNotFoundError, _BY_CODE["NoSuchKey"]),
    (PermissionDeniedError, _BY_CODE["AccessDenied"]),
    (UnauthenticatedError, _BY_STATUS[401]),
    (ValueError, Explanation("the key is not a safe path ({detail})", "Correct the URI.")),
)

_OTHER = Explanation("the store answers: {detail}", "Check the URI, the endpoint and the credentials.")
_FINAL = frozenset({301, 307, 400, 401, 403, 404, 405, 409, 412, 416})


def passing(error: Exception) -> bool:
    """Say whether another attempt may help: stalls, broken connections and 5xx answers."""
    return isinstance(error, GenericError) and status(error) not in _FINAL


def status(error: Exception) -> int | None:
    """Return the HTTP status in the error's text, or None."""
    found = _STATUS.search(str(error))
    return int(found[1]) if found else None


def explain(error: Exception, bucket: str) -> Explanation:
    """Return reason and remedy of obstore's `error` about `bucket`."""
    text = str(error)
    code = _CODE.search(text)
    host = _HOST.search(text)
    facts = {
        "bucket": bucket,
        "host": host[1] if host else "the endpoint",
        "detail": text.splitlines()[0][:300],
    }
    chosen = _BY_CODE.get(code[1]) if code else None
    if chosen is None and status(error) is None:
        chosen = next((told for mark, told in _BY_TEXT if mark in text), None)
    if chosen is None:
        chosen = next((told for kind, told in _BY_KIND if isinstance(error, kind)), None)
    if chosen is None:
        chosen = _BY_STATUS.get(status(error) or 0, _OTHER)
        if code and (message := _MESSAGE.search(text)):
            return Explanation(f"the store answers {code[1]}: {message[1].rstrip('.')}", chosen.remedy)
    return Explanation(chosen.reason.format(**facts), chosen.remedy)
