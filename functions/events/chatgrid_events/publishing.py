"""Each entry of the audit log reaches EventBridge at least once, or its dead-letter queue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.awslite.credentials import CredentialsUnavailable
from chatgrid_auth.adapters.awslite.http_response import HttpFault
from chatgrid_events.thin_events import NoEntry, is_of_an_entry, thin_events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

#: EventBridge's own bound for one call.
MOST_AT_ONCE = 10


class Publisher:
    """Puts the entries of a stream's batch on a bus.

    Args:
        put: asks EventBridge (``PutEvents``) and gives the body of its response.
        bus: the event bus, by name or ARN.
        log: writes one line.
    """

    def __init__(
        self,
        *,
        put: Callable[[dict[str, Any]], bytes],
        bus: str,
        log: Callable[[str], None],
    ) -> None:
        self._put = put
        self._bus = bus
        self._log = log

    def handle(self, batch: Mapping[str, Any], _context: object = None) -> dict[str, Any]:
        """Publish what is new, in its order.

        Returns:
            Where it came to a halt, as Lambda asks of a stream's function: from that record on
            everything comes again, and what fails to the end goes to the dead-letter queue.
        """
        records = [record for record in batch["Records"] if is_of_an_entry(record)]
        for first in range(0, len(records), MOST_AT_ONCE):
            part = records[first : first + MOST_AT_ONCE]
            failed = self._first_failure(part)
            if failed is not None:
                return {"batchItemFailures": [{"itemIdentifier": _number(part[failed])}]}
        return {"batchItemFailures": []}

    def _first_failure(self, records: Sequence[Mapping[str, Any]]) -> int | None:
        told = list(self._readable(records))
        events = [event for several in told for event in several]
        whose = [at for at, several in enumerate(told) for _ in several]
        try:
            codes: list[str | None] = []
            for first in range(0, len(events), MOST_AT_ONCE):  # a record may be two
                codes += self._codes(events[first : first + MOST_AT_ONCE])
        except (HttpFault, CredentialsUnavailable, ValueError, KeyError, TypeError) as fault:
            self._tell(type(fault).__name__, records[0])
            return 0
        for at, code in zip(whose, codes, strict=True):
            if code is not None:
                self._tell(code, records[at])
                return at
        if len(told) < len(records):
            self._tell("NoEntry", records[len(told)])
            return len(told)
        return None

    def _readable(self, records: Sequence[Mapping[str, Any]]) -> Iterator[list[dict[str, Any]]]:
        """The events of each record up to the first record that holds no entry."""
        for record in records:
            try:
                yield thin_events(record, bus=self._bus)
            except NoEntry:
                return

    def _codes(self, events: Sequence[dict[str, Any]]) -> list[str | None]:
        """What EventBridge says of each event: nothing, or why it does not take it."""
        response = json.loads(self._put({"Entries": events}))
        told = response["Entries"]
        if len(told) != len(events):
            raise ValueError("not a response to these events")
        return [None if "EventId" in one else str(one.get("ErrorCode")) for one in told]

    def _tell(self, code: str, record: Mapping[str, Any]) -> None:
        line = {"level": "ERROR", "message": "not published", "code": code}
        self._log(json.dumps({**line, "record": _number(record)}))


def _number(record: Mapping[str, Any]) -> str:
    number: str = record["dynamodb"]["SequenceNumber"]
    return number
