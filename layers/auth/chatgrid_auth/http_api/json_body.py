"""A body reaches a route only as one strict JSON document of a sane size and media type.

Refused before any field is looked at: other media types and encodings (415), more than
``MAX_BODY_BYTES`` (413); and as ``validation_error``: text that is not UTF-8 or not JSON
(RFC 8259), U+FFFD, which a decoder before us wrote in place of bytes that were not UTF-8,
``NaN`` and ``Infinity``, numbers of thousands of digits, nesting too deep to read, lone
surrogates, and a name given twice in one object (readers disagree on which counts).

A number without a fractional part is an integer however it is written (``120.0``, ``1.2e2``), as
JSON Schema has it.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn

from fastapi.routing import APIRoute
from starlette.requests import Request

from chatgrid_auth.domain.error_table import PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE
from chatgrid_auth.domain.readable_text import NOT_UTF8, REPLACEMENT
from chatgrid_auth.http_api.details import WHOLE_BODY, detail, safe_path
from chatgrid_auth.http_api.problems import Problem, invalid_body

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from starlette.responses import Response

MAX_BODY_BYTES = 64 * 1024

_JSON_MEDIA_TYPE = re.compile(r"application/([a-z0-9!#$&^_.+-]+\+)?json", re.ASCII)
_CHARSETS = frozenset({"utf-8", "utf8"})
#: From here up a float may stand for another whole number than the one that was written.
_EXACT_BELOW = 2**53


class _DuplicateKeyError(ValueError):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class JsonRequest(Request):
    """A request whose ``json()`` is strict."""

    async def json(self) -> Any:
        """The body's JSON value.

        Raises:
            Problem: the body is not acceptable JSON.
        """
        return parse(await self.body())


class JsonRoute(APIRoute):
    """A route that takes a JSON body, or none."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's handler, behind the checks of this module."""
        handle = super().get_route_handler()
        takes_body = self.body_field is not None

        async def strict(request: Request) -> Response:
            if not takes_body:
                return await handle(request)
            body = await request.body()
            if len(body) > MAX_BODY_BYTES:
                raise Problem.of(PAYLOAD_TOO_LARGE)
            if body:
                _check_media_type(request)
            checked = JsonRequest(request.scope, request.receive)
            checked._body = body  # noqa: SLF001 - Starlette's own cache: a body is read once
            return await handle(checked)

        return strict


def parse(body: bytes) -> Any:
    """The value of a JSON document.

    Raises:
        Problem: 400 ``validation_error``, saying which rule the document breaks.
    """
    try:
        text = body.decode()
        value = json.loads(
            text,
            object_pairs_hook=_unique_names,
            parse_constant=_no_constant,
            parse_float=_number,
        )
        if "\\u" in text:  # only an escape can smuggle in half a surrogate pair
            text = json.dumps(value, ensure_ascii=False)
            text.encode()
    except _DuplicateKeyError as exc:
        path = safe_path([exc.name])
        raise invalid_body([detail("duplicate_key", path, "Given more than once")]) from None
    except (ValueError, RecursionError):
        raise invalid_body([detail("invalid_json", WHOLE_BODY, "Not valid JSON")]) from None
    if REPLACEMENT in text:
        raise invalid_body([detail("invalid_json", WHOLE_BODY, NOT_UTF8)])
    return value


def _number(text: str) -> float:
    """The number, as an ``int`` if it is whole and a float holds it exactly."""
    value = float(text)
    if abs(value) < _EXACT_BELOW and value.is_integer() and _is_exact(text, int(value)):
        return int(value)
    return value


def _is_exact(text: str, whole: int) -> bool:
    try:
        return Decimal(text) == whole
    except ArithmeticError:  # an exponent beyond all measure
        return False


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name in fields:
            raise _DuplicateKeyError(name)
        fields[name] = value
    return fields


def _no_constant(_name: str) -> NoReturn:
    raise ValueError


def _check_media_type(request: Request) -> None:
    essence, *parameters = request.headers.get("content-type", "").split(";")
    charsets = [
        value.strip().strip('"').lower()
        for name, _, value in (parameter.partition("=") for parameter in parameters)
        if name.strip().lower() == "charset"
    ]
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if (
        not _JSON_MEDIA_TYPE.fullmatch(essence.strip().lower())
        or not _CHARSETS.issuperset(charsets)
        or encoding != "identity"
    ):
        raise Problem.of(UNSUPPORTED_MEDIA_TYPE)
