"""Only a request for loopback is let in, and a page is its own by scheme, name and port."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from chatgrid_devkit.door.loopback import for_loopback_only, is_loopback, is_own_origin


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:3000", "localhost", "LocalHost:1", "[::1]", "[::1]:65535"],
)
def test_loopbacks_own_names_are_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        ":3000",
        "rebound.example",
        "rebound.example:3000",
        "127.0.0.1.rebound.example",
        "localhost.rebound.example:3000",
        "127.0.0.1:3000.rebound.example",
        "127.0.0.1:",
        "127.0.0.1:3000:3000",
        "127.0.0.1@rebound.example",
        "127.0.0.1 rebound.example",
        "127.0.0.1, rebound.example",
        "127.0.0.1\n",
        "127.0.0.1:٣",
        "::1",
        "0.0.0.0",
        "2130706433",
    ],
)
def test_no_other_name_passes_for_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("origin", "own"),
    [
        ("http://127.0.0.1:3000", True),
        ("http://localhost:3000", True),
        ("http://127.0.0.1:3001", False),
        ("http://127.0.0.1", False),
        ("https://127.0.0.1:3000", False),
        ("http://evil.example:3000", False),
        ("http://127.0.0.1:3000/", False),
        ("http://127.0.0.1:3000@evil.example", False),
        ("null", False),
        ("", False),
    ],
)
def test_a_page_of_another_port_scheme_or_site_is_foreign(origin: str, own: bool) -> None:
    assert is_own_origin(origin, "127.0.0.1:3000") is own


async def _hello(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


def ask(headers: list[tuple[str, str]]) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=for_loopback_only(_hello))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            request = client.build_request("GET", "/")
            request.headers = httpx.Headers(headers)
            return await client.send(request)

    return asyncio.run(send())


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Host", "rebound.example")],
        [("Host", "127.0.0.1"), ("Host", "rebound.example")],
        [("Host", "rebound.example"), ("X-Forwarded-Host", "127.0.0.1")],
    ],
)
def test_what_is_not_for_loopback_is_refused_before_the_app(headers: list[tuple[str, str]]) -> None:
    answer = ask(headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert ask([("Host", "127.0.0.1:3000")]).text == "hello"
