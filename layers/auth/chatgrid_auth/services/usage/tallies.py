"""Decision lines, summed: each is counted once, under the minute in which it was decided.

The lines are those that the authorizer writes anyway (docs/runbook.md). What is no decision line
is passed over; a decision whose caller is not known counts for the whole deployment alone.
"""

from __future__ import annotations

import json
from base64 import b64decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    #: When (the minute's beginning, Unix milliseconds), whose, by which key, to which route.
    Place = tuple[int, str, str, str]
    Tally = dict[Place, list[int]]

#: What is counted of requests, in the order of a tally's numbers. ``refused`` is everything that
#: was not allowed; ``rate_limited`` and ``forbidden`` are in it. Credits are what was spent.
COLUMNS = ("allowed", "refused", "rate_limited", "forbidden", "credits")
MINUTE_MS = 60_000
#: The route of requests whose path nobody but the client named.
OTHER_ROUTES = "other"
_DECISION = "decision"


def tally(lines: Iterable[tuple[int, str]]) -> Tally:
    """What the decisions among these lines come to.

    Args:
        lines: when each was written, in Unix milliseconds, and its text.
    """
    sums: Tally = {}
    for at_ms, text in lines:
        line = decision_of(text)
        if line is None:
            continue
        place = (
            at_ms // MINUTE_MS * MINUTE_MS,
            _owner(line),
            text_of(line, "key_id"),
            route_of(line),
        )
        counts = sums.get(place)
        if counts is None:
            counts = sums[place] = [0] * len(COLUMNS)
        outcome = line["outcome"]
        if outcome == "allowed":
            counts[0] += 1
            spent = line.get("credits")
            counts[4] += spent if type(spent) is int else 0
        else:
            counts[1] += 1
            counts[2] += outcome == "rate_limited"
            counts[3] += outcome == "forbidden"
    return sums


def decision_of(text: str) -> dict[str, object] | None:
    """The line, if it tells of a decision."""
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(line, dict) or line.get("message") != _DECISION or "outcome" not in line:
        return None
    return line


def text_of(line: dict[str, object], name: str) -> str:
    """A text in a line; empty where there is none."""
    value = line.get(name)
    return value if isinstance(value, str) else ""


def _owner(line: dict[str, object]) -> str:
    """Whose request it was: an allowed key's line has the UUID in 22 characters (base64)."""
    owner = text_of(line, "own")
    if len(owner) != 22:
        return text_of(line, "user_id")
    text = b64decode(owner + "==").hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def route_of(line: dict[str, object]) -> str:
    """The route as the API declares it; a path that a client spelled is none (TOKEN events)."""
    if not line.get("correlation_id") or not line.get("resource"):
        return OTHER_ROUTES
    return f"{text_of(line, 'method')} {text_of(line, 'resource')}"
