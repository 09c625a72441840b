"""The page's two routes: public, safe, remembered by browsers, and no way around the guard."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import pytest

from chatgrid_auth.settings import SettingError
from chatgrid_pages.assets import STATIC
from chatgrid_pages.page import (
    ASSET,
    PAGE,
    REFERENCE,
    Brand,
    Dashboard,
    PageSettings,
    content_security_policy,
)
from chatgrid_pages.wiring import start
from tests.support.http_api import proxy_event

PROJECT = "https://project.supabase.co"


def brand(*, name: str = "ChatGrid", logo_url: str = "", documentation_url: str = "") -> Brand:
    return Brand(name=name, logo_url=logo_url, documentation_url=documentation_url)


def dashboard(**changed: Any) -> Dashboard:
    settings: dict[str, Any] = {
        "supabase_url": PROJECT,
        "supabase_publishable_key": "sb_publishable_x",
        "rate_limit_default": 120,
        "rate_limit_ceiling": 5000,
        "key_lifetime_default_seconds": 0,
        "key_lifetime_ceiling_seconds": 0,
        "example_boards": True,
        "brand": brand(),
        **changed,
    }
    return Dashboard(PageSettings(**settings))


def ask(
    resource: str = PAGE, method: str = "GET", *, asset: str | None = None, **headers: str
) -> dict[str, Any]:
    event = proxy_event(method, resource, authorizer=None, headers=headers)
    event["pathParameters"] = {"asset": asset} if asset else None
    return dashboard().handle(event)


def referred_to(body: str) -> list[str]:
    return re.findall(r'(?:href|src)="dashboard/([^"]+)"', body)


class Parsed(HTMLParser):
    """What a document holds that a strict policy would refuse."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.metas: dict[str, str] = {}
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "meta" and "name" in given:
            self.metas[str(given["name"])] = str(given["content"])
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)
        self.inline += [name for name in given if name == "style" or name.startswith("on")]


def test_the_page_is_html_and_everything_that_it_refers_to_is_served() -> None:
    page = ask()
    assert page["statusCode"] == 200
    assert page["headers"]["Content-Type"] == "text/html; charset=utf-8"
    names = referred_to(page["body"])
    assert {name.rsplit(".", 1)[1] for name in names} == {"js", "svg"}
    assert {ask(ASSET, asset=name)["statusCode"] for name in names} == {200}
    assert "{{" not in page["body"]


def test_the_stacks_settings_in_the_page_cannot_break_out() -> None:
    hostile = 'x"><script>alert(1)</script>'
    asked = dashboard(supabase_publishable_key=hostile, brand=brand(name=hostile))
    body = asked.handle(proxy_event("GET", PAGE, authorizer=None))["body"]
    parsed = Parsed(body)
    assert parsed.metas["supabase-url"] == PROJECT
    assert parsed.metas["supabase-publishable-key"] == hostile
    assert parsed.metas["application-name"] == hostile
    assert parsed.metas["rate-limit-default"] == "120"
    assert parsed.metas["rate-limit-ceiling"] == "5000"
    assert parsed.inline == ["style"]


