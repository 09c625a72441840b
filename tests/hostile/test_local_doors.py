"""No other site's page gets anything from any port that the local system listens on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.hostile.listening import listening_ports
from tests.hostile.raw_http import exchange
from tests.support.stack.local_stack import LocalStack, descendants

FOREIGN = ("http://127.0.0.1:1", "http://localhost:8080", "https://evil.example", "null")
REBOUND = ("rebound.example", "127.0.0.1.rebound.example", "localhost.rebound.example")
PATHS = (
    "/",
    "/v1/me",
    "/v1/boards",
    "/v1/dashboard",
    "/v1/reference",
    "/health",
    "/auth/v1/settings",
    "/auth/v1/token?grant_type=password",
    "/auth/v1/otp?redirect_to=http://127.0.0.1/",
    "/auth/v1/.well-known/jwks.json",
    "/?Action=ListTables",
    "/apikeys",
    "/2015-03-31/functions",
    "/_ministack/health",
    "/_ministack/reset",
    "/_localstack/health",
    "/restapis/x/v1/_user_request_/",
)
#: What a page may send without asking first (Fetch standard, CORS-safelisted).
SIMPLE = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data")
LINK = r'{"email": "\u001b]0;owned\u0007@b.example", "code_challenge": "c"}'


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with LocalStack(tmp_path_factory.mktemp("doors") / "state") as running:
        yield running


def ports(local: LocalStack) -> dict[str, int]:
    """Each port that the local system listens on, by what listens there."""
    aws = urlsplit(local.described["dynamodb_endpoint"]).port
    assert aws is not None
    return {"gateway": local.port, "embedded AWS": aws}


def test_nothing_listens_that_is_not_tried_here_nor_beyond_loopback(local: LocalStack) -> None:
    if not Path("/proc/net/tcp").exists():
        pytest.skip(f"which ports are listened on is not told on {sys.platform}")
    found = listening_ports({local.pid, *descendants(local.pid)})
    assert found == {("127.0.0.1", port) for port in ports(local).values()}


@pytest.mark.parametrize("name", ["gateway", "embedded AWS"])
@pytest.mark.parametrize("host", REBOUND)
def test_a_name_rebound_to_this_machine_is_refused_on_every_port(
    local: LocalStack, name: str, host: str
) -> None:
    port = ports(local)[name]
    for path in PATHS:
        for method in ("GET", "POST", "OPTIONS"):
            lines = (
                f"{method} {path} HTTP/1.1",
                f"Host: {host}:{port}",
                "Content-Length: 0",
                "Connection: close",
                "\r\n",
            )
            (reply,) = exchange(f"http://127.0.0.1:{port}", "\r\n".join(lines).encode())
            assert reply.status == 403, (method, path)
            assert not any(header.startswith("access-control") for header in reply.headers)


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_foreign_page_reaches_nothing_in_the_embedded_aws(local: LocalStack, origin: str) -> None:
    port = ports(local)["embedded AWS"]
    # It may close what it has refused, so each request has a connection of its own.
    with httpx.Client(
        base_url=f"http://127.0.0.1:{port}",
        headers={"Origin": origin},
        limits=httpx.Limits(max_keepalive_connections=0),
    ) as page:
        for path in PATHS:
            assert_closed(page.get(path))
            assert_closed(page.options(path, headers={"Access-Control-Request-Method": "POST"}))
            for kind in SIMPLE:
                assert_closed(page.post(path, content=b"{}", headers={"Content-Type": kind}))


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_foreign_page_reaches_nothing_of_the_identity_provider(
    local: LocalStack, origin: str
) -> None:
    with httpx.Client(
        base_url=f"http://127.0.0.1:{local.port}", headers={"Origin": origin}
    ) as page:
        for path in (path for path in PATHS if path.startswith("/auth/")):
            assert_closed(page.get(path))
            assert_closed(page.options(path, headers={"Access-Control-Request-Method": "POST"}))
            for kind in SIMPLE:
                assert_closed(page.post(path, content=LINK, headers={"Content-Type": kind}))


def assert_closed(answer: httpx.Response) -> None:
    assert answer.status_code == 403, (answer.request.method, answer.request.url)
    assert not any(name.startswith("access-control-") for name in answer.headers)


def test_without_an_origin_the_access_key_alone_opens_the_embedded_aws(local: LocalStack) -> None:
    port = ports(local)["embedded AWS"]
    target = {"X-Amz-Target": "DynamoDB_20120810.ListTables"}
    for key in ("local", "test", "000000000000", ""):
        signed = f"AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/dynamodb/aws4_request"
        answer = httpx.post(
            f"http://127.0.0.1:{port}/",
            headers={**target, "Authorization": signed},
            content=b"{}",
        )
        assert answer.status_code == 403
    described: dict[str, Any] = local.described
    key = described["access_key"]
    signed = f"AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/dynamodb/aws4_request"
    answer = httpx.post(
        f"http://127.0.0.1:{port}/", headers={**target, "Authorization": signed}, content=b"{}"
    )
    assert answer.json()["TableNames"]


def test_an_unknown_api_does_not_fall_through_to_aws(local: LocalStack) -> None:
    """A call of an API that there is not is answered here."""
    port = ports(local)["embedded AWS"]
    for target in ("DynamoDB_20120810.ListTables", "secretsmanager.ListSecrets"):
        for path in (
            "/restapis/x/v1/_user_request_/",
            "/restapis/x/v1/_user_request_/@connections/",
        ):
            answer = httpx.post(
                f"http://127.0.0.1:{port}{path}?Action=ListTables",
                headers={"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.0"},
                content=b"{}",
            )
            assert answer.status_code in {403, 404, 410}, answer.text
            assert "TableNames" not in answer.text
            assert "SecretList" not in answer.text


def test_nothing_that_was_sent_here_spoke_to_the_terminal(local: LocalStack) -> None:
    httpx.post(
        f"http://127.0.0.1:{local.port}/auth/v1/otp?redirect_to=http://127.0.0.1:{local.port}/",
        content=LINK,
        headers={"Content-Type": "application/json"},
    )
    httpx.get(f"http://127.0.0.1:{local.port}/v1/boards/%1b%5d0;owned%07\x9b31m")
    for shown in (local.output, local.state / "functions.log", local.state / "aws/ministack.log"):
        text = shown.read_bytes().decode("utf-8")
        assert all(char.isprintable() or char in "\n\t" for char in text), shown


def test_the_access_key_can_be_read_by_its_owner_alone(local: LocalStack) -> None:
    for file in ("aws/access-key", "stack.json"):
        assert (local.state / file).stat().st_mode & 0o077 == 0
    assert local.described["access_key"] not in local.output.read_text()
    commands = descendants(local.pid).values()
    assert not any(local.described["access_key"] in command for command in commands)
