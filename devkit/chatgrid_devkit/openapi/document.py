"""One OpenAPI 3.1 document for the whole public API, derived from the code that serves it.

Routes, parameters and bodies come from the two applications; what the gate in front of them adds
(authentication, limits, the envelope of every error) comes from ``openapi_problems``.

    python -m chatgrid_devkit.openapi.document     (writes docs/openapi.json, and the page of it)
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

import chatgrid_boards.app
import chatgrid_leaks.app
import chatgrid_management.app
from chatgrid_auth.domain.scopes import required_scope
from chatgrid_devkit.openapi import reference, verification
from chatgrid_devkit.openapi.errors import ErrorResponse
from chatgrid_devkit.openapi.examples import ERRORS, RESPONSES
from chatgrid_devkit.openapi.problems import (
    BY_A_FUNCTION,
    EVERYWHERE,
    HEADERS,
    PROBLEMS,
    PUBLIC,
    Problem,
)

FILE = Path("docs") / "openapi.json"

_INFO = {
    "title": "ChatGrid API",
    "version": "1.0.0",
    "description": (
        "API keys and what they open.\n\n"
        "Every request carries one credential: `Authorization: Bearer <API key or Supabase JWT>`. "
        "`read` is needed to GET, `write` to change, `admin` for everything under `/me/api-keys` "
        "and `/me/audit-log`; each scope includes the ones before it, and a JWT carries all "
        "three.\n\n"
        "Every error has one shape (`ErrorResponse`). `HEAD` is answered wherever `GET` is, "
        "without a body; a method that a path does not have is answered with 405 and `Allow`. A "
        "body is one JSON object of at most 64 KiB: unknown fields, a name given twice and values "
        'of another type (`"120"` for a number) are refused.'
    ),
}
_SERVERS = [
    {"url": "http://127.0.0.1:3000/v1", "description": "`make dev`"},
    {
        "url": "https://{api}.execute-api.{region}.amazonaws.com/v1",
        "description": "Deployed",
        "variables": {
            "api": {"default": "api-id", "description": "The stack's REST API id."},
            "region": {"default": "eu-west-1"},
        },
    },
]
_SECURITY = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "API key (cgk_…), token (cgt_…) or Supabase JWT",
        "description": "The scopes that an operation needs are listed with its requirement.",
    }
}
_TAGS = [
    {"name": "me", "description": "Who is calling."},
    {"name": "api-keys", "description": "The caller's API keys. All need `admin`."},
    {"name": "own-key", "description": "The key that the request came with, whatever its scopes."},
    {"name": "audit-log", "description": "Who did what to the caller's keys. Needs `admin`."},
    {"name": "keys", "description": "Verdicts for backends elsewhere. Needs `keys:verify`."},
    {"name": "leaks", "description": "Leaked keys, reported by whoever finds them."},
    {"name": "usage", "description": "How often keys and sessions were used."},
    {"name": "boards", "description": "The example of a protected backend."},
]


def document() -> dict[str, Any]:
    """The document, as JSON values, always the same for the same code."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = _schemas_of(ErrorResponse)
    for application in _applications():
        paths.update(application["paths"])
        schemas.update(application["components"]["schemas"])
    for path, operations in paths.items():
        for method, operation in operations.items():
            _complete(operation, method=method.upper(), path=path)
    framework = ("HTTPValidationError", "ValidationError")
    return {
        "openapi": "3.1.0",
        "info": _INFO,
        "servers": _SERVERS,
        "tags": _TAGS,
        "paths": _untitled(paths),
        "components": {
            "schemas": {
                name: _untitled(schemas[name]) for name in sorted(schemas) if name not in framework
            },
            "responses": {name: _problem(problem) for name, problem in PROBLEMS.items()},
            "headers": {name: {**HEADERS[name], "required": True} for name in HEADERS},
            "securitySchemes": _SECURITY,
        },
    }


def render() -> str:
    """The document as the text of its file."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the document and the reference that is made of it."""
    FILE.write_text(render(), encoding="utf-8")
    reference.FILE.write_text(reference.render(document()), encoding="utf-8")
    print(f"{FILE} and {reference.FILE} written")


