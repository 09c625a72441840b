"""What happened in a race, and whether one thing after another can explain it.

Every event is an interval on the machine's one monotonic clock: what it did happened somewhere
between its beginning and its end. The rules below refuse a history only if no order of such
moments explains it, so an error is a broken promise, never bad luck.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

OK = "ok"
NOT_FOUND = "not found"
FULL = "full"
ADMITTED = "admitted"
LIMITED = "limited"
REVOKED = "revoked"
UNKNOWN = "unknown"
#: The store gave up: what was asked for may have happened, or not.
FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Event:
    """One call: ``create``, ``revoke``, ``get``, ``use`` or ``walk``."""

    what: str
    began: float
    ended: float
    result: str
    key: str = ""
    walked: tuple[str, ...] = ()


class History:
    """The events of a race among the keys of one owner.

    Args:
        events: of all actors, in any order.
        most_keys: how many keys the owner may hold.
    """

    def __init__(self, events: Iterable[Event], *, most_keys: int) -> None:
        self.events = sorted(events, key=lambda event: event.began)
        self._most_keys = most_keys
        self._created = {e.key: e for e in self._of("create", OK)}
        self._revoked: dict[str, Event] = {}
        #: Revocations that may have happened: those that were made, and those that met a fault.
        self._tried: defaultdict[str, list[Event]] = defaultdict(list)
        for event in self._of("revoke", OK, FAULT):
            self._tried[event.key].append(event)
            if event.result == OK:
                self._revoked.setdefault(event.key, event)

    def errors(self) -> list[str]:
        """What cannot be explained."""
        return [
            *self._revoked_twice(),
            *self._seen_at_the_wrong_time(),
            *self._walked_wrong(),
            *self._counted_wrong(),
        ]

    def admitted(self) -> Counter[str]:
        """How often each key was admitted."""
        return Counter(event.key for event in self._of("use", ADMITTED))

    def _of(self, what: str, *results: str) -> Iterator[Event]:
        return (e for e in self.events if e.what == what and (not results or e.result in results))

    def _revoked_twice(self) -> Iterator[str]:
        made = Counter(event.key for event in self._of("revoke", OK))
        yield from (f"{key} was revoked {count} times" for key, count in made.items() if count > 1)

    def _seen_at_the_wrong_time(self) -> Iterator[str]:
        alive = {OK, ADMITTED, LIMITED}
        for event in self.events:
            if event.what not in {"get", "use", "revoke"} or event.result == FAULT:
                continue
            revoked = self._revoked.get(event.key)
            others = [tried for tried in self._tried[event.key] if tried is not event]
            if event.result == UNKNOWN:
                yield f"{event.key} was unknown to {event.what}"
            elif event.result in alive:
                late = revoked is not None and revoked.ended < event.began
                if late and revoked is not event:
                    yield f"{event.what} found {event.key} after its revocation"
            elif not any(tried.began < event.ended for tried in others):
                yield f"{event.what} missed {event.key}, which nobody had revoked"

    def _walked_wrong(self) -> Iterator[str]:
        for walk in self._of("walk", OK):
            if len(set(walk.walked)) < len(walk.walked):
                yield "a walk gave a key twice"
            for key, created in self._created.items():
                there = key in walk.walked
                revoked = self._revoked.get(key)
                lived = created.ended < walk.began and not any(
                    tried.began < walk.ended for tried in self._tried[key]
                )
                gone = revoked is not None and revoked.ended < walk.began
                if lived and not there:
                    yield f"a walk missed {key}"
                if there and (gone or created.began > walk.ended):
                    yield f"a walk gave {key} at a time when it was not there"

    def _counted_wrong(self) -> Iterator[str]:
        """The owner's limit: never passed, and never named without cause."""
        created = list(self._of("create", OK))
        maybe_created = [*created, *self._of("create", FAULT)]
        revoked = list(self._revoked.values())
        tried = [event for events in self._tried.values() for event in events]
        for moment in (event.ended for event in created):
            least = sum(e.ended <= moment for e in created) - len(
                {e.key for e in tried if e.began <= moment}
            )
            if least > self._most_keys:
                yield f"the owner held at least {least} keys"
        for refused in self._of("create", FULL):
            # The most that it can have held at some moment of the refusal.
            moments = [
                refused.ended,
                *(e.began for e in maybe_created),
                *(e.ended for e in revoked),
            ]
            most = max(
                sum(e.began <= moment for e in maybe_created)
                - sum(e.ended < moment for e in revoked)
                for moment in moments
                if refused.began <= moment <= refused.ended
            )
            if most < self._most_keys:
                yield f"a key was refused when the owner held at most {most}"