def test_nothing_runs_or_is_asked_but_the_own_host_and_the_project() -> None:
    policy = ask()["headers"]["Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["img-src"] == "'self'"
    assert rules["connect-src"] == f"'self' {PROJECT}"
    for closed in ("base-uri", "form-action", "frame-ancestors", "trusted-types"):
        assert rules[closed] == "'none'"
    assert "unsafe" not in policy
    assert "connect-src 'self';" in content_security_policy("", "", style="")


def test_the_page_is_painted_with_its_own_style_and_takes_no_other() -> None:
    page = ask()
    (style,) = re.findall("<style>(.*?)</style>", page["body"], re.DOTALL)
    assert style == (STATIC / "style.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = page["headers"]["Content-Security-Policy"]
    assert [rule for rule in policy.split("; ") if rule.startswith("style-src")] == [
        f"style-src 'sha256-{digest}'"
    ]


def test_a_logo_elsewhere_is_the_one_thing_that_is_loaded_from_there() -> None:
    logo = "https://cdn.example.com/brand/logo.svg"
    answer = dashboard(brand=brand(logo_url=logo)).handle(proxy_event("GET", PAGE, authorizer=None))
    policy = answer["headers"]["Content-Security-Policy"]
    assert policy.count("cdn.example.com") == 1
    assert f"; img-src 'self' {logo}; " in policy


@pytest.mark.parametrize(("resource", "asset"), [(PAGE, None), (ASSET, "style"), (ASSET, "none")])
def test_every_answer_is_protected_and_sets_no_cookie(resource: str, asset: str | None) -> None:
    names = referred_to(ask()["body"])
    named = next((name for name in names if asset and name.startswith(asset)), asset)
    headers = ask(resource, asset=named)["headers"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert not [name for name in headers if name.lower() == "set-cookie"]


@pytest.mark.parametrize("resource", [PAGE, REFERENCE])
def test_the_page_cannot_be_framed(resource: str) -> None:
    headers = ask(resource)["headers"]
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_assets_are_cached_for_good_and_the_page_for_minutes() -> None:
    """Assets are named by their content; the page names them."""
    page = ask()
    seconds = int(page["headers"]["Cache-Control"].removeprefix("public, max-age="))
    assert 0 < seconds <= 600
    for name in referred_to(page["body"]):
        kept = ask(ASSET, asset=name)["headers"]["Cache-Control"]
        assert kept == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("form", ["{}", '"other", {}', '{}, W/"other"'])
def test_a_browser_that_has_it_gets_no_body(form: str) -> None:
    page = ask()
    tag = page["headers"]["ETag"]
    again = ask(**{"If-None-Match": form.format(tag)})
    assert (again["statusCode"], again["body"]) == (304, "")
    assert again["headers"]["ETag"] == tag
    assert again["headers"]["Content-Security-Policy"]
    assert ask(**{"if-none-match": tag.removeprefix("W/")})["statusCode"] == 304


@pytest.mark.parametrize("other", ['W/"other"', "", "nonsense"])
def test_a_browser_that_has_something_else_gets_it_all(other: str) -> None:
    assert ask(**{"If-None-Match": other})["statusCode"] == 200


def test_other_settings_are_another_page() -> None:
    event = proxy_event("GET", PAGE, authorizer=None)
    tags = {
        dashboard(rate_limit_default=limit).handle(event)["headers"]["ETag"] for limit in (60, 120)
    }
    assert len(tags) == 2


def test_head_is_answered_as_get_without_the_body() -> None:
    head, get = ask(method="HEAD"), ask()
    assert head["body"] == ""
    assert head["headers"] == get["headers"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("sent", "query", "answered"),
    [
        ("/v1/dashboard/", {}, "/v1/dashboard"),
        ("/base/path/dashboard/", {}, "/base/path/dashboard"),
        ("/v1/dashboard/", {"code": ["a b&c=\r\n"]}, "/v1/dashboard?code=a+b%26c%3D%0D%0A"),
    ],
)
def test_a_trailing_slash_leads_to_the_page_under_any_prefix(
    method: str, sent: str, query: dict[str, list[str]], answered: str
) -> None:
    """On an address that ends in one, nothing that the page refers to would be found."""
    event = proxy_event(method, PAGE, authorizer=None, query=query)
    event["path"] = sent
    answer = dashboard().handle(event)
    assert (answer["statusCode"], answer["body"]) == (308, "")
    assert urljoin(f"https://example.com{sent}", answer["headers"]["Location"]) == (
        f"https://example.com{answered}"
    )
    assert answer["headers"]["Referrer-Policy"] == "no-referrer"


def test_a_wrong_method_is_refused_with_a_slash_at_the_end_too() -> None:
    event = proxy_event("POST", PAGE, authorizer=None)
    event["path"] = "/v1/dashboard/"
    assert dashboard().handle(event)["statusCode"] == 405


@pytest.mark.parametrize("resource", [PAGE, ASSET])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_any_other_method_is_refused_in_the_contracts_words(resource: str, method: str) -> None:
    answer = ask(resource, method)
    assert answer["statusCode"] == 405
    assert answer["headers"]["Allow"] == "GET, HEAD, OPTIONS"
    assert json.loads(answer["body"])["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    "name",
    [
        *("main.js", "main.0000000000000000.js", "index.html", "auth-js.LICENSES.txt"),
        *("../page.py", "..", "%2e%2e/page.py", "", "/etc/passwd"),
    ],
)
def test_no_other_name_gives_a_file(name: str) -> None:
    answer = ask(ASSET, asset=name)
    assert answer["statusCode"] == 404
    body = json.loads(answer["body"])
    assert (body["object"], body["status"], body["code"]) == ("error", 404, "not_found")
    assert answer["headers"]["Cache-Control"] == "no-store"


@pytest.mark.parametrize("resource", ["/me", "/me/api-keys", "/dashboard/", "/Dashboard", ""])
def test_no_other_resource_is_answered_with_a_file(resource: str) -> None:
    event = proxy_event("GET", resource, authorizer=None)
    event["path"] = "/v1/dashboard"
    assert dashboard().handle(event)["statusCode"] == 404


def test_the_function_starts_from_its_environment_alone() -> None:
    environment = {
        **os.environ,
        "SUPABASE_URL": PROJECT,
        "RATE_LIMIT_DEFAULT": "120",
        "RATE_LIMIT_CEILING": "1000",
    }
    script = "from chatgrid_pages.handler import handler; print(callable(handler))"
    started = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (started.stdout, started.stderr) == ("True\n", "")


@pytest.mark.parametrize("name", ["RATE_LIMIT_DEFAULT", "RATE_LIMIT_CEILING"])
def test_each_setting_is_needed_and_named_when_it_is_missing(name: str) -> None:
    environment = {"RATE_LIMIT_DEFAULT": "120", "RATE_LIMIT_CEILING": "1000"}
    del environment[name]
    with pytest.raises(SettingError, match=f"{name} is not set"):
        start(environment)
