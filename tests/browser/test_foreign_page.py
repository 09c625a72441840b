"""A page of another site, in a real browser, reads nothing of the local system and does nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from chatgrid_devkit.stack.aws_access import AwsAccess
from tests.browser.chromium import REBOUND
from tests.support.stack.local_stack import LocalStack

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: What a page can try; it tells what it could read of each answer.
FETCH = """async ([url, options]) => {
  try {
    const response = await fetch(url, options);
    return [response.type, response.status, await response.text()];
  } catch (failed) {
    return ["unreadable", 0, String(failed)];
  }
}"""
#: The same with a form, which asks nobody; an input's name and value make text of its own choice.
FORM = """([url, name, value]) => new Promise(resolve => {
  const frame = document.createElement("iframe");
  frame.name = `frame-${Math.random()}`;
  const form = document.createElement("form");
  Object.assign(form, {method: "post", enctype: "text/plain", action: url, target: frame.name});
  const input = document.createElement("input");
  Object.assign(input, {name, value});
  form.append(input);
  document.body.append(frame, form);
  frame.addEventListener("load", () => resolve("sent"));
  form.submit();
})"""


class _Empty(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>foreign</title><body>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def foreign_site() -> Iterator[str]:
    """Another server on this machine, as far from the local system as any other site."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Empty)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """A page of a browser of its own."""
    opened = browser.new_page()
    yield opened
    opened.context.close()


@pytest.fixture(scope="module")
def access(stack: LocalStack) -> AwsAccess:
    described = stack.described
    return AwsAccess(described["dynamodb_endpoint"], described["access_key"])


def planted(access: AwsAccess) -> list[str]:
    """Names of what only this module's pages tried to make."""
    keys = access.client("apigateway").get_api_keys()["items"]
    return [key["name"] for key in keys if key["name"].startswith("planted")]


def post(body: str, kind: str = "text/plain", **more: Any) -> dict[str, Any]:
    return {"method": "POST", "body": body, "headers": {"Content-Type": kind}, **more}


def test_a_foreign_page_makes_and_reads_nothing_in_the_embedded_aws(
    page: Page, foreign_site: str, access: AwsAccess
) -> None:
    page.goto(foreign_site)
    url = f"{access.endpoint}/apikeys"
    body = '{"name": "planted", "value": "planted-planted-planted", "enabled": true}'
    assert page.evaluate(FETCH, [url, post(body)])[0] == "unreadable"
    assert page.evaluate(FETCH, [url, post(body, mode="no-cors")])[0] == "opaque"
    assert page.evaluate(FORM, [url, '{"name": "planted", "x": "', '"}']) == "sent"
    for target in ("DynamoDB_20120810.ListTables", "secretsmanager.ListSecrets"):
        asked = post("{}", "application/x-amz-json-1.0")
        asked["headers"]["X-Amz-Target"] = target
        assert page.evaluate(FETCH, [access.endpoint, asked])[0] == "unreadable"
    assert page.evaluate(FETCH, [f"{access.endpoint}/_ministack/health", {}])[0] == "unreadable"
    assert planted(access) == []


def test_a_foreign_page_neither_signs_in_nor_prints_at_the_identity_provider(
    page: Page, foreign_site: str, stack: LocalStack
) -> None:
    page.goto(foreign_site)
    auth = f"http://127.0.0.1:{stack.port}/auth/v1"
    link = f"{auth}/otp?redirect_to=http://127.0.0.1:{stack.port}/"
    body = '{"email": "planted\\u001b[31m@b.example"}'
    assert page.evaluate(FETCH, [link, post(body)])[0] == "unreadable"
    assert page.evaluate(FETCH, [link, post(body, mode="no-cors")])[0] == "opaque"
    assert page.evaluate(FORM, [link, '{"email": "planted@b.example", "x": "', '"}']) == "sent"
    password = post('{"email": "developer@example.com", "password": "development"}')
    for kind in ("text/plain", "application/json"):
        password["headers"]["Content-Type"] = kind
        url = f"{auth}/token?grant_type=password"
        assert page.evaluate(FETCH, [url, password])[0] == "unreadable"
    assert page.evaluate(FETCH, [f"{auth}/settings", {}])[0] == "unreadable"
    shown = stack.output.read_text()
    assert "planted" not in shown
    assert "\x1b" not in shown


def test_a_name_that_leads_to_loopback_opens_no_port(
    page: Page, stack: LocalStack, access: AwsAccess
) -> None:
    aws_port = urlsplit(access.endpoint).port
    for port, paths in (
        (stack.port, ("/auth/v1/settings", "/v1/dashboard", "/v1/boards", "/v1/reference")),
        (aws_port, ("/apikeys", "/_ministack/health", "/restapis/x/v1/_user_request_/")),
    ):
        opened = page.goto(f"http://{REBOUND}:{port}/")
        assert opened is not None
        assert opened.status == 403
        for path in paths:
            for options in ({}, post('{"name": "planted", "value": "planted-planted-planted"}')):
                kind, status, _ = page.evaluate(FETCH, [path, options])
                assert (kind, status) == ("basic", 403), path
    assert planted(access) == []
