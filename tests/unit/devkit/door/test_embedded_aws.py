"""The embedded AWS answers whoever has its access key, and nobody's foreign page."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from chatgrid_devkit.door.embedded_aws import AwsDoor

KEY = "LOCAL0123456789ABCDEF"
SIGNED = {"Authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/20260101/us-east-1/ssm/aws4_request"}
FUNCTIONS_OWN = {
    "Authorization": SIGNED["Authorization"].replace(KEY, "000000000000"),
    "X-Amz-Security-Token": KEY,
}
API = "/restapis/abc/v1/_user_request_/boards"


class Inside:
    """The embedded AWS, as careless as the real one."""

    def __init__(self) -> None:
        self.scopes: list[Any] = []

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        headers = [(b"access-control-allow-origin", b"*"), (b"x-kept", b"yes")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})


def ask(
    path: str, headers: dict[str, str], *, method: str = "POST", inside: Inside | None = None
) -> httpx.Response:
    async def send() -> httpx.Response:
        door = AwsDoor(inside or Inside(), access_key=KEY, hosts=("172.17.0.1:4566",))
        transport = httpx.ASGITransport(app=door)
        base = "http://127.0.0.1:4566"
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(send())


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", SIGNED),
        ("/", FUNCTIONS_OWN),
        (f"/bucket/file?X-Amz-Credential={KEY}%2F20260101%2Fus-east-1", {}),
        ("/", {**SIGNED, "Host": "172.17.0.1:4566"}),
        ("/", {**SIGNED, "Origin": "http://127.0.0.1:4566"}),
        (API, {"Authorization": "Bearer anything"}),
        (API, {"Origin": "http://127.0.0.1:4566"}),
    ],
)
def test_the_access_key_or_a_deployed_api_lets_callers_in(
    path: str, headers: dict[str, str]
) -> None:
    answer = ask(path, headers)
    assert (answer.status_code, answer.headers["x-kept"]) == (200, "yes")
    # What a deployed API allows is its own to say.
    assert ("access-control-allow-origin" in answer.headers) is (path == API)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {}),
        ("/", {"Authorization": SIGNED["Authorization"].replace(KEY, "local")}),
        ("/", {"Authorization": SIGNED["Authorization"].replace(KEY, KEY + "0")}),
        ("/", {"Authorization": SIGNED["Authorization"].replace(KEY, KEY[:-1])}),
        ("/", {"Authorization": f"Bearer {KEY}"}),
        ("/_ministack/health", {}),
        ("/_ministack/reset", {}),
        ("/2015-03-31/functions", {}),
        ("/apikeys", {}),
        ("/restapis/abc/v1/test-invoke", {}),
        ("/restapis//v1/_user_request_/boards", {}),
        ("/restapis/abc/v1/_user_request_x", {}),
        ("//restapis/abc/v1/_user_request_/", {}),
        ("/_aws/execute-api/abc/v1/boards", {}),
        ("/", {**SIGNED, "Origin": "http://127.0.0.1:8080"}),
        ("/", {**SIGNED, "Origin": "null"}),
        ("/", {**SIGNED, "Host": "rebound.example:4566"}),
        ("/", {**SIGNED, "Host": "172.17.0.1:4567"}),
        (API, {"Origin": "http://evil.example"}),
        (API, {"Host": "rebound.example:4566"}),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_anybody_else_is_refused_and_reads_nothing(
    path: str, headers: dict[str, str], method: str
) -> None:
    inside = Inside()
    answer = ask(path, headers, method=method, inside=inside)
    assert answer.status_code == 403
    assert not any(name.startswith("access-control-") for name in answer.headers)
    assert inside.scopes == []


def test_a_call_of_a_deployed_api_cannot_turn_into_one_of_aws() -> None:
    inside = Inside()
    ask(API, {"X-Amz-Target": "DynamoDB_20120810.ListTables", "X-Api-Key": "k"}, inside=inside)
    ((scope,),) = (inside.scopes,)
    names = {name for name, _ in scope["headers"]}
    assert b"x-amz-target" not in names
    assert b"x-api-key" in names


def test_a_websocket_needs_the_access_key_too() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": "/restapis/abc/v1/_user_request_/",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1:4566")],
    }
    inside = Inside()
    asyncio.run(AwsDoor(inside, access_key=KEY)(scope, None, send))  # type: ignore[arg-type]
    assert [message["type"] for message in sent] == ["websocket.close"]
    assert inside.scopes == []
