"""The keys table in memory, as far as usage plans go: the queue, and the directory of keys.

The contract suite runs the same tests over this and over DynamoDB.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from chatgrid_auth.domain.errors import ConditionFailed
from chatgrid_auth.services.usage_plans.ports import LiveKey, Progress, Work
from tests.support.control_plane import Fuse


@dataclass
class MemoryPlanStore:
    """Queue and directory at once; every call passes the fuse.

    Args:
        fuse: cuts the caller off.
        page: how many keys the directory gives at a time.
        most_of_one_owner: how much of one owner's work is read.
    """

    fuse: Fuse
    page: int = 100
    most_of_one_owner: int = 500

    def __post_init__(self) -> None:
        self.queue: dict[str, Work] = {}
        self.keys: dict[str, LiveKey] = {}
        self.sweep: Progress | None = None
        self.leased_until_ms = 0
        self.writes = 0
        self.looked_after = 0
        self.graces_ended_ms: list[int] = []
        self.before_page: Callable[[], None] = lambda: None

    # What issuing and revoking do, each in one transaction

    def issue(self, key: LiveKey) -> None:
        self.keys[key.key_hash] = key
        self.queue[key.key_id] = Work(
            key_id=key.key_id, action="provision", owner=key.owner, key_hash=key.key_hash
        )

    def revoke(self, key: LiveKey) -> None:
        del self.keys[key.key_hash]
        self.queue[key.key_id] = Work(
            key_id=key.key_id, action="retire", owner=key.owner, key_hash=key.key_hash
        )

    # PlanQueue

    def pending(self, *, first_owner: str) -> list[Work]:
        def read() -> list[Work]:
            waiting = sorted(self.queue.values(), key=lambda work: (work.owner, work.key_id))
            taken: Counter[str] = Counter()
            found = []
            for work in sorted(waiting, key=lambda work: work.owner < first_owner):
                taken[work.owner] += 1
                if taken[work.owner] <= self.most_of_one_owner:
                    found.append(work)
            return found

        return self.fuse.around(read)

    # RunLease

    def take(self, *, now_ms: int, until_ms: int) -> bool:
        def write() -> bool:
            self.writes += 1
            if self.leased_until_ms > now_ms:
                return False
            self.leased_until_ms = until_ms
            return True

        return self.fuse.around(write)

    def give_back(self, *, until_ms: int) -> None:
        def write() -> None:
            if self.leased_until_ms == until_ms:
                self.leased_until_ms = 0

        self.fuse.around(write)

    def reserve(self, work: Work, *, value: str) -> str:
        def mark(entry: Work) -> Work:
            return entry if entry.value is not None else replace(entry, value=value)

        changed = self._change(work, mark)
        assert changed.value is not None
        return changed.value

    def mark_ready(self, work: Work, *, value: str, ready_at_ms: int) -> None:
        self._change(work, lambda entry: replace(entry, value=value, ready_at_ms=ready_at_ms))

    def add(self, work: Work) -> bool:
        def write() -> bool:
            self.writes += 1
            return self.queue.setdefault(work.key_id, work) is work

        return self.fuse.around(write)

    def remove(self, work: Work) -> None:
        def write() -> None:
            self.writes += 1
            if work.key_id in self.queue:
                self._held(work)
                del self.queue[work.key_id]

        self.fuse.around(write)

    # Directory

    def assign(self, key_hash: str, *, value: str) -> bool:
        return self._name(key_hash, lambda key: True, value)

    def unassign(self, key_hash: str, *, value: str) -> None:
        self._name(key_hash, lambda key: key.usage_key == value, None)

    def live(self, cursor: str | None) -> tuple[list[LiveKey], str | None]:
        self.before_page()

        def read() -> tuple[list[LiveKey], str | None]:
            left = sorted(key_hash for key_hash in self.keys if key_hash > (cursor or ""))
            page = left[: self.page]
            return [self.keys[each] for each in page], page[-1] if len(left) > len(page) else None

        return self.fuse.around(read)

    def finish_revocation(self, key: LiveKey) -> None:
        def write() -> None:
            self.writes += 1
            self.revoke(key)

        self.fuse.around(write)

    def look_after(self, page: Sequence[LiveKey], summary: object, **_: object) -> None:
        """Note how many were looked after: nothing here grows old."""
        self.looked_after += len(page)

    def end_graces(self, now_ms: int) -> int:
        self.graces_ended_ms.append(now_ms)
        return 0

    def recorded(self, keys: Sequence[tuple[str, str]]) -> dict[str, LiveKey]:
        wanted = set(keys)
        assert len(wanted) <= 100
        return self.fuse.around(
            lambda: {
                key.key_id: key for key in self.keys.values() if (key.owner, key.key_id) in wanted
            }
        )

    def progress(self) -> Progress | None:
        return self.fuse.around(lambda: self.sweep)

    def advance(self, progress: Progress) -> None:
        self._remember(progress)

    def finish(self) -> None:
        self._remember(None)

    def _remember(self, progress: Progress | None) -> None:
        def write() -> None:
            self.writes += 1
            self.sweep = progress

        self.fuse.around(write)

    def _name(self, key_hash: str, holds: Callable[[LiveKey], bool], value: str | None) -> bool:
        def write() -> bool:
            self.writes += 1
            key = self.keys.get(key_hash)
            if key is None or not holds(key):
                return False
            self.keys[key_hash] = replace(key, usage_key=value)
            return True

        return self.fuse.around(write)

    def _held(self, work: Work) -> Work:
        entry = self.queue.get(work.key_id)
        if entry is None or entry.action != work.action:
            raise ConditionFailed(None)
        return entry

    def _change(self, work: Work, to: Callable[[Work], Work]) -> Work:
        def write() -> Work:
            self.writes += 1
            changed = to(self._held(work))
            self.queue[work.key_id] = changed
            return changed

        return self.fuse.around(write)
