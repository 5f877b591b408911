import pytest
from modelwright.weights import gs
from modelwright.weights.errors import WeightsError
from modelwright.weights.s3 import S3Settings, addressing, credentials

URI = "s3://bucket/key"
KEYS = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "s3cret"}


def settings(**env):
    return S3Settings.from_env(URI, env)


@pytest.mark.parametrize(
    ("env", "endpoint"),
    [
        ({}, None),
        ({"AWS_ENDPOINT_URL": "http://minio:9000/"}, "http://minio:9000"),
        ({"S3_ENDPOINT": "minio:9000"}, "https://minio:9000"),
        ({"S3_ENDPOINT": "minio:9000", "S3_USE_HTTPS": "0"}, "http://minio:9000"),
        ({"S3_ENDPOINT": "http://minio:9000"}, "http://minio:9000"),
        ({"AWS_ENDPOINT_URL": "https://one", "S3_ENDPOINT": "two"}, "https://one"),
        ({"AWS_ENDPOINT_URL": "https://s3.amazonaws.com", "AWS_DEFAULT_REGION": "eu-west-1"}, None),
        ({"AWS_ENDPOINT_URL": "https://s3.amazonaws.com"}, "https://s3.amazonaws.com"),
    ],
)
def test_the_endpoint_by_kserves_names(env, endpoint):
    assert settings(**env).endpoint == endpoint


def test_kserves_names_of_the_other_settings(tmp_path):
    (tmp_path / "ca.crt").write_text("pem")
    found = settings(
        AWS_DEFAULT_REGION="eu-west-1",
        S3_VERIFY_SSL="0",
        S3_USER_VIRTUAL_BUCKET="true",
        awsAnonymousCredential="True",
        AWS_CA_BUNDLE=str(tmp_path / "ca.crt"),
        S3_MAX_FILE_CONCURRENCY="8",
    )
    assert (found.region, found.verify, found.virtual, found.anonymous) == ("eu-west-1", False, True, True)
    assert (found.ca_bundle, found.workers) == (tmp_path / "ca.crt", 8)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("S3_VERIFY_SSL", "maybe"),
        ("S3_MAX_FILE_CONCURRENCY", "0"),
        ("S3_READ_TIMEOUT", "soon"),
        ("AWS_ENDPOINT_URL", "ftp://x"),
        ("AWS_CA_BUNDLE", "/does/not/exist"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(name, value):
    with pytest.raises(WeightsError) as caught:
        settings(**{name: value})
    assert value in str(caught.value)


def test_the_bucket_goes_into_the_host_where_asked():
    assert addressing(settings(AWS_ENDPOINT_URL="http://m:9"), "b") == {"endpoint": "http://m:9"}
    virtual = {"AWS_ENDPOINT_URL": "http://m:9", "S3_USER_VIRTUAL_BUCKET": "1"}
    assert addressing(settings(**virtual), "b")["endpoint"] == "http://b.m:9"
    assert addressing(settings(S3_USE_ACCELERATE="1"), "b")["endpoint"] == "https://b.s3-accelerate.amazonaws.com"
    assert addressing(settings(), "b") == {}


def test_both_keys_are_used_and_one_alone_is_refused():
    assert credentials(URI, KEYS, settings()) == {"access_key_id": "id", "secret_access_key": "s3cret"}
    assert credentials(URI, {**KEYS, "AWS_SESSION_TOKEN": "t"}, settings())["session_token"] == "t"
    with pytest.raises(WeightsError, match="AWS_ACCESS_KEY_ID is not set") as caught:
        credentials(URI, {"AWS_SECRET_ACCESS_KEY": "s3cret"}, settings())
    assert "s3cret" not in str(caught.value)


def test_a_store_of_ones_own_without_credentials_is_refused_at_once_with_both_remedies():
    with pytest.raises(WeightsError, match=r"no credentials .*http://m:9.*storageSecretName.*awsAnonymous"):
        credentials(URI, {}, settings(AWS_ENDPOINT_URL="http://m:9"))


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"awsAnonymousCredential": "true", "AWS_ENDPOINT_URL": "http://m:9"},
        {"AWS_ENDPOINT_URL": "http://m:9", "AWS_WEB_IDENTITY_TOKEN_FILE": "/token"},
    ],
)
def test_anonymous_roles_and_aws_itself_need_no_keys(env):
    assert credentials(URI, env, settings(**env)) == {}


def test_google_credentials(tmp_path):
    key = tmp_path / "key.json"
    key.write_text("{}")
    named = {"GOOGLE_APPLICATION_CREDENTIALS": str(key)}
    assert gs.config(named, has_metadata=False) == {"application_credentials": str(key)}
    assert gs.config({"GOOGLE_APPLICATION_CREDENTIALS": "/gone"}, has_metadata=False) == {"skip_signature": True}
    assert gs.config({}, has_metadata=True) == {}
    assert gs.config({"STORAGE_EMULATOR_HOST": "fake:4443"}, has_metadata=True) == {"base_url": "http://fake:4443"}
