"""The sweep: compares every API Gateway key with every ChatGrid key, and leaves work for what differs.

The queue alone keeps the two in step; the sweep is for what the queue cannot know: a key deleted
or disabled in the console, a table restored from a backup, a full account that has room again.
It changes nothing in API Gateway by itself except for surplus keys of one name; all else it
writes into the queue, so that there is one place that makes and removes keys.

It looks at live keys in pages and remembers how far it came, so a sweep may take many runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from chatgrid_auth.domain import usage_keys
from chatgrid_auth.domain.usage_keys import GatewayKey
from chatgrid_auth.services.pacing import Pace
from chatgrid_auth.services.usage_plans import (
    Action,
    ControlPlane,
    Credentials,
    PlanQueue,
    Tally,
    Work,
)

#: An expired key keeps its API Gateway key for a day, in case the clock or the expiry was wrong.
EXPIRY_GRACE_MS = 86_400_000
#: More orphans than this, and more than half of all: rather the wrong table than orphans.
_SUSPICIOUS_ORPHANS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveKey:
    """A ChatGrid key that is not revoked, and the API Gateway key that its credential names."""

    key_id: str
    owner: str
    key_hash: str
    expires_at_ms: int | None = None
    usage_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a sweep has come: ``None`` is the first page of live keys."""

    cursor: str | None = None


class Directory(Credentials, Protocol):
    """All ChatGrid keys. Raises StoreUnavailable for faults."""

    def live(self, cursor: str | None) -> tuple[list[LiveKey], str | None]:
        """A page of live keys in no particular order, and where the next one starts."""

    def recorded(self, keys: Iterable[tuple[str, str]]) -> dict[str, LiveKey]:
        """Of these (owner, key id), those that have a record now, by key id; consistent."""

    def progress(self) -> Progress | None:
        """How far the sweep under way has come; ``None`` when there is none."""

    def advance(self, progress: Progress) -> None:
        """Remember how far the sweep has come."""

    def finish(self) -> None:
        """The sweep is over."""


Finding = Literal["missing", "disabled", "detached"]


class Inventory:
    """This stack's API Gateway keys, as they were when the account was read.

    Attributes:
        total: how many keys the account holds, those of others included.
        by_key: this stack's keys by the ChatGrid key that they serve.
        attached: ids of the keys in the plan.
    """

    def __init__(self, found: Iterable[GatewayKey], *, attached: Iterable[str], prefix: str) -> None:
        self.total = 0
        self.by_key: dict[str, list[GatewayKey]] = {}
        self.attached = frozenset(attached)
        for key in found:
            self.total += 1
            key_id = usage_keys.key_id_of(key.name, prefix=prefix)
            if key_id is not None:
                self.by_key.setdefault(key_id, []).append(key)

    def finding(self, key: GatewayKey | None, *, usage_key: str | None) -> Finding | None:
        """What is wrong with the API Gateway key of a live ChatGrid key, if anything."""
        if key is None or key.value != usage_key:
            return "missing" if key is None or key.enabled else "disabled"
        if not key.enabled:
            return "disabled"
        return None if key.id in self.attached else "detached"


class Sweep:
    """One run's part of a sweep.

    Args:
        remove: takes an API Gateway key away, its credential first.
        rehearse: count, and change nothing.
        (the others as in `Provisioner`)
    """

    def __init__(  # noqa: PLR0913 - what it works with, each replaceable
        self,
        *,
        plane: ControlPlane,
        queue: PlanQueue,
        directory: Directory,
        pace: Pace,
        now_ms: Callable[[], int],
        remove: Callable[[str, GatewayKey], None],
        plan: str,
        prefix: str,
        rehearse: bool,
    ) -> None:
        self._plane = plane
        self._queue = queue
        self._directory = directory
        self._pace = pace
        self._now_ms = now_ms
        self._remove = remove
        self._plan = plan
        self._prefix = prefix
        self._rehearse = rehearse
        self._room = 0

    def run(self, progress: Progress, *, waiting: frozenset[str], tally: Tally) -> None:
        """Go on from there, to the end if the time is enough.

        Args:
            progress: where to go on.
            waiting: ids of the keys that have work in the queue: they are being seen to.
            tally: where findings are counted.

        Raises:
            OutOfTime: not finished; what was done is remembered.
            ControlPlaneError: API Gateway could not be read.
        """
        inventory = self._read_account()
        self._room = usage_keys.KEY_CEILING - inventory.total - len(waiting)
        cursor = progress.cursor
        while True:
            self._pace.check()
            page, cursor = self._directory.live(cursor)
            for live in page:
                if live.key_id not in waiting and not self._expired(live):
                    self._examine(live, inventory, tally)
            if cursor is None:
                break
            if not self._rehearse:
                self._directory.advance(Progress(cursor=cursor))
        self._remove_orphans(inventory, waiting=waiting, tally=tally)
        if not self._rehearse:
            self._directory.finish()
        tally.sweeps += 1

    def _read_account(self) -> Inventory:
        """Every key of the account: name queries match prefixes, and how is not documented."""
        found: list[GatewayKey] = []
        attached: list[str] = []
        position: str | None = None
        while True:
            keys, position = self._pace.call(lambda at=position: self._plane.keys(at))
            found += keys
            if position is None:
                break
        while True:
            ids, position = self._pace.call(
                lambda at=position: self._plane.attached(at, plan=self._plan)
            )
            attached += ids
            if position is None:
                break
        return Inventory(found, attached=attached, prefix=self._prefix)
