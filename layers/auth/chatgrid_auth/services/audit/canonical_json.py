"""One spelling for each JSON value (RFC 8785), so that a hash of it means the value itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Json = str | int | bool | None | Sequence["Json"] | Mapping[str, "Json"]

#: What an IEEE 754 double holds exactly, and RFC 8785 (section 3.2.2.3) asks to stay within.
_LARGEST = 2**53 - 1


def canonical(value: Json) -> bytes:
    """The value as RFC 8785 spells it, in UTF-8.

    Names are in the order of their UTF-16 code units (section 3.2.3). Whole numbers only: what
    is written here has no fractions, and their spelling would be ECMAScript's.

    Raises:
        ValueError: a fraction, a number beyond 2^53, a lone surrogate, or no JSON at all.
    """
    return json.dumps(
        _ordered(value), ensure_ascii=False, allow_nan=False, separators=(",", ":")
    ).encode()


def _ordered(value: Json) -> Json:
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        if abs(value) > _LARGEST:
            raise ValueError("a number that JSON does not carry exactly")
        return value
    if isinstance(value, dict):
        return {name: _ordered(value[name]) for name in sorted(value, key=_utf_16)}
    if isinstance(value, (list, tuple)):
        return [_ordered(one) for one in value]
    raise ValueError("no value that an entry may hold")


def _utf_16(name: str) -> bytes:
    return name.encode("utf-16-be")
