"""Who came with a canary, read out of the decision lines that say so.

The gate writes nothing but its line, so that a canary takes no longer than an unknown key.
"""

from __future__ import annotations

from chatgrid_auth.services.gate.throttle import network_of
from chatgrid_auth.services.usage.tallies import MINUTE_MS, decision_of, route_of, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

CANARY_USED = "api_key.canary_used"
#: So many of one batch are told of; the log has them all.
MOST_AT_ONCE = 100
#: No text of an address is longer (RFC 4291).
_LONGEST_SOURCE = 45


class Sighting:
    """Somebody came with a canary.

    Attributes:
        kind: the event's.
        at_ms: when, in Unix milliseconds.
        owner: the canary's.
        source: the address that the request came from.
        route: what was asked for, as the API declares it.
    """

    __slots__ = ("at_ms", "key_id", "owner", "request_id", "route", "source")

    kind = CANARY_USED

    def __init__(self, at_ms: int, line: dict[str, object]) -> None:
        self.at_ms = at_ms
        self.owner = text_of(line, "user_id")
        self.key_id = text_of(line, "key_id")
        self.source = text_of(line, "source_ip")[:_LONGEST_SOURCE]
        self.route = route_of(line)
        self.request_id = text_of(line, "correlation_id") or None

    @property
    def name(self) -> str:
        """Under which it is told of once, among its owner's: one a minute and address.

        An IPv6 network of 64 bits is one address: whoever has it has as many as he likes.
        """
        minute_ms = self.at_ms // MINUTE_MS * MINUTE_MS
        return f"{self.key_id}#{self.kind}#{minute_ms}#{network_of(self.source)}"


def sightings(lines: Iterable[tuple[int, str]]) -> list[Sighting]:
    """What to tell of these lines: the first of each name, of so many names.

    Args:
        lines: when each was written, in Unix milliseconds, and its text.
    """
    found: dict[tuple[str, str], Sighting] = {}
    for at_ms, text in lines:
        line = decision_of(text)
        if line is None or line.get("alert") != "canary_used":
            continue
        one = Sighting(at_ms, line)
        if one.owner and one.key_id:
            found.setdefault((one.owner, one.name), one)
    return list(found.values())[:MOST_AT_ONCE]
