"""The HS256 secret comes from Secrets Manager or SSM, and an outage there is a fault."""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from chatgrid_auth.adapters.awslite.credentials import (
    Credentials,
    CredentialsUnavailable,
    FixedCredentials,
)
from chatgrid_auth.adapters.awslite.fetch import fetch
from chatgrid_auth.adapters.jwt import secret_source
from chatgrid_auth.adapters.jwt.jwks_cache import STALE_AGE_MS
from chatgrid_auth.adapters.jwt.secret_source import SecretSource
from chatgrid_auth.adapters.jwt.verifier import JwtVerifier, build_verifier
from chatgrid_auth.domain.errors import IdentityProviderUnavailable
from chatgrid_auth.settings import JwtSettings
from chatgrid_devkit.stack.ministack import Ministack
from tests.support.aws import ACCESS_KEY
from tests.support.servers.rogue_server import Response, RogueServer, body, document, hang, raw
from tests.vectors.jwt.forge import Forge

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "https://abcdefghijklmnop.supabase.co"
SECRET = "a-development-secret-of-more-than-thirty-two-bytes"
ARNS = {
    "secretsmanager": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:jwt-AbCdEf",
    "ssm": "arn:aws:ssm:eu-central-1:111122223333:parameter/team/jwt",
}
CREDENTIALS = FixedCredentials(
    Credentials(access_key_id=ACCESS_KEY, secret_access_key="local", session_token="session")
)


def source(arn: str, url: str) -> SecretSource:
    endpoints = dict.fromkeys(ARNS, url)
    return SecretSource(arn, credentials=CREDENTIALS, endpoints=endpoints)


def answered(service: str, value: object) -> Response:
    if service == "ssm":
        return document({"Parameter": {"Value": value, "Type": "SecureString"}})
    return document({"SecretString": value, "Name": "jwt"})


def now_ms() -> int:
    return int(time.time() * 1000)


def aws(service: Any, ministack: Ministack) -> Any:
    return boto3.client(
        service,
        endpoint_url=ministack.endpoint,
        region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key="local",
    )


def test_the_secret_is_asked_for_while_pyjwt_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "chatgrid_auth.adapters.jwt.verification_keys", None)
    with RogueServer(answered("secretsmanager", SECRET)) as server:
        with pytest.raises(ImportError):
            source(ARNS["secretsmanager"], server.url).load(now_ms())
        assert len(server.requests) == 1


def test_a_secret_of_secrets_manager_is_read(ministack: Ministack) -> None:
    created = aws("secretsmanager", ministack).create_secret(
        Name="chatgrid/jwt", SecretString=SECRET
    )
    keys = source(created["ARN"], ministack.endpoint).load(now_ms())
    assert keys.get("", "HS256") is not None


@pytest.mark.parametrize("name", ["/chatgrid/jwt", "chatgrid-jwt"])
def test_a_secure_parameter_of_ssm_is_read(ministack: Ministack, name: str) -> None:
    client = aws("ssm", ministack)
    client.put_parameter(Name=name, Value=SECRET, Type="SecureString", Overwrite=True)
    arn = client.get_parameter(Name=name)["Parameter"]["ARN"]
    keys = source(arn, ministack.endpoint).load(now_ms())
    assert keys.get("", "HS256") is not None


def test_a_secret_that_is_not_there_is_a_fault(ministack: Ministack) -> None:
    with pytest.raises(IdentityProviderUnavailable):
        source(ARNS["secretsmanager"], ministack.endpoint).load(now_ms())


@pytest.mark.parametrize("service", ARNS)
def test_the_request_is_signed_and_names_the_secret_only(service: str) -> None:
    with RogueServer(answered(service, SECRET)) as server:
        source(ARNS[service], server.url).load(1_800_000_000_000)
        (request,) = server.requests
    text = request.decode()
    assert text.startswith("POST / HTTP/1.1\r\n")
    assert f"/eu-central-1/{service}/aws4_request" in text
    assert "X-Amz-Date: 20270115T080000Z" in text
    assert "X-Amz-Security-Token: session" in text


@pytest.mark.parametrize("service", ARNS)
@pytest.mark.parametrize(
    "value",
    [
        SECRET,
        f"{SECRET}\n",
        json.dumps({"jwt_secret": SECRET}),
        json.dumps({"jwt_secret": SECRET, "x": 1}),
    ],
)
def test_the_secret_may_be_plain_or_a_member_of_a_json_object(service: str, value: str) -> None:
    with RogueServer(answered(service, value)) as server:
        keys = source(ARNS[service], server.url).load(1_800_000_000_000)
    key = keys.get("", "HS256")
    assert key is not None
    assert key.thumbprint == SECRET.encode()


def test_credentials_that_cannot_be_had_are_an_outage() -> None:
    class Nothing:
        def current(self, now_seconds: float) -> Credentials:
            raise CredentialsUnavailable("none")

        def renewed(self, now_seconds: float) -> Credentials:
            raise CredentialsUnavailable("none")

    with RogueServer(hang) as server:
        lacking = SecretSource(ARNS["ssm"], credentials=Nothing(), endpoints={"ssm": server.url})
        with pytest.raises(IdentityProviderUnavailable):
            lacking.load(1_800_000_000_000)
        assert not server.requests


