"""What the local gateway serves beside the API: a health check and a readable API page."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from chatgrid_devkit.gateway.messages import Response

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;
color:#1a1a1a;background:#fff}code,pre{font:14px/1.45 ui-monospace,monospace}
code.route{font-size:16px;font-weight:600}h2{margin-bottom:0}
pre{background:#f4f4f5;padding:.75rem;overflow:auto;border-radius:6px}
section{border-top:1px solid #ddd;padding:.5rem 0 1rem}table{border-collapse:collapse}
td,th{text-align:left;padding:.2rem 1rem .2rem 0;vertical-align:top}
@media(prefers-color-scheme:dark){body{background:#161618;color:#e6e6e6}code.route{font-size:16px;font-weight:600}h2{margin-bottom:0}
pre{background:#232326}
section{border-color:#3a3a3d}a{color:#8ab4f8}}
"""

_CODE = re.compile("`([^`]+)`")
_NOT_FOUND = b'{"object":"error","status":404,"code":"not_found","message":"Not found"}'


class Pages:
    """The pages of one repository; its OpenAPI document is read afresh each time."""

    def __init__(self, root: Path, *, base_url: str) -> None:
        self._document = root / "docs" / "openapi.json"
        self._base_url = base_url

    def answer(self, method: str, path: str, *, request_id: str) -> Response:
        """A page, or 404 in the API's envelope."""
        if method in {"GET", "HEAD"}:
            match path:
                case "/health":
                    return _json(200, {"status": "ok"})
                case "/" if self._document.is_file():
                    return Response(status=302, headers=(("Location", "/docs"),), body=b"")
                case "/openapi.json" if self._document.is_file():
                    return _text("application/json", self._document.read_text(encoding="utf-8"))
                case "/docs" if self._document.is_file():
                    document = json.loads(self._document.read_text(encoding="utf-8"))
                    return _text("text/html; charset=utf-8", api_page(document, self._base_url))
        headers = (("Content-Type", "application/json"), ("x-amzn-RequestId", request_id))
        return Response(status=404, headers=headers, body=_NOT_FOUND)


def api_page(document: Mapping[str, Any], base_url: str) -> str:
    """An OpenAPI document as one page of HTML that loads nothing from anywhere."""
    info = document.get("info", {})
    title = html.escape(str(info.get("title", "API")))
    sections = "".join(
        _operation(document, path, method, operation)
        for path, item in document.get("paths", {}).items()
        for method, operation in item.items()
        if isinstance(operation, dict) and method != "parameters"
    )
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
        f"<meta name=viewport content='width=device-width'><style>{_STYLE}</style>"
        f"<h1>{title}</h1><p>{_prose(info.get('description', ''))}</p>"
        f"<p>Base URL here: <code>{html.escape(base_url)}</code> · "
        f"<a href='/openapi.json'>OpenAPI document</a></p>{sections}</html>"
    )


def _prose(text: object) -> str:
    """Escaped text, with what stands between backticks set as code."""
    return _CODE.sub(r"<code>\1</code>", html.escape(str(text)))


def _operation(
    document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]
) -> str:
    parts = [
        f"<section><h2>{_prose(operation.get('summary', ''))}</h2>",
        f"<p><code class=route>{method.upper()} {html.escape(path)}</code></p>",
        f"<p>{_prose(operation.get('description', ''))}</p>",
    ]
    parameters = [_deref(document, item) for item in operation.get("parameters", [])]
    if parameters:
        rows = ((p.get("name"), p.get("in"), p.get("description", "")) for p in parameters)
        parts.append(_table(("Parameter", "In", ""), rows))
    body = _deref(document, operation.get("requestBody", {}))
    for media_type, content in body.get("content", {}).items():
        parts.append(f"<p>Body, <code>{html.escape(media_type)}</code>:</p>")
        parts.append(_fields(document, content.get("schema", {})))
    responses = [(s, _deref(document, a)) for s, a in operation.get("responses", {}).items()]
    outcomes = ((status, response.get("description", "")) for status, response in responses)
    parts.append(_table(("Response", ""), outcomes))
    parts += [_example(document, response) for status, response in responses if status[0] == "2"]
    return "".join([*parts, "</section>"])


def _example(document: Mapping[str, Any], response: Mapping[str, Any]) -> str:
    """The first example of a response, if the document has one."""
    content = response.get("content", {}).get("application/json", {})
    named = [_deref(document, item).get("value") for item in content.get("examples", {}).values()]
    shown = content.get("example", named[0] if named else None)
    if shown is None:
        return ""
    text = json.dumps(shown, indent=2, ensure_ascii=False)
    return f"<pre>{html.escape(text)}</pre>"


def _table(head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    lines = ["<tr>" + "".join(f"<td>{_prose(cell)}</td>" for cell in row) + "</tr>" for row in rows]
    return f"<table><tr>{''.join(f'<th>{h}</th>' for h in head)}</tr>{''.join(lines)}</table>"


def _fields(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """An object's fields as a table; any other schema as it is written."""
    schema = _deref(document, schema)
    if "properties" not in schema:
        text = json.dumps(schema, indent=2, ensure_ascii=False)
        return f"<pre>{html.escape(text)}</pre>"
    required = schema.get("required", [])
    rows = (
        (f"`{name}`", _kind(document, field) + ("" if name in required else ", optional"), about)
        for name, field in schema["properties"].items()
        for about in (_deref(document, field).get("description", ""),)
    )
    return _table(("Field", "", ""), rows)


def _kind(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """A field's type in a few words."""
    schema = _deref(document, schema)
    if "enum" in schema:
        return " | ".join(f"`{value}`" for value in schema["enum"])
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return " or ".join(_kind(document, choice) for choice in choices)
    if schema.get("type") == "array":
        return f"list of {_kind(document, schema.get('items', {}))}"
    return str(schema.get("const") or schema.get("format") or schema.get("type", "anything"))


def _deref(document: Mapping[str, Any], value: Any) -> Any:
    """The value that a local `$ref` points at, else the value itself."""
    if not (isinstance(value, Mapping) and isinstance(value.get("$ref"), str)):
        return value
    found: Any = document
    for name in value["$ref"].removeprefix("#/").split("/"):
        found = found.get(name.replace("~1", "/").replace("~0", "~"), {})
    return found


def _json(status: int, value: Any) -> Response:
    return Response(
        status=status,
        headers=(("Content-Type", "application/json"),),
        body=json.dumps(value).encode(),
    )


def _text(content_type: str, text: str) -> Response:
    return Response(status=200, headers=(("Content-Type", content_type),), body=text.encode())
