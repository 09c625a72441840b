"""The reference is what the document says, and its examples are requests of the API."""

from __future__ import annotations

import html
import json
import re
import shlex
from ast import literal_eval
from html.parser import HTMLParser
from typing import Any

import pytest

from chatgrid_devkit.openapi.document import document
from chatgrid_devkit.openapi.reference import render
from chatgrid_devkit.openapi.samples import Request, curl, javascript, python

DOCUMENT = document()
PAGE = render(DOCUMENT)
OPERATIONS = [
    (method, path, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
]


class Parsed(HTMLParser):
    """Headings, ids, and what leads away or is loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(PAGE)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        self.attributes |= set(given)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        self.ids += [str(given["id"])] if "id" in given else []
        self.links += [str(given["href"])] if "href" in given else []


PARSED = Parsed()


def article(operation: dict[str, Any]) -> str:
    """What the page says of an operation, as text."""
    begin = PAGE.index(f'<article aria-labelledby="{operation["operationId"]}"')
    return html.unescape(PAGE[begin : PAGE.index("</article>", begin)])


def test_nothing_runs_and_nothing_is_loaded_from_elsewhere() -> None:
    assert not PARSED.tags & {"script", "style", "img", "iframe", "form", "object"}
    assert not [name for name in PARSED.attributes if name == "style" or name.startswith("on")]
    outside = {link for link in PARSED.links if not link.startswith("#")}
    assert outside == {"icon.svg", "reference.css", "dashboard"}


def test_headings_go_down_by_one_and_every_link_leads_somewhere() -> None:
    assert PARSED.headings[0] == 1
    assert PARSED.headings.count(1) == 1
    steps = zip(PARSED.headings, PARSED.headings[1:], strict=False)
    assert all(lower - upper <= 1 for upper, lower in steps)
    assert len(PARSED.ids) == len(set(PARSED.ids))
    assert {link[1:] for link in PARSED.links if link.startswith("#")} <= set(PARSED.ids)


@pytest.mark.parametrize(
    ("method", "path", "operation"), OPERATIONS, ids=[one[2]["operationId"] for one in OPERATIONS]
)
def test_every_route_has_a_request_in_each_language_and_its_response(
    method: str, path: str, operation: dict[str, Any]
) -> None:
    shown = article(operation)
    assert f"<b>{method.upper()}</b> {path}<" in shown
    begin = path.partition("{id}")[0]
    blocks = re.findall(r"<pre><code>(.*?)</code></pre>", shown, re.DOTALL)
    command, program, script, answer = blocks
    parts = shlex.split(command)
    assert parts[1].startswith(f"$URL{begin}")
    if "-d" in parts:
        sent = json.loads(parts[parts.index("-d") + 1])
        (written,) = re.findall(r"JSON\.stringify\((.*)\),\n}\);", script, re.DOTALL)
        assert json.loads(written) == sent
    compile(program, "example", "exec")
    assert f"requests.{method}(" in program
    assert f'process.env.URL + "{begin}' in script
    (done,) = (one for status, one in operation["responses"].items() if status < "400")
    assert json.loads(answer) == done["content"]["application/json"]["example"]
    for status in operation["responses"]:
        assert status < "400" or f'href="#error-{status}"' in shown


def test_text_of_the_document_cannot_become_markup() -> None:
    hostile = json.loads(json.dumps(DOCUMENT).replace("Launch plan", "<script>alert(1)</script>"))
    assert "<script" not in render(hostile)


def test_what_a_body_holds_cannot_end_a_quoted_argument() -> None:
    body = {"name": "it's $HOME `id` \\ \" \u2028"}
    request = Request(method="PATCH", path="/me", headers={}, body=body, public=False)
    parts = shlex.split(curl(request))
    assert parts[parts.index("-X") + 1] == "PATCH"
    assert json.loads(parts[parts.index("-d") + 1]) == body
    assert 'method: "PATCH"' in javascript(request)
    (literal,) = re.findall(r"json=(\{.*?\}),\n", python(request), re.DOTALL)
    assert literal_eval(literal) == body
