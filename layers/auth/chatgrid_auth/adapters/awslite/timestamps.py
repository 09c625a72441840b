"""Epoch seconds from the two date formats that AWS's answers carry, and nothing else.

Arithmetic only: ``datetime``, ``email.utils`` and ``calendar`` would each cost the authorizer's
start-up more than the whole client does.
"""

from __future__ import annotations

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def from_http_date(text: str) -> int | None:
    """The epoch second of an IMF-fixdate (RFC 9110, 5.6.7), or ``None`` for anything else.

    ``Sun, 06 Nov 1994 08:49:37 GMT`` is 784111777. Letter case does not matter.
    """
    parts = text.lower().split(" ")
    if len(parts) != 6 or parts[5] != "gmt" or parts[2] not in _MONTHS:
        return None
    return _epoch(parts[3], str(_MONTHS.index(parts[2]) + 1), parts[1], parts[4])


def from_iso_8601(text: str) -> int | None:
    """The epoch second of ``2026-11-24T03:50:00Z``, fractions dropped; else ``None``.

    Only UTC, spelled ``Z`` or ``+00:00``, is read: what AWS's credential endpoints send.
    """
    if text.endswith("+00:00"):
        text = text[:-6] + "Z"
    day, separator, clock = text.partition("T")
    if not separator or not clock.endswith("Z"):
        return None
    year, _, rest = day.partition("-")
    month, _, day_of_month = rest.partition("-")
    return _epoch(year, month, day_of_month, clock[:-1].partition(".")[0])


def _epoch(year: str, month: str, day: str, clock: str) -> int | None:
    fields = (year, month, day, *clock.split(":"))
    if len(fields) != 6 or not all(f.isascii() and f.isdigit() and len(f) <= 4 for f in fields):
        return None
    y, m, d, hour, minute, second = (int(field) for field in fields)
    if not (1 <= m <= 12 and 1 <= d <= 31 and hour < 24 and minute < 60 and second <= 60):
        return None
    # Days from the civil date: years begin in March, so that the leap day comes last.
    if m <= 2:
        y -= 1
    era_days = 365 * y + y // 4 - y // 100 + y // 400
    day_of_year = (153 * ((m + 9) % 12) + 2) // 5 + d - 1
    return (era_days + day_of_year - 719_468) * 86_400 + hour * 3600 + minute * 60 + second
