"""What is wrong with a body or a query, in a closed set of codes and our own words.

The words name the rule, never the value: nothing that a client sent is echoed, since it may
be a credential in the wrong place.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

WHOLE_BODY = "body"

#: Pydantic's error type → our code and words, filled from the rule's own parameters.
_RULES: dict[str, tuple[str, str]] = {
    "missing": ("required", "Required"),
    "extra_forbidden": ("unrecognized_key", "Unrecognized field"),
    "string_too_short": ("too_small", "Must contain at least {min_length} character(s)"),
    "string_too_long": ("too_big", "Must contain at most {max_length} character(s)"),
    "too_short": ("too_small", "Must contain at least {min_length} item(s)"),
    "too_long": ("too_big", "Must contain at most {max_length} item(s)"),
    "greater_than_equal": ("too_small", "Must be at least {ge}"),
    "less_than_equal": ("too_big", "Must be at most {le}"),
    "literal_error": ("invalid_value", "Expected {expected}"),
    "finite_number": ("invalid_value", "Expected a finite number"),
    "int_type": ("invalid_type", "Expected an integer"),
    "int_from_float": ("invalid_type", "Expected an integer"),
    "float_type": ("invalid_type", "Expected a number"),
    "bool_type": ("invalid_type", "Expected true or false"),
    "string_type": ("invalid_type", "Expected a string"),
    "list_type": ("invalid_type", "Expected an array"),
    "model_type": ("invalid_type", "Expected an object"),
    "model_attributes_type": ("invalid_type", "Expected an object"),
    "dict_type": ("invalid_type", "Expected an object"),
}
#: What Pydantic says of a string as well, where its field may also be ``None``.
_LENGTHS = frozenset({"too_short", "too_long"})
#: Rules of our own raise a ``PydanticCustomError`` whose type already is one of our codes.
_OWN_CODES = frozenset({"invalid_type", "invalid_value", "too_small", "too_big"})

#: A field's name that is not ours is repeated only when it can be no credential.
_HARMLESS_NAME = re.compile(r"(?!cg[kpt]_|eyJ)[A-Za-z_][A-Za-z0-9_]{0,23}", re.ASCII)


def detail(code: str, path: str, message: str) -> dict[str, str]:
    """One entry of ``details``."""
    return {"code": code, "path": path, "message": message}


def details_of(errors: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The entries of ``details`` for Pydantic's errors, in their order."""
    return [_detail_of(error) for error in errors]


def safe_path(names: Sequence[int | str]) -> str:
    """A place in a body as a dotted path, without names that may hide a credential."""
    parts = [str(name) for name in names]
    if not all(part.isdecimal() or _HARMLESS_NAME.fullmatch(part) for part in parts):
        return WHOLE_BODY
    return ".".join(parts) or WHOLE_BODY


def _detail_of(error: Mapping[str, Any]) -> dict[str, str]:
    kind: str = error["type"]
    where: Sequence[int | str] = error["loc"]
    # The name of a header is ours; what a body has for names may be anything.
    path = str(where[1]) if where[0] == "header" else safe_path(where[1:])
    if kind in _OWN_CODES:
        return detail(kind, path, error["msg"])
    if kind in _LENGTHS and isinstance(error.get("input"), str):
        kind = f"string_{kind}"
    code, words = _RULES.get(kind, ("invalid_value", "Invalid value"))
    return detail(code, path, words.format_map(error.get("ctx", {})))
