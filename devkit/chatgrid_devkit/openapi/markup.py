"""Pieces of the reference: an OpenAPI document's texts and schemas as HTML, always escaped."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any

_CODE = re.compile("`([^`]+)`")
#: A schema within a schema is shown so deep; what refers to itself would never end.
_DEEPEST = 4


def escape(text: object) -> str:
    """A text as it may stand anywhere in HTML, in an attribute too."""
    return html.escape(str(text))


def line(text: object) -> str:
    """A line of text, with what stands between backticks set as code."""
    return _CODE.sub(r"<code>\1</code>", escape(" ".join(str(text).split())))


def prose(text: object) -> str:
    """Paragraphs, which empty lines part."""
    return "".join(f"<p>{line(part)}</p>" for part in str(text).split("\n\n") if part.strip())


def code(text: str) -> str:
    """Lines to be copied; they break rather than to stick out of a phone."""
    return f"<pre><code>{escape(text)}</code></pre>"


def terms(rows: list[tuple[str, str]]) -> str:
    """Names and what is to say of each, both HTML already."""
    shown = "".join(f"<div><dt>{name}</dt><dd>{about}</dd></div>\n" for name, about in rows)
    return f"<dl>\n{shown}</dl>"


class Schemas:
    """What a document says of bodies and fields."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def resolved(self, value: Any) -> Any:
        """The value that a local ``$ref`` points at, else the value itself.

        Raises:
            KeyError: the reference leads nowhere.
        """
        if not (isinstance(value, Mapping) and isinstance(value.get("$ref"), str)):
            return value
        found: Any = self._document
        for name in value["$ref"].removeprefix("#/").split("/"):
            found = found[name.replace("~1", "/").replace("~0", "~")]
        return self.resolved(found)

    def fields(self, schema: Mapping[str, Any], *, sent: bool, depth: int = 0) -> str:
        """An object's fields, those of the objects in it included; nothing for other schemas.

        Args:
            sent: whether a client sends it, which then has to know what it may leave out.
        """
        inner = self.object_in(schema)
        if inner is None or depth == _DEEPEST:
            return ""
        required = inner.get("required", [])
        rows = []
        for name, given in inner["properties"].items():
            field = self.resolved(given)
            kind = self.kind(given)
            if sent and name in required:
                kind += ", required"
            elif sent and "default" in field:
                kind += f", <code>{escape(_json(field['default']))}</code> if left out"
            about = line(field.get("description", "")) + self.fields(
                field, sent=sent, depth=depth + 1
            )
            rows.append((f"<code>{escape(name)}</code> <span>{kind}</span>", about))
        return terms(rows)

    def kind(self, schema: Mapping[str, Any]) -> str:
        """A field's type in a few words."""
        schema = self.resolved(schema)
        if "enum" in schema:
            return " | ".join(f"<code>{escape(value)}</code>" for value in schema["enum"])
        if "const" in schema:
            return f"<code>{escape(_json(schema['const']))}</code>"
        if choices := schema.get("anyOf") or schema.get("oneOf"):
            return " or ".join(dict.fromkeys(self.kind(choice) for choice in choices))
        if schema.get("type") == "array":
            return f"list of {self.kind(schema.get('items', {}))}"
        return escape(schema.get("format") or schema.get("type", "anything"))

    def object_in(self, schema: Any) -> Any:
        """The object that a schema, a list of it or a choice with it is about."""
        schema = self.resolved(schema)
        if "properties" in schema:
            return schema
        inner = [schema["items"]] if "items" in schema else []
        inner += [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
        # Of several the last says the most: a key's holder rather than a session.
        found = [one for one in map(self.object_in, inner) if one is not None]
        return found[-1] if found else None


def _json(value: object) -> str:
    return json.dumps(value)
