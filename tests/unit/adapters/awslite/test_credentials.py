"""Credentials come from where AWS puts them, and are never shown."""

from __future__ import annotations

import subprocess
import sys

import pytest

from chatgrid_auth.adapters.awslite.container_credentials import ContainerCredentials
from chatgrid_auth.adapters.awslite.credential_chain import credentials_from
from chatgrid_auth.adapters.awslite.credentials import (
    Credentials,
    CredentialsUnavailable,
    FixedCredentials,
)

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "a-secret",
    "AWS_SESSION_TOKEN": "a-token",
}


def test_an_ordinary_function_finds_them_in_its_environment() -> None:
    source = credentials_from(ENVIRONMENT)
    found = source.current(0.0)
    assert isinstance(source, FixedCredentials)
    assert (found.access_key_id, found.secret_access_key, found.session_token) == (
        "AKIDEXAMPLE",
        "a-secret",
        "a-token",
    )
    assert source.renewed(1e12) is found


def test_a_users_own_credentials_have_no_token() -> None:
    environment = {k: v for k, v in ENVIRONMENT.items() if k != "AWS_SESSION_TOKEN"}
    assert credentials_from(environment).current(0.0).session_token == ""


@pytest.mark.parametrize(
    "name", ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]
)
def test_a_restored_function_finds_an_endpoint(name: str) -> None:
    assert isinstance(credentials_from({name: "/x"}), ContainerCredentials)


def test_the_environments_own_credentials_come_first() -> None:
    environment = {**ENVIRONMENT, "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1/"}
    assert isinstance(credentials_from(environment), FixedCredentials)


@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_half_a_credential_is_none(missing: str) -> None:
    with pytest.raises(CredentialsUnavailable, match="AWS_ACCESS_KEY_ID") as unavailable:
        credentials_from({**ENVIRONMENT, missing: ""})
    assert "secret" not in str(unavailable.value)


@pytest.mark.parametrize(
    "part", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
)
@pytest.mark.parametrize("value", ["two\r\nlines", "bell\a", "ünicode"])
def test_a_part_that_would_break_out_of_its_header_is_refused(part: str, value: str) -> None:
    with pytest.raises(CredentialsUnavailable) as unavailable:
        credentials_from({**ENVIRONMENT, part: value})
    assert value not in str(unavailable.value)


def test_printing_credentials_shows_no_part_of_them() -> None:
    credentials = Credentials(
        access_key_id="AKIDEXAMPLE",
        secret_access_key="a-secret",
        session_token="a-token",
        expires_at_seconds=5,
    )
    for text in (repr(credentials), str(credentials), f"{credentials}", repr([credentials])):
        for part in ("AKIDEXAMPLE", "a-secret", "a-token"):
            assert part not in text


def test_an_ordinary_function_does_not_load_the_endpoints_client() -> None:
    script = (
        "import sys\n"
        "from chatgrid_auth.adapters.awslite.credential_chain import credentials_from\n"
        f"credentials_from({ENVIRONMENT!r})\n"
        "assert 'chatgrid_auth.adapters.awslite.container_credentials' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
