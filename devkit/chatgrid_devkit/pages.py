"""What the local gateway serves beside the API: a health check and a readable API page."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from chatgrid_devkit.messages import Answer

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;
color:#1a1a1a;background:#fff}code,pre{font:14px/1.45 ui-monospace,monospace}
pre{background:#f4f4f5;padding:.75rem;overflow:auto;border-radius:6px}
section{border-top:1px solid #ddd;padding:.5rem 0 1rem}table{border-collapse:collapse}
td,th{text-align:left;padding:.2rem 1rem .2rem 0;vertical-align:top}
@media(prefers-color-scheme:dark){body{background:#161618;color:#e6e6e6}pre{background:#232326}
section{border-color:#3a3a3d}a{color:#8ab4f8}}
"""

_NOT_FOUND = b'{"object":"error","status":404,"code":"not_found","message":"Not found"}'


class Pages:
    """The pages of one repository; its OpenAPI document is read afresh each time."""

    def __init__(self, root: Path, *, base_url: str) -> None:
        self._document = root / "docs" / "openapi.json"
        self._base_url = base_url

    def answer(self, method: str, path: str, *, request_id: str) -> Answer:
        """A page, or 404 in the API's envelope."""
        if method in {"GET", "HEAD"}:
            match path:
                case "/health":
                    return _json(200, {"status": "ok"})
                case "/openapi.json" if self._document.is_file():
                    return _text("application/json", self._document.read_text(encoding="utf-8"))
                case "/docs" if self._document.is_file():
                    document = json.loads(self._document.read_text(encoding="utf-8"))
                    return _text("text/html; charset=utf-8", api_page(document, self._base_url))
        headers = (("Content-Type", "application/json"), ("x-amzn-RequestId", request_id))
        return Answer(status=404, headers=headers, body=_NOT_FOUND)


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
        f"<h1>{title}</h1><p>{html.escape(str(info.get('description', '')))}</p>"
        f"<p>Base URL here: <code>{html.escape(base_url)}</code> · "
        f"<a href='/openapi.json'>OpenAPI document</a></p>{sections}</html>"
    )


def _operation(
    document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]
) -> str:
    parts = [
        f"<section><h2><code>{method.upper()} {html.escape(path)}</code></h2>",
        f"<p>{html.escape(str(operation.get('summary', '')))}</p>",
        f"<p>{html.escape(str(operation.get('description', '')))}</p>",
    ]
    parameters = [_deref(document, item) for item in operation.get("parameters", [])]
    if parameters:
        rows = ((p.get("name"), p.get("in"), p.get("description", "")) for p in parameters)
        parts.append(_table(("Parameter", "In", ""), rows))
    body = _deref(document, operation.get("requestBody", {}))
    for media_type, content in body.get("content", {}).items():
        parts.append(f"<p>Body, <code>{html.escape(media_type)}</code>:</p>")
        parts.append(_schema(document, content.get("schema", {})))
    answers = [(s, _deref(document, a)) for s, a in operation.get("responses", {}).items()]
    rows = ((status, answer.get("description", ""), "") for status, answer in answers)
    parts.append(_table(("Answer", "", ""), rows))
    return "".join([*parts, "</section>"])


def _table(head: tuple[str, ...], rows: Iterator[tuple[Any, ...]]) -> str:
    lines = [
        "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    ]
    return f"<table><tr>{''.join(f'<th>{h}</th>' for h in head)}</tr>{''.join(lines)}</table>"


def _schema(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    text = json.dumps(_deref(document, schema), indent=2, ensure_ascii=False)
    return f"<pre>{html.escape(text)}</pre>"


def _deref(document: Mapping[str, Any], value: Any) -> Any:
    """The value that a local `$ref` points at, else the value itself."""
    if not (isinstance(value, Mapping) and isinstance(value.get("$ref"), str)):
        return value
    found: Any = document
    for name in value["$ref"].removeprefix("#/").split("/"):
        found = found.get(name.replace("~1", "/").replace("~0", "~"), {})
    return found


def _json(status: int, value: Any) -> Answer:
    return Answer(
        status=status,
        headers=(("Content-Type", "application/json"),),
        body=json.dumps(value).encode(),
    )


def _text(content_type: str, text: str) -> Answer:
    return Answer(status=200, headers=(("Content-Type", content_type),), body=text.encode())
