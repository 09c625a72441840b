"""Credentials of an endpoint are renewed ahead of their end, and asked of this machine only."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatgrid_auth.adapters.awslite import container_credentials
from chatgrid_auth.adapters.awslite.container_credentials import ContainerCredentials, get_locally
from chatgrid_auth.adapters.awslite.credentials import CredentialsUnavailable

END = 1_800_000_000  # 2027-01-15T08:00:00Z
END_TEXT = "2027-01-15T08:00:00Z"
FULL_URI = "http://127.0.0.1:9001/credentials"


def answer(**changes: object) -> bytes:
    fields = {
        "AccessKeyId": "AKIDEXAMPLE",
        "SecretAccessKey": "a-secret",
        "Token": "a-token",
        "Expiration": END_TEXT,
    }
    return json.dumps(fields | changes).encode()


class Endpoint:
    """An endpoint that gives what it is told to, and remembers what it was asked."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str]] = []

    def get(self, url: str, authorization: str) -> bytes:
        self.asked.append((url, authorization))
        if not self.answers:
            raise CredentialsUnavailable("down")
        return self.answers.pop(0)


def source(endpoint: Endpoint, **environ: str) -> ContainerCredentials:
    environment = environ or {"AWS_CONTAINER_CREDENTIALS_FULL_URI": FULL_URI}
    return ContainerCredentials(environment, fetch=endpoint.get)


def test_the_answers_fields_are_the_credentials() -> None:
    found = source(Endpoint(answer())).current(END - 3600.0)
    assert found.access_key_id == "AKIDEXAMPLE"
    assert found.secret_access_key == "a-secret"
    assert found.session_token == "a-token"
    assert found.expires_at_seconds == END


def test_the_same_object_serves_until_five_minutes_before_the_end() -> None:
    endpoint = Endpoint(answer(), answer(AccessKeyId="AKIDNEXT"))
    one = source(endpoint)
    first = one.current(END - 3600.0)
    assert one.current(END - 300.5) is first
    assert len(endpoint.asked) == 1
    assert one.current(END - 300.0).access_key_id == "AKIDNEXT"


def test_old_credentials_serve_while_the_endpoint_is_down_and_they_last() -> None:
    endpoint = Endpoint(answer())
    one = source(endpoint)
    first = one.current(END - 3600.0)
    assert one.current(END - 200.0) is first
    assert one.current(END - 199.0) is first
    assert len(endpoint.asked) == 2, "a failing endpoint was asked again at once"
    assert one.current(END - 189.0) is first
    assert len(endpoint.asked) == 3
    with pytest.raises(CredentialsUnavailable):
        one.current(END + 0.0)


def test_credentials_that_end_soon_are_not_fetched_for_every_request() -> None:
    endpoint = Endpoint(answer(), answer())
    one = source(endpoint)
    one.current(END - 60.0)
    one.current(END - 51.0)
    assert len(endpoint.asked) == 1
    one.current(END - 50.0)
    assert len(endpoint.asked) == 2


def test_expired_credentials_are_none() -> None:
    with pytest.raises(CredentialsUnavailable, match="expired"):
        source(Endpoint(answer())).current(END + 0.0)


def test_credentials_without_an_end_are_asked_for_again_now_and_then() -> None:
    endpoint = Endpoint(answer(Expiration=None), answer(Expiration=None))
    one = source(endpoint)
    one.current(1000.0)
    one.current(1200.0)
    assert len(endpoint.asked) == 1
    one.current(1700.0)
    assert len(endpoint.asked) == 2


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b"\xff",
        answer(AccessKeyId=None),
        answer(SecretAccessKey=""),
        answer(SecretAccessKey="two\r\nlines"),
        answer(Expiration="tomorrow"),
        answer(Expiration=5),
    ],
)
def test_an_answer_that_holds_none_is_a_fault_that_repeats_nothing(given: bytes) -> None:
    with pytest.raises(CredentialsUnavailable) as unavailable:
        source(Endpoint(given)).current(0.0)
    assert "secret" not in str(unavailable.value)


def test_the_relative_uri_is_on_the_container_agents_address() -> None:
    endpoint = Endpoint(answer())
    source(endpoint, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="/v2/id").current(0.0)
    assert endpoint.asked == [("http://169.254.170.2/v2/id", "")]


def test_the_token_goes_along_and_is_read_anew_each_time(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("from-file\n")
    environment = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": FULL_URI,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "from-variable",
    }
    endpoint = Endpoint(answer(), answer(), answer())
    one = ContainerCredentials(environment, fetch=endpoint.get)
    one.renewed(0.0)
    environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "after-restore"
    one.renewed(0.0)
    environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = str(file)
    one.renewed(0.0)
    assert [token for _, token in endpoint.asked] == ["from-variable", "after-restore", "from-file"]


def test_a_token_that_would_break_out_of_its_header_is_refused() -> None:
    endpoint = Endpoint(answer())
    one = source(
        endpoint,
        AWS_CONTAINER_CREDENTIALS_FULL_URI=FULL_URI,
        AWS_CONTAINER_AUTHORIZATION_TOKEN="x\r\nHost: y",
    )
    with pytest.raises(CredentialsUnavailable, match="header"):
        one.current(0.0)
    assert endpoint.asked == []


def test_a_token_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    one = source(
        Endpoint(answer()),
        AWS_CONTAINER_CREDENTIALS_FULL_URI=FULL_URI,
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(tmp_path / "absent"),
    )
    with pytest.raises(CredentialsUnavailable, match="file"):
        one.current(0.0)


@pytest.mark.parametrize(
    "url",
    [
        "http://credentials.example/",
        "http://10.0.0.1/",
        "http://192.168.0.1/",
        "http://127.1/",
        "http://128.0.0.1/",
        "http://169.253.170.2/",
        "http://[fe80::1]/",
        "http://[::2]/",
        "http://localhost.example/",
        "http://127.0.0.1.example/",
        "http://127.0.0.1@credentials.example/",
        "ftp://127.0.0.1/",
        "/relative",
        "",
    ],
)
def test_secrets_are_never_asked_for_in_the_clear_beyond_this_machine(url: str) -> None:
    # With sockets forbidden here, a URL that were taken would fail in another way.
    with pytest.raises(CredentialsUnavailable, match=r"not an http URL|neither local nor https"):
        get_locally(url, "token")


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "127.255.0.9", "::1", "169.254.170.2", "169.254.170.23"]
)
def test_this_machine_and_its_link_are_local(host: str) -> None:
    assert container_credentials._is_local(host)