def _applications() -> list[dict[str, Any]]:
    # Described, never called: neither a store nor a log is behind them.
    nothing: Any = None
    log = logging.getLogger(__name__)
    management = chatgrid_management.app.create_app(nothing, log=log)
    boards = chatgrid_boards.app.create_app(nothing, log=log)
    leaks = chatgrid_leaks.app.create_app(nothing, log=log)
    verify = verification.app()
    return [management.openapi(), verify.openapi(), leaks.openapi(), boards.openapi()]


def _schemas_of(*models: type[BaseModel]) -> dict[str, Any]:
    _, found = models_json_schema(
        [(model, "serialization") for model in models],
        ref_template="#/components/schemas/{model}",
    )
    definitions: dict[str, Any] = found["$defs"]
    return definitions


def _complete(operation: dict[str, Any], *, method: str, path: str) -> None:
    """Add what the gate in front of a route does, and the errors that the route can meet."""
    public = path.startswith("/leaks")
    operation["security"] = [] if public else [{"bearer": [required_scope(method, path)]}]
    responses: dict[str, Any] = operation["responses"]
    responses.pop("422", None)
    for response in responses.values():
        response["description"] = operation["summary"] + ": done."
        replayed = ("Idempotency-Replayed",) if _may_be_repeated(operation) else ()
        told = ("Cache-Control",) if public else BY_A_FUNCTION
        response["headers"] = _headers(always=told, sometimes=replayed)
        response["content"]["application/json"]["example"] = RESPONSES[operation["operationId"]]
    met = PUBLIC[path] if public else _problems_of(operation, method=method, path=path)
    for name in met:
        responses[str(PROBLEMS[name].status)] = {"$ref": f"#/components/responses/{name}"}
    operation["responses"] = {status: responses[status] for status in sorted(responses)}


def _problems_of(operation: dict[str, Any], *, method: str, path: str) -> list[str]:
    names = list(EVERYWHERE)
    if "requestBody" in operation:
        names += ["PayloadTooLarge", "UnsupportedMediaType"]
        names.append("InvalidChanges" if method == "PATCH" else "InvalidBody")
    elif any(parameter["in"] == "query" for parameter in operation.get("parameters", [])):
        names.append("InvalidQuery")
    if "{id}" in path:
        names.append("BoardNotFound" if path.startswith("/boards") else "NotFound")
    elif path.partition("/rotate")[0] in {"/me/api-key", "/me/tokens"}:
        names.append("NotFound")  # for callers without a key in their hand
    if path.endswith("/rotate"):
        names.append("NotRotatable")
    if operation["operationId"] == "createApiKey":
        names.append("Conflict")
    if _may_be_repeated(operation):
        names.append("NameReused")
    return names


def _may_be_repeated(operation: dict[str, Any]) -> bool:
    return any(one["name"] == "Idempotency-Key" for one in operation.get("parameters", []))


def _problem(problem: Problem) -> dict[str, Any]:
    status, codes = problem.status, problem.codes
    narrowed = {"properties": {"status": {"const": status}, "code": {"enum": [*codes]}}}
    return {
        "description": problem.case,
        "headers": _headers(always=problem.always, sometimes=problem.sometimes),
        "content": {
            "application/json": {
                "schema": {"allOf": [{"$ref": "#/components/schemas/ErrorResponse"}, narrowed]},
                "examples": {code: {"value": ERRORS[code, status]} for code in codes},
            }
        },
    }


def _headers(*, always: Sequence[str], sometimes: Sequence[str] = ()) -> dict[str, Any]:
    # The shared ones are required, and a reference cannot soften that.
    references = {name: {"$ref": f"#/components/headers/{name}"} for name in always}
    return {**references, **{name: HEADERS[name] for name in sometimes}}


def _untitled(value: Any) -> Any:
    """Without the titles that Pydantic derives from names, which say nothing more."""
    if isinstance(value, list):
        return [_untitled(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _untitled(entry)
        for name, entry in value.items()
        if not (name == "title" and isinstance(entry, str))
    }


if __name__ == "__main__":
    main()