def test_a_users_own_credentials_need_no_session_token() -> None:
    own = FixedCredentials(Credentials(access_key_id=ACCESS_KEY, secret_access_key="local"))
    with RogueServer(answered("ssm", SECRET)) as server:
        SecretSource(ARNS["ssm"], credentials=own, endpoints={"ssm": server.url}).load(0)
        assert b"X-Amz-Security-Token" not in server.requests[0]


def test_only_secrets_and_parameters_are_sources() -> None:
    with pytest.raises(ValueError, match="ARN"):
        source("arn:aws:s3:::bucket", "http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("partition", "region", "host"),
    [
        ("aws", "eu-central-1", "ssm.eu-central-1.amazonaws.com"),
        ("aws-cn", "cn-north-1", "ssm.cn-north-1.amazonaws.com.cn"),
        ("aws-us-gov", "us-gov-west-1", "ssm.us-gov-west-1.amazonaws.com"),
    ],
)
def test_the_public_address_follows_from_the_arn(
    monkeypatch: pytest.MonkeyPatch, partition: str, region: str, host: str
) -> None:
    asked: list[str] = []

    def answer(url: str, *, headers: dict[str, str], body: bytes) -> bytes:
        asked.append(url)
        assert "Host" not in headers, "the client names the host of the address"
        return json.dumps({"Parameter": {"Value": SECRET}}).encode()

    monkeypatch.setattr(secret_source, "fetch", answer)
    arn = f"arn:{partition}:ssm:{region}:111122223333:parameter/jwt"
    SecretSource(arn, credentials=CREDENTIALS, endpoints={}).load(0)
    assert asked == [f"https://{host}"]


FAULTS: dict[str, Callable[[str], Response]] = {
    "hangs": lambda _: hang,
    "hangs up": lambda _: raw(b""),
    "throttles": lambda s: body(b'{"__type":"ThrottlingException"}', status="400 Bad Request"),
    "forbids": lambda _: body(b'{"__type":"AccessDeniedException"}', status="400 Bad Request"),
    "fails": lambda _: body(b"", status="500 Internal Server Error"),
    "sends no JSON": lambda _: body(b"<html>"),
    "sends a list": lambda _: document([]),
    "sends no secret": lambda _: document({}),
    "sends a number": lambda s: answered(s, 5),
    "sends an empty secret": lambda s: answered(s, ""),
    "sends a short secret": lambda s: answered(s, "hunter2"),
    "sends another member": lambda s: answered(s, json.dumps({"password": SECRET})),
    "sends a broken object": lambda s: answered(s, "{" + SECRET),
    "sends an endless object": lambda s: answered(s, '{"jwt_secret":' * 3_000),
}


@pytest.mark.parametrize("service", ARNS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_store_is_an_outage_that_quotes_nothing(
    service: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret_source, "fetch", partial(fetch, timeout_seconds=0.3))
    with RogueServer(FAULTS[fault](service)) as server:
        with pytest.raises(IdentityProviderUnavailable) as caught:
            source(ARNS[service], server.url).load(1_800_000_000_000)
        assert len(server.requests) == 1
    for secret in (SECRET, "hunter2"):
        assert secret not in repr(caught.value)
        assert secret not in repr(caught.value.__cause__)


def verifier(server: RogueServer) -> JwtVerifier:
    settings = JwtSettings(
        URL,
        algorithms=("HS256",),
        secret_arn=ARNS["secretsmanager"],
        endpoints={"secretsmanager": server.url},
    )
    return build_verifier(settings, credentials=CREDENTIALS)


def token(secret: str) -> str:
    return Forge(
        private_jwks=[],
        secret=secret,
        issuer=f"{URL}/auth/v1",
        audience="authenticated",
        now_s=1_800_000_000,
    ).token({"alg": "HS256"})


def test_hs256_tokens_survive_an_outage_of_the_secret_store(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They are good through it, and never refused by it."""
    monkeypatch.setattr(secret_source, "fetch", partial(fetch, timeout_seconds=0.3))
    with RogueServer(body(b"", status="500 Internal Server Error")) as server:
        gate = verifier(server)
        with pytest.raises(IdentityProviderUnavailable):
            gate.verify(token(SECRET), now_ms=1_800_000_000_000)
        server.answer = answered("secretsmanager", SECRET)
        assert gate.verify(token(SECRET), now_ms=1_800_000_002_000) is not None
        server.answer = hang
        assert gate.verify(token(SECRET), now_ms=1_800_000_002_000 + STALE_AGE_MS) is not None


def test_a_changed_secret_is_taken_up() -> None:
    """Tokens of the old one are refused."""
    with RogueServer(answered("secretsmanager", SECRET)) as server:
        gate = verifier(server)
        assert gate.verify(token(SECRET), now_ms=1_800_000_000_000) is not None
        changed = SECRET[::-1]
        server.answer = answered("secretsmanager", changed)
        later_ms = 1_800_000_000_000 + STALE_AGE_MS
        assert gate.verify(token(changed), now_ms=later_ms) is not None
        assert gate.verify(token(SECRET), now_ms=later_ms) is None
