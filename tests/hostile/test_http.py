"""Requests that no honest client sends: never a 5xx, never let in, nothing echoed."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.hostile.raw_http import Reply, exchange
from tests.support.stack.api import Api, assert_envelope

REFUSED = {
    "object": "error",
    "status": 401,
    "code": "unauthorized",
    "message": "Missing or invalid token",
}
#: What HTTP itself demands for what is no request, or for a method or version that nobody knows.
NOT_HTTP = {501, 505}


@pytest.fixture(scope="module")
def url(stack: dict[str, Any]) -> str:
    if not stack["url"].startswith("http://127.0.0.1"):
        pytest.skip("raw bytes are for the local gateway: AWS's edge is not ours to test")
    return str(stack["url"])


def request(
    method: str, target: str, *lines: bytes, body: bytes = b"", close: bool = True
) -> bytes:
    head = [f"{method} {target} HTTP/1.1".encode("latin-1"), b"Host: 127.0.0.1", *lines]
    if close:
        head.append(b"Connection: close")
    if body:
        head.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def bearer(raw_key: str) -> bytes:
    return b"Authorization: Bearer " + raw_key.encode()


def the_reply(url: str, sent: bytes, *, silence_seconds: float = 10.0) -> Reply:
    (reply,) = exchange(url, sent, silence_seconds=silence_seconds)
    assert reply.status < 500 or reply.status in NOT_HTTP, (sent[:120], reply.status, reply.body)
    return reply


def assert_refused(reply: Reply, *, secret: str | None = None) -> None:
    """A 4xx; and if the API answered, in its envelope. Nothing of the credential comes back."""
    assert 400 <= reply.status < 500 or reply.status in NOT_HTTP, (reply.status, reply.body)
    if secret is not None:
        told = repr(reply.headers).encode() + reply.body
        assert secret[13:].encode() not in told


#: Spellings of a path to the keys; a read key must get through none of them.
ADMIN_PATHS = [
    "/v1/me/api-keys",
    "/v1/me/api-keys/",
    "/v1/me/api-keys//",
    "/v1//me/api-keys",
    "//v1/me/api-keys",
    "/v1/me//api-keys",
    "/v1/me/./api-keys",
    "/v1/boards/../me/api-keys",
    "/v1/boards/%2e%2e/me/api-keys",
    "/v1/boards/..%2fme%2fapi-keys",
    "/v1/boards/..;/me/api-keys",
    "/v1/me/%61pi-keys",
    "/v1/me/api%2Dkeys",
    "/v1/me%2Fapi-keys",
    "/v1/me%252Fapi-keys",
    "/v1/me/api-keys%2F",
    "/v1/me/api-keys%00",
    "/v1/me/api-keys%20",
    "/v1/me/api-keys%0d%0aX-Injected:%201",
    "/v1/me/api-keys;a=b",
    "/v1/me;a=b/api-keys",
    "/v1/me/api-keys.json",
    "/v1/ME/API-KEYS",
    "/V1/me/api-keys",
    "/v1/me\\api-keys",
    "/v1/me/api-keys?x=/v1/boards",
    "/v1/boards#/../me/api-keys",
    "/v1/me/api%E2%80%90keys",
    "/v1/me/ap\u00ed-keys",
    "/v1/%ff/../me/api-keys",
    "/v1/boards/%2e%2e%2fme%2fapi-keys/x",
    "/v1/{proxy+}/me/api-keys",
    "/v1/$default/me/api-keys",
    "http://127.0.0.1/v1/me/api-keys",
    "http://example.org/v1/me/api-keys",
    "https://example.org:443/v1/me/api-keys/",
    "/v1/boards/" + "../" * 200 + "me/api-keys",
]
METHODS = ["GET", "HEAD", "POST", "DELETE"]


@pytest.mark.parametrize("path", ADMIN_PATHS)
def test_no_spelling_of_a_path_takes_a_read_key_to_the_keys(
    path: str, url: str, read_key: str
) -> None:
    for method in METHODS:
        body = b'{"name": "x"}' if method == "POST" else b""
        lines = (bearer(read_key), b"Content-Type: application/json")
        reply = the_reply(url, request(method, path, *lines, body=body))
        if path.startswith("/v1/boards#") and method in {"GET", "HEAD"}:
            continue  # a fragment that is cut off leaves the list of boards
        assert_refused(reply, secret=read_key)
        assert b"raw_key" not in reply.body
        assert b'"api_key"' not in reply.body


@pytest.mark.parametrize("path", ADMIN_PATHS)
def test_no_spelling_of_a_path_needs_no_credential(path: str, url: str) -> None:
    assert_refused(the_reply(url, request("GET", path)))


@pytest.mark.parametrize(
    "name",
    [
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-Forwarded-Prefix",
        "X-Original-Method",
    ],
)
def test_no_header_overrides_method_or_path(
    name: str, http: httpx.Client, admin: Api, read_key: str
) -> None:
    reader = admin.holding(read_key)
    for value in ("GET", "/v1/boards", "/me", "DELETE"):
        headers = {name: value}
        asked = reader.ask("GET", "/me/api-keys", headers=headers)
        assert asked.status_code == 403
        assert reader.ask("POST", "/boards", headers=headers, json={}).status_code == 403
        listed = reader.ask("GET", f"/boards?_method={value}", headers=headers)
        assert listed.json()["object"] == "list"


@pytest.mark.parametrize(
    "method", ["TRACE", "CONNECT", "PROPFIND", "FOO", "get", "Get", "GET\x00", "A" * 300, "QUERY"]
)
def test_an_unknown_method_reaches_nothing(method: str, url: str, read_key: str) -> None:
    for path in ("/v1/me", "/v1/me/api-keys", "/v1/boards"):
        reply = the_reply(url, request(method, path, bearer(read_key)))
        assert_refused(reply, secret=read_key)


def authorizations(raw_key: str) -> dict[str, bytes]:
    """Authorization headers around a good key, none of which may count as one good key."""
    key = raw_key.encode()
    full_width = "".join(chr(ord(c) + 0xFEE0) for c in raw_key).encode()
    digits = raw_key.translate({ord("0") + n: 0x0660 + n for n in range(10)})
    cyrillic = raw_key.replace("c", "\u0441").encode()
    return {
        "twice the same": b"Authorization: Bearer " + key + b"\r\nAuthorization: Bearer " + key,
        "two cases of the name": b"Authorization: Bearer " + key + b"\r\nauthorization: Bearer x",
        "a bad one before": b"Authorization: Bearer x\r\nAuthorization: Bearer " + key,
        "a list": b"Authorization: Bearer " + key + b", Bearer " + key,
        "a comma": b"Authorization: Bearer " + key + b",",
        "full-width letters": b"Authorization: Bearer " + full_width,
        "Arabic digits": b"Authorization: Bearer cgk_live_" + "\u0661".encode() * 32,
        "Arabic digits of a good key": b"Authorization: Bearer " + digits.encode() + b"\xd9\xa1",
        "a Cyrillic c": b"Authorization: Bearer " + cyrillic,
        "capitals": b"Authorization: Bearer " + key.upper(),
        "NUL at the end": b"Authorization: Bearer " + key + b"\0",
        "NUL within": b"Authorization: Bearer " + key[:20] + b"\0" + key[20:],
        "percent-encoded": b"Authorization: Bearer %63" + key[1:],
        "obs-fold": b"Authorization: Bearer\r\n " + key + b"\r\n\tx",
        "a bare CR": b"Authorization: Bearer " + key + b"\rX: y",
        "a colon too early": b"Authorization : Bearer " + key,
        # Behind another header: folded into `Host`, it would be a host that nobody serves.
        "a name with a space before": b"X-Y: z\r\n Authorization: Bearer " + key,
        "quoted": b'Authorization: Bearer "' + key + b'"',
        "a parameter": b"Authorization: Bearer " + key + b";x=y",
        "no space": b"Authorization: Bearer" + key,
        "a tab": b"Authorization: Bearer\t" + key,
        "an ideographic space": b"Authorization: Bearer\xe3\x80\x80" + key,
        "a no-break space": b"Authorization: Bearer " + key + b"\xa0",
        "a zero-width space": b"Authorization: Bearer " + key + b"\xe2\x80\x8b",
        "a byte-order mark": b"Authorization: Bearer \xef\xbb\xbf" + key,
        "another scheme": b"Authorization: Basic " + key,
        "10 KB": b"Authorization: Bearer " + key + b"0" * 10_240,
        "10 KB of dots": b"Authorization: Bearer " + b"a.b." * 2_560,
        "another header": b"Proxy-Authorization: Bearer " + key,
        "API Gateway's own": b"X-Api-Key: " + key,
        "a cookie": b"Cookie: Authorization=Bearer " + key,
        "empty": b"Authorization:",
        "blank": b"Authorization: \t ",
    }


@pytest.mark.parametrize("case", authorizations("cgk_live_x"))
def test_what_is_not_one_plain_credential_is_refused_alike(
    case: str, url: str, read_key: str
) -> None:
    reply = the_reply(url, request("GET", "/v1/boards", authorizations(read_key)[case]))
    assert_refused(reply, secret=read_key)
    if "content-type" in reply.headers and "json" in reply.headers["content-type"]:
        assert reply.json() == REFUSED, case


def test_a_key_in_a_query_or_a_body_is_no_credential(url: str, read_key: str) -> None:
    for name in ("api_key", "access_token", "Authorization"):
        path = f"/v1/boards?{name}={read_key}"
        assert the_reply(url, request("GET", path)).json() == REFUSED
        body = f"{name}={read_key}".encode()
        form = b"Content-Type: application/x-www-form-urlencoded"
        assert the_reply(url, request("POST", "/v1/boards", form, body=body)).json() == REFUSED


def smuggled(raw_key: str) -> dict[str, bytes]:
    """Two requests in one, for whoever disagrees about where the first one ends."""
    inner = request("GET", "/v1/me/api-keys", bearer(raw_key))
    chunk = b"%x\r\n%b\r\n0\r\n\r\n" % (len(inner), inner)
    lines = (bearer(raw_key), b"Content-Type: application/json")
    post = ("POST", "/v1/boards", *lines)
    return {
        "CL.TE": request(*post, b"Transfer-Encoding: chunked", b"Content-Length: 4") + chunk,
        "TE.CL": request(*post, b"Content-Length: 4", b"Transfer-Encoding: chunked") + chunk,
        "two lengths": request(*post, b"Content-Length: 0", b"Content-Length: 5") + inner,
        "a list of lengths": request(*post, b"Content-Length: 0, 5") + inner,
        "a signed length": request(*post, b"Content-Length: +0") + inner,
        "a negative length": request(*post, b"Content-Length: -1") + inner,
        "a length in hex": request(*post, b"Content-Length: 0x0") + inner,
        "an unknown coding": request(*post, b"Transfer-Encoding: xchunked") + inner,
        "two codings": request(*post, b"Transfer-Encoding: chunked, identity") + chunk,
        "a coding with a tab": request(*post, b"Transfer-Encoding:\tchunked\t;x") + chunk,
        "a chunk without end": request(*post, b"Transfer-Encoding: chunked") + b"fffffffffffff\r\n",
        "a chunk of no number": request(*post, b"Transfer-Encoding: chunked") + b"x\r\n" + inner,
        "no version": b"GET /v1/boards\r\n\r\n" + inner,
        "HTTP/0.9": b"GET /v1/boards HTTP/0.9\r\n\r\n" + inner,
        "HTTP/2 without asking": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "an upgrade": request("GET", "/v1/boards", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk"),
        "nothing but NUL": b"\0" * 64 + b"\r\n\r\n",
        "TLS in clear": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64,
    }


@pytest.mark.parametrize("case", smuggled("cgk_live_x"))
def test_a_request_within_a_request_is_never_served(case: str, url: str, read_key: str) -> None:
    replies = exchange(url, smuggled(read_key)[case], silence_seconds=1.5)
    for reply in replies:
        assert_refused(reply, secret=read_key)
        assert b"scope: admin" not in reply.body, "the inner request was read as one"


def test_options_never_needs_nor_takes_a_credential(url: str, read_key: str) -> None:
    for path in ("/v1/me/api-keys", "/v1/boards", f"/v1/boards/{uuid4()}"):
        for lines in ((), (bearer(read_key),), (b"Authorization: Bearer x",)):
            content = b"Content-Type: application/json"
            reply = the_reply(url, request("OPTIONS", path, content, *lines, body=b'{"name":"x"}'))
            assert reply.status in {200, 204}
            assert "x-ratelimit-limit" not in reply.headers
            assert read_key[13:].encode() not in repr(reply.headers).encode() + reply.body
            assert reply.body in {b"", b"{}"} or b"object" not in reply.body


def test_head_gives_no_more_than_get(url: str, read_key: str) -> None:
    for path, status in (("/v1/boards", 200), ("/v1/me/api-keys", 403), ("/v1/nothing", 404)):
        reply = the_reply(url, request("HEAD", path, bearer(read_key)))
        assert (reply.status, reply.body) == (status, b"")
    assert the_reply(url, request("HEAD", "/v1/boards")).status == 401


@pytest.mark.parametrize(
    "identifier",
    [
        "*",
        "%00",
        "..",
        "%2e%2e",
        "..%2f..",
        "%ff%fe",
        "$context.authorizer.user_id",
        "${aws:username}",
        "{id}",
        "'",
        "%22",
        "a" * 440,
        "a" * 1_300,
        "-",
        "%0d%0aSet-Cookie:a=b",
    ],
)
def test_a_made_up_identifier_is_a_404_and_nothing_worse(
    identifier: str, url: str, admin: Api, read_key: str
) -> None:
    reply = the_reply(url, request("GET", f"/v1/boards/{identifier}", bearer(read_key)))
    assert reply.status in {404, 414}, (reply.status, reply.body)
    assert "set-cookie" not in reply.headers
    body = reply.json()
    assert (body["object"], body["status"]) == ("error", reply.status)


def test_a_hostile_host_or_forwarded_header_changes_nothing(url: str, read_key: str) -> None:
    for line in (
        b"X-Forwarded-For: 127.0.0.1",
        b"X-Forwarded-Host: evil.example",
        b"Forwarded: for=127.0.0.1;host=evil.example",
        b"X-Amzn-Trace-Id: $context.authorizer.user_id",
        b"X-User-Id: " + str(uuid4()).encode(),
        b"X-Scopes: admin",
        b"requestContext: {}",
        b"Origin: https://evil.example\0",
        b"X: " + b"\xff" * 100,
    ):
        reply = the_reply(url, request("GET", "/v1/me/api-keys", bearer(read_key), line))
        assert reply.status in {400, 403}
        assert b"evil.example" not in repr(reply.headers).encode() + reply.body


def test_answers_to_hostile_requests_have_the_envelope(
    http: httpx.Client, admin: Api, read_key: str
) -> None:
    reader = admin.holding(read_key)
    for path in ("/me%2Fapi-keys", "/boards/%2e%2e%2fme", "/me/api-keys;a=b", "/boards/a/b"):
        assert_envelope(reader.ask("GET", str(http.base_url).rstrip("/") + path))
