"""How usage lies in its table.

| item | pk | sk | holds |
| --- | --- | --- | --- |
| arrival | ``ARRIVED#<minute>`` | hash of a batch of log events, ``#`` part | its sums |
| bucket | ``KEY#<key id>``, ``USER#<user>`` or ``ALL`` | granularity, ``#``, start | counts |
| fold | ``FOLDED`` | ``#`` | the last minute whose arrivals are in the buckets |

Counts are ``a r l f c`` (allowed, refused, rate limited, forbidden, credits); those of a route are
``a GET /boards`` and so on. ``p`` of a bucket is the last minute that was added to it.
"""

from __future__ import annotations

from chatgrid_auth.services.usage.buckets import LENGTH_MS
from chatgrid_auth.services.usage.tallies import COLUMNS

#: The name of a column's counts in the table.
LETTERS = dict(zip(COLUMNS, "arlfc", strict=True))
ALL = "ALL"
FOLDED = {"pk": {"S": "FOLDED"}, "sk": {"S": "#"}}
FOLD = "p"
EXPIRES_ON = "expires_on"
_INITIALS = {name: name[0].upper() for name in LENGTH_MS}


def arrived_pk(minute: int) -> str:
    """The partition of what arrived in a minute (counted from the epoch)."""
    return f"ARRIVED#{minute}"


def key_pk(key_id: str) -> str:
    """The partition of a key's buckets."""
    return f"KEY#{key_id}"


def owner_pk(owner: str) -> str:
    """The partition of a user's buckets."""
    return f"USER#{owner}"


def bucket_sk(granularity: str, start_ms: int) -> str:
    """The sort key of a bucket that begins then (Unix milliseconds)."""
    return f"{_INITIALS[granularity]}#{start_ms:013d}"
