"""Instants as clients and operators write and read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
#: ISO 8601 as RFC 3339 narrows it, and ``+0100`` besides, since ``date +%z`` prints that.
_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2})(:[0-9]{2})?(\.[0-9]{1,9})?"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})",
    re.ASCII,
)


def instant_ms(text: str) -> int:
    """Unix milliseconds of an ISO 8601 instant with an offset; finer digits are cut off.

    Raises:
        ValueError: it is none.
    """
    found = _INSTANT.fullmatch(text)
    if found:
        day, minute, second, fraction, offset = found.groups()
        clock = f"{day}T{minute}{second or ':00'}{(fraction or '.0')[:7]}"
        try:
            return (datetime.fromisoformat(clock + offset.upper()) - _EPOCH) // _MILLISECOND
        except ValueError:
            pass  # no such day, or no such time of day
    raise ValueError("Expected an ISO 8601 time with an offset, e.g. 2030-01-31T12:00:00Z")


def iso_instant(unix_ms: int) -> str:
    """An instant in UTC with milliseconds and ``Z``."""
    instant = _EPOCH + timedelta(milliseconds=unix_ms)
    return instant.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
