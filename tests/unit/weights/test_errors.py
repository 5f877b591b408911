import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelwright.weights.errors import WeightsError, redact
from modelwright.weights.refusals import explain, passing
from obstore.exceptions import GenericError

SECRETS = st.text("abcdefghijklmnopqrstuvwxyz0123456789%+=-._~", min_size=8, max_size=40)


@given(SECRETS)
def test_signatures_and_passwords_in_urls_never_show(secret):
    uri = f"https://user:{secret}@host/m.bin?X-Amz-Signature={secret}&x=1"
    error = WeightsError(uri, f"GET {uri} failed", f"see {uri}")
    assert secret not in str(error)
    assert "https://<redacted>@host/m.bin?<redacted>" in str(error)


def test_text_without_urls_stays_as_it_is():
    assert redact("what? s3://bucket/key and user@host") == "what? s3://bucket/key and user@host"


def s3_error(status, code):
    return GenericError(
        "Generic S3 error: Error performing list request: Error performing GET http://minio:9000/b?list-type=2"
        f" in 3ms - Server returned non-2xx status code: {status} Forbidden: "
        f"<Error><Code>{code}</Code><Message>Dear user.</Message></Error>"
    )


@pytest.mark.parametrize(
    ("status", "code", "reason", "remedy"),
    [
        (404, "NoSuchBucket", "the bucket 'b' does not exist", "Create it"),
        (403, "AccessDenied", "access to the bucket 'b' is denied", "GetObject"),
        (403, "InvalidAccessKeyId", "does not know the access key", "Secret"),
        (403, "SignatureDoesNotMatch", "secret key does not fit", "Secret"),
        (301, "PermanentRedirect", "another region", "AWS_DEFAULT_REGION"),
        (403, "SomethingNew", "the store answers SomethingNew: Dear user", "GetObject"),
        (418, "SomethingNew", "the store answers SomethingNew: Dear user", "Check the URI"),
    ],
)
def test_a_stores_answer_becomes_reason_and_remedy(status, code, reason, remedy):
    told = explain(s3_error(status, code), "b")
    assert reason in told.reason
    assert remedy in told.remedy


@pytest.mark.parametrize(
    ("mark", "reason"),
    [
        ("dns error", "minio:9000 has no address"),
        ("ConnectionRefused", "minio:9000 refuses the connection"),
        ("TimedOut", "minio:9000 does not answer"),
        ("invalid peer certificate: UnknownIssuer", "certificate of minio:9000 is not trusted"),
    ],
)
def test_a_broken_connection_names_the_host(mark, reason):
    text = f"Error performing GET http://minio:9000/b - HTTP error\nDebug source: Connect, {mark}"
    assert reason in explain(GenericError(text), "b").reason


def test_only_what_may_pass_is_tried_again():
    assert passing(s3_error(503, "SlowDown"))
    assert passing(GenericError("error decoding response body"))
    assert not passing(s3_error(403, "AccessDenied"))
    assert not passing(FileNotFoundError("gone"))
