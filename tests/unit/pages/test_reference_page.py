"""The reference's route: public, remembered by browsers, and with the address that it is at."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from chatgrid_pages.page import ASSET, REFERENCE
from tests.support.http_api import proxy_event
from tests.unit.pages.test_page import ask, dashboard


def asked_at(host: str, path: str, **headers: str) -> dict[str, Any]:
    event = proxy_event("GET", REFERENCE, authorizer=None, headers={"Host": host, **headers})
    event["requestContext"]["path"] = path
    return dashboard().handle(event)


def told_url(page: dict[str, Any]) -> str:
    (found,) = re.findall(r"export URL=(.*)", page["body"])
    return html.unescape(found)


@pytest.mark.parametrize(
    ("host", "path", "headers", "url"),
    [
        ("x.execute-api.eu-west-1.amazonaws.com", "/v1/reference", {}, "https://{}/v1"),
        ("api.example.com", "/base/path/reference", {}, "https://{}/base/path"),
        ("127.0.0.1:3000", "/v1/reference", {"X-Forwarded-Proto": "http"}, "http://{}/v1"),
    ],
)
def test_its_examples_are_for_the_address_that_it_was_asked_at(
    host: str, path: str, headers: dict[str, str], url: str
) -> None:
    page = asked_at(host, path, **headers)
    assert page["statusCode"] == 200
    assert told_url(page) == url.format(host)
    assert "{{" not in page["body"]


def test_a_stack_without_the_example_says_nothing_of_its_routes() -> None:
    event = proxy_event("GET", REFERENCE, authorizer=None)
    whole, without = (dashboard(example_boards=has).handle(event)["body"] for has in (True, False))
    boards = {"boards", *re.findall(r'<article aria-labelledby="(\w*Boards?)"', whole)}
    assert len(boards) == 6
    linked = set(re.findall(r'href="#([^"]+)"', without))
    assert linked == set(re.findall(r'href="#([^"]+)"', whole)) - boards
    told = set(re.findall(r'id="([^"]+)"', without))
    assert told == set(re.findall(r'id="([^"]+)"', whole)) - boards
    assert without.endswith(whole[-100:])


def test_an_address_cannot_break_out_of_the_page() -> None:
    page = asked_at('"><script>x</script>', "/v1/<b>/reference")
    assert "<script" not in page["body"]
    assert "<b>/" not in page["body"]


def test_it_loads_files_of_the_page_alone_and_runs_nothing() -> None:
    page = ask(REFERENCE)
    names = re.findall(r'href="dashboard/([^"]+)"', page["body"])
    assert {name.partition(".")[0] for name in names} == {"reference", "icon"}
    assert {ask(ASSET, asset=name)["statusCode"] for name in names} == {200}
    policy = page["headers"]["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy


def test_a_browser_that_has_the_reference_gets_no_body() -> None:
    page = ask(REFERENCE)
    assert page["headers"]["Cache-Control"].startswith("public, max-age=")
    again = ask(REFERENCE, **{"If-None-Match": page["headers"]["ETag"]})
    assert (again["statusCode"], again["body"]) == (304, "")


def test_a_slash_at_its_end_leads_to_it() -> None:
    event = proxy_event("GET", REFERENCE, authorizer=None)
    event["path"] = "/reference/"
    answer = dashboard().handle(event)
    assert (answer["statusCode"], answer["headers"]["Location"]) == (308, "../reference")
