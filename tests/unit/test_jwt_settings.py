"""Settings that hold together, or an error that names the one that does not and no value."""

from __future__ import annotations

import pytest

from chatgrid_auth.settings import JwtSettings, SettingError, jwt_settings, secret_service

URL = "https://abcdefghijklmnop.supabase.co"
SECRET_ARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:jwt-AbCdEf"


def test_the_url_gives_issuer_and_key_set() -> None:
    settings = jwt_settings({"SUPABASE_URL": f"{URL}/"})
    assert settings.issuer == f"{URL}/auth/v1"
    assert settings.jwks_url == f"{URL}/auth/v1/.well-known/jwks.json"


def test_the_defaults_are_the_strict_ones() -> None:
    settings = jwt_settings({"SUPABASE_URL": URL})
    assert settings.algorithms == {"ES256", "RS256", "EdDSA"}
    assert settings.audience == "authenticated"
    assert settings.accept_anonymous is False
    assert settings.leeway_seconds == 5


def test_hs256_is_off_unless_a_secret_is_named() -> None:
    environment = {"SUPABASE_URL": URL, "JWT_ALGORITHMS": "ES256, HS256"}
    assert jwt_settings(environment).algorithms == {"ES256"}
    with_secret = jwt_settings({**environment, "JWT_SECRET_ARN": SECRET_ARN})
    assert with_secret.algorithms == {"ES256", "HS256"}


def test_everything_can_be_said_in_the_environment() -> None:
    settings = jwt_settings(
        {
            "SUPABASE_URL": "http://127.0.0.1:9999",
            "JWT_AUDIENCE": "team",
            "JWT_ALGORITHMS": "RS256",
            "JWT_ACCEPT_ANONYMOUS": "true",
            "JWT_LEEWAY_SECONDS": "0",
            "JWKS_MAX_AGE_SECONDS": "60",
            "AWS_ENDPOINT_URL_SSM": "http://127.0.0.1:4566",
        }
    )
    assert settings.audience == "team"
    assert settings.algorithms == {"RS256"}
    assert settings.accept_anonymous is True
    assert settings.leeway_seconds == 0
    assert settings.jwks_max_age_seconds == 60
    assert settings.endpoints == {"ssm": "http://127.0.0.1:4566"}


def test_an_empty_url_turns_jwts_off() -> None:
    assert jwt_settings({}).issuer == ""


@pytest.mark.parametrize(
    "url",
    [
        "http://abcdefghijklmnop.supabase.co",
        "http://127.0.0.1.attacker.example",
        "http://localhost.attacker.example",
        "http://127.0.0.1@attacker.example",
        "http://localhost:80@attacker.example",
        "http://127.0.0.1\\@attacker.example",
        "http://127.0.0.1#@attacker.example",
        "http://127.0.0.1?@attacker.example",
        "http://0.0.0.0:80",
        "http://[::1]:80",
        "http://10.0.0.1",
        "https://user@abcdefghijklmnop.supabase.co",
        "https://",
        "https:///auth",
        "https://host:0",
        "https://host:port",
        "https://host:99999",
        "https://host/?x=1",
        "https://host/#x",
        "https://ho st",
        "https://hos\nt",
        "https://h\u00f6st",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "abcdefghijklmnop.supabase.co",
        "HTTPS:/host",
    ],
)
def test_keys_are_fetched_over_https_or_on_loopback_only(url: str) -> None:
    with pytest.raises(SettingError, match="SUPABASE_URL"):
        JwtSettings(url)


@pytest.mark.parametrize("url", [URL, "http://127.0.0.1:9999", "http://localhost", f"{URL}:8443/x"])
def test_https_and_plain_http_on_loopback_are_accepted(url: str) -> None:
    assert JwtSettings(url).issuer == f"{url}/auth/v1"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JWT_ALGORITHMS", "ES256,none"),
        ("JWT_ALGORITHMS", "HS512"),
        ("JWT_AUDIENCE", "\t"),
        ("JWT_ACCEPT_ANONYMOUS", "yes"),
        ("JWT_LEEWAY_SECONDS", "61"),
        ("JWT_LEEWAY_SECONDS", "-1"),
        ("JWT_LEEWAY_SECONDS", "5.5"),
        ("JWKS_MAX_AGE_SECONDS", "0"),
        ("JWKS_MAX_AGE_SECONDS", "\u0665"),
        ("JWT_SECRET_ARN", "a-secret-in-plain-text"),
        ("JWT_SECRET_ARN", "arn:aws:s3:::bucket"),
        ("JWT_SECRET_ARN", "arn:aws:s3:eu-central-1:111122223333:secret:x"),
        ("JWT_SECRET_ARN", "arn:aws:secretsmanager::111122223333:secret:x"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not_shown(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=name) as caught:
        jwt_settings({"SUPABASE_URL": URL, name: value})
    assert value not in str(caught.value)


def test_both_secret_stores_are_known_by_their_arns() -> None:
    assert secret_service(SECRET_ARN) == "secretsmanager"
    assert secret_service("arn:aws-cn:ssm:cn-north-1:111122223333:parameter/a/b") == "ssm"
