"""Every operation of the API, from its document: a new route or field joins by itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_DOCUMENT: dict[str, Any] = json.loads((ROOT / "docs" / "openapi.json").read_text())


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What may be asked of a path.

    Attributes:
        path: as it is declared, ``{id}`` included.
        fields: the names that objects in its body may have, those of inner ones too; ``None``
            where it takes no body.
        query: the names of its query's parameters.
        headers: the names of its headers.
    """

    method: str
    path: str
    fields: tuple[str, ...] | None
    query: tuple[str, ...]
    headers: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def operations() -> list[Operation]:
    """All of them, in the document's order."""
    return [
        _operation(method.upper(), path, described)
        for path, methods in _DOCUMENT["paths"].items()
        for method, described in methods.items()
    ]


def _operation(method: str, path: str, described: dict[str, Any]) -> Operation:
    taken = {
        place: tuple(one["name"] for one in described.get("parameters", ()) if one["in"] == place)
        for place in ("query", "header")
    }
    body = described.get("requestBody")
    fields = None if body is None else tuple(dict.fromkeys(_names(body)))
    return Operation(
        method=method, path=path, fields=fields, query=taken["query"], headers=taken["header"]
    )


def _names(part: Any) -> list[str]:
    """The names of properties anywhere in a schema, references followed."""
    if isinstance(part, list):
        return [name for one in part for name in _names(one)]
    if not isinstance(part, dict):
        return []
    found = list(part.get("properties", {}))
    if "$ref" in part:
        found += _names(_DOCUMENT["components"]["schemas"][part["$ref"].rpartition("/")[2]])
    return found + [name for one in part.values() for name in _names(one)]
