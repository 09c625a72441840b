"""The API's reference as one page of HTML, out of the OpenAPI document; it loads a stylesheet.

The page's own address stands in it as ``{{url}}``: who serves it knows where it is reached. What is
of the example of a backend stands between comments: not every stack has one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from itertools import groupby
from json import dumps
from pathlib import Path
from typing import Any

from chatgrid_devkit.openapi.markup import Schemas, code, escape, line, prose, terms
from chatgrid_devkit.openapi.remedies import REMEDIES
from chatgrid_devkit.openapi.samples import LANGUAGES, Request

FILE = Path("functions", "pages", "chatgrid_pages", "static", "reference.html")

Operation = tuple[str, str, Mapping[str, Any]]

_FIRST = """\
<section aria-labelledby="first"><h2 id="first">First request</h2>
<p>Make a key on the <a href="dashboard">dashboard</a>. Each example below reads the API's address
and your key from the environment:</p>
<pre><code>export URL={{url}}
export KEY=…   # yours
curl "$URL/me" -H "Authorization: Bearer $KEY"</code></pre>
<p>The Python examples need <code>pip install requests</code>. The JavaScript examples run in Node
18 or later, in a file whose name ends in <code>.mjs</code>.</p>"""


def render(document: Mapping[str, Any]) -> str:
    """The page.

    Raises:
        KeyError: the document refers to what it does not have, or has no example of a body.
    """
    return "\n".join([*_Reference(document).lines(), ""])


class _Reference:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._schemas = Schemas(document)

    def lines(self) -> Iterator[str]:
        """From the doctype to the end."""
        info = self._document["info"]
        title = escape(info["title"])
        yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
        yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
        yield f"<title>{title}: reference</title>"
        yield '<link rel="icon" href="icon.svg" type="image/svg+xml">'
        yield '<link rel="stylesheet" href="reference.css">\n</head>\n<body>'
        yield '<a class="skip" href="#content">Skip to content</a>'
        yield f"<header><p>{title}</p>"
        yield from self._languages()
        yield '<a href="dashboard">Dashboard</a></header>'
        yield from self._contents()
        yield f'<main id="content" tabindex="-1">\n<h1>{title}: reference</h1>'
        yield f"{_FIRST}\n{prose(info['description'])}</section>"
        yield from self._operations()
        yield from self._headers()
        yield from self._errors()
        yield "</main>\n</body>\n</html>"

    def _languages(self) -> Iterator[str]:
        yield "<fieldset><legend>Examples in</legend>"
        for number, name in enumerate(LANGUAGES):
            checked = " checked" if number == 0 else ""
            yield (
                f'<label><input type="radio" name="language" id="in-{name.lower()}"{checked}> '
                f"{name}</label>"
            )
        yield "</fieldset>"

    def _contents(self) -> Iterator[str]:
        yield '<nav aria-label="Contents"><ul>\n<li><a href="#first">First request</a></li>'
        for tag, operations in self._by_tag():
            begin, end = _bounds(tag)
            yield f'{begin}<li><a href="#{tag["name"]}">{escape(_title(tag))}</a><ul>'
            for _, _, operation in operations:
                target, summary = operation["operationId"], line(operation["summary"])
                yield f'<li><a href="#{target}">{summary}</a></li>'
            yield f"</ul></li>{end}"
        yield '<li><a href="#headers">Headers</a></li><li><a href="#errors">Errors</a></li>'
        yield "</ul></nav>"

    def _by_tag(self) -> Iterator[tuple[Mapping[str, Any], list[Operation]]]:
        every = [
            (method, path, operation)
            for path, item in self._document["paths"].items()
            for method, operation in item.items()
        ]
        for tag in self._document["tags"]:
            yield tag, [one for one in every if tag["name"] in one[2]["tags"]]

    def _operations(self) -> Iterator[str]:
        for tag, operations in self._by_tag():
            name = tag["name"]
            begin, end = _bounds(tag)
            yield f'{begin}<section aria-labelledby="{name}">'
            yield f'<h2 id="{name}">{escape(_title(tag))}</h2>'
            yield prose(tag["description"])
            for method, path, operation in operations:
                yield from self._operation(method, path, operation)
            yield f"</section>{end}"

    def _operation(self, method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
        target = operation["operationId"]
        needed = [scope for one in operation["security"] for scope in one["bearer"]]
        scope = f"needs <code>{needed[0]}</code>" if needed else "needs no credential"
        summary = line(operation["summary"])
        yield f'<article aria-labelledby="{target}"><h3 id="{target}">{summary}</h3>'
        yield (
            f'<p class="route"><code><b>{method.upper()}</b> {escape(path)}</code> '
            f"<span>{scope}</span></p>"
        )
        yield prose(operation["description"])
        if parameters := operation.get("parameters"):
            yield "<h4>Parameters</h4>" + terms([self._parameter(one) for one in parameters])
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        if fields := self._schemas.fields(content.get("schema", {}), sent=True):
            yield f"<h4>Body</h4>{fields}"
        yield "<h4>Request</h4>"
        request = self._request(method, path, operation, content)
        for name, write in LANGUAGES.items():
            yield f'<div class="{name.lower()}"><p class="language">{name}</p>'
            yield f"{code(write(request))}</div>"
        done, failed = self._responses(operation)
        for status, response in done:
            answer = response["content"]["application/json"]
            yield f"<h4>Response: {status} {HTTPStatus(int(status)).phrase}</h4>"
            yield code(dumps(answer["example"], indent=2, ensure_ascii=False))
            fields = self._schemas.fields(answer["schema"], sent=False)
            yield f"<details><summary>Fields</summary>{fields}</details>"
        yield "<h4>Errors</h4>" + terms(
            [
                (
                    f'<a href="#error-{status}">{status}</a>',
                    line(response["description"]),
                )
                for status, response in failed
            ]
        )
        yield "</article>"

    def _parameter(self, parameter: Mapping[str, Any]) -> tuple[str, str]:
        required = ", required" if parameter["required"] else ""
        kind = self._schemas.kind(parameter["schema"]).replace(" or null", "")
        name = f"<code>{escape(parameter['name'])}</code>"
        about = line(parameter.get("description", ""))
        return f"{name} <span>{kind}, {parameter['in']}{required}</span>", about

    def _responses(
        self, operation: Mapping[str, Any]
    ) -> tuple[list[tuple[str, Any]], list[tuple[str, Any]]]:
        every = [
            (status, self._schemas.resolved(response))
            for status, response in operation["responses"].items()
        ]
        return (
            [one for one in every if one[0] < "400"],
            [one for one in every if one[0] >= "400"],
        )

    def _request(
        self, method: str, path: str, operation: Mapping[str, Any], content: Mapping[str, Any]
    ) -> Request:
        body = None
        if content:
            schema = self._schemas.resolved(content["schema"])
            body = (schema if "examples" in schema else self._schemas.object_in(schema))[
                "examples"
            ][0]
        headers = {
            parameter["name"]: parameter["schema"]["examples"][0]
            for parameter in operation.get("parameters", [])
            if parameter["in"] == "header" and "examples" in parameter["schema"]
        }
        return Request(
            method=method.upper(),
            path=path.replace("{id}", self._example_id(path)),
            headers=headers,
            body=body,
            public=not operation["security"],
        )

    def _example_id(self, path: str) -> str:
        if "{id}" not in path:
            return ""
        one = self._document["paths"][path.partition("{id}")[0] + "{id}"]["get"]
        content = one["responses"]["200"]["content"]["application/json"]
        return str(content["example"]["data"]["id"])

    def _headers(self) -> Iterator[str]:
        yield '<section aria-labelledby="headers"><h2 id="headers">Headers of responses</h2>'
        headers = self._document["components"]["headers"].items()
        yield terms(
            [
                (f"<code>{escape(name)}</code>", line(about["description"]))
                for name, about in headers
            ]
        )
        yield "</section>"

    def _errors(self) -> Iterator[str]:
        yield '<section aria-labelledby="errors"><h2 id="errors">Errors</h2>'
        yield prose("Every error has this shape; `code` is for programs, `message` for people:")
        kind, _ = REMEDIES[0]
        details = [
            {"code": "too_big", "path": "name", "message": "Must contain at most 64 character(s)"}
        ]
        yield code(dumps({**kind.envelope(), "details": details}, indent=2))
        for status, rows in groupby(REMEDIES, key=lambda row: row[0].status):
            yield f'<h3 id="error-{status}">{status} {HTTPStatus(status).phrase}</h3>'
            yield terms(
                [
                    (
                        f"<code>{escape(kind.code)}</code> <q>{escape(kind.message)}</q>",
                        line(remedy),
                    )
                    for kind, remedy in rows
                ]
            )
        yield "</section>"


def _bounds(tag: Mapping[str, Any]) -> tuple[str, str]:
    """What stands before and after all that is said of a tag's routes."""
    return ("<!--example-->", "<!--/example-->") if tag["name"] == "boards" else ("", "")


def _title(tag: Mapping[str, Any]) -> str:
    """A tag's name as a heading."""
    return str(tag["name"]).replace("-", " ").capitalize().replace("Api", "API")
