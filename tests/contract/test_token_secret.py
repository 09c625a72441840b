"""The secret of derived tokens: read seldom, both of it accepted, and never guessed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from chatgrid_auth.adapters.awslite.credentials import Credentials, FixedCredentials
from chatgrid_auth.adapters.token_secret import held
from chatgrid_auth.adapters.token_secret.held import REREAD_MS, RETRY_MS, STALE_MS, TokenSecret
from chatgrid_auth.domain.errors import TokenSecretUnavailable
from tests.support.aws import ACCESS_KEY
from tests.support.servers.fault_server import FaultServer, Step, answer, error, response

ARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:tokens-AbCdEf"
CREDENTIALS = FixedCredentials(
    Credentials(access_key_id=ACCESS_KEY, secret_access_key="local", session_token="session")
)
OLD, NEW = "o" * 64, "n" * 64
NOW_MS = 1_800_000_000_000


def kept(current: object, previous: object = "", *, made_ms: int = 0) -> Step:
    told = json.dumps({"current": current, "previous": previous})
    return answer(response({"SecretString": told, "CreatedDate": made_ms / 1_000}))


Reader = Callable[..., tuple[TokenSecret, FaultServer]]


@pytest.fixture
def reader() -> Iterator[Reader]:
    servers: list[FaultServer] = []

    def start(*steps: Step) -> tuple[TokenSecret, FaultServer]:
        server = FaultServer(*steps).__enter__()
        servers.append(server)
        return TokenSecret(ARN, credentials=CREDENTIALS, endpoint=server.url), server

    yield start
    for server in servers:
        server.stop()


def test_the_secret_is_read_once_in_five_minutes(reader: Reader) -> None:
    secret, server = reader(kept(OLD), kept(NEW, OLD))
    for later_ms in (0, 1, REREAD_MS - 1):
        assert secret.accepted(NOW_MS + later_ms) == (OLD.encode(),)
    assert len(server.requests) == 1
    assert secret.accepted(NOW_MS + REREAD_MS) == (NEW.encode(), OLD.encode())
    assert server.requests[0].json() == {"SecretId": ARN}


@pytest.mark.parametrize(("age_ms", "signs"), [(REREAD_MS - 1, OLD), (REREAD_MS, NEW)])
def test_a_new_secret_signs_when_every_container_has_read_it(
    reader: Reader, age_ms: int, signs: str
) -> None:
    secret, _ = reader(kept(NEW, OLD, made_ms=NOW_MS - age_ms))
    assert secret.signing(NOW_MS) == signs.encode()


def test_the_only_secret_signs_from_the_first_moment_on(reader: Reader) -> None:
    secret, _ = reader(kept(NEW, made_ms=NOW_MS))
    assert secret.signing(NOW_MS) == NEW.encode()


def test_a_known_secret_serves_an_hour_of_outage_and_signs_nothing_then(reader: Reader) -> None:
    secret, _ = reader(kept(OLD), *[answer(error("InternalServiceError", status=500))] * 9)
    secret.accepted(NOW_MS)
    for later_ms in (REREAD_MS, REREAD_MS + RETRY_MS, STALE_MS - 1):
        assert secret.accepted(NOW_MS + later_ms) == (OLD.encode(),)
        assert secret.is_overdue(NOW_MS + later_ms)
        with pytest.raises(TokenSecretUnavailable):
            secret.signing(NOW_MS + later_ms)
    with pytest.raises(TokenSecretUnavailable):
        secret.accepted(NOW_MS + STALE_MS)


def test_a_failure_is_not_repeated_for_every_request(reader: Reader) -> None:
    secret, server = reader(answer(error("AccessDeniedException")), kept(OLD))
    for later_ms in (0, 1, RETRY_MS - 1):
        with pytest.raises(TokenSecretUnavailable):
            secret.accepted(NOW_MS + later_ms)
    assert len(server.requests) == 1
    assert secret.accepted(NOW_MS + RETRY_MS) == (OLD.encode(),)


@pytest.mark.parametrize(
    "value",
    [None, "", "short", 5, ["o" * 64], {"a": "b"}],
)
def test_what_is_no_secret_makes_and_admits_no_tokens(reader: Reader, value: object) -> None:
    secret, _ = reader(kept(value))
    with pytest.raises(TokenSecretUnavailable) as raised:
        secret.accepted(NOW_MS)
    assert raised.value.__cause__ is None


def test_no_part_of_a_secret_is_in_its_fault(reader: Reader) -> None:
    text = answer(response({"SecretString": OLD + "{", "CreatedDate": 1.0}))
    secret, _ = reader(text)
    with pytest.raises(TokenSecretUnavailable) as raised:
        secret.accepted(NOW_MS)
    assert OLD not in repr(raised.value)
    assert raised.value.__suppress_context__


def test_the_secret_of_a_module_is_as_long_as_its_hash() -> None:
    assert held.secrets_of({"current": "x" * 32}) == (b"x" * 32,)
    with pytest.raises(ValueError, match="short"):
        held.secrets_of({"current": "x" * 31})
