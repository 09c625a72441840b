"""Sixteen actors in four processes on the keys of one owner: every history can be explained."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from uuid import uuid4

import pytest

from chatgrid_auth.domain.errors import Fault
from chatgrid_auth.domain.keys import hash_of
from chatgrid_auth.services.gate.requests import Request
from chatgrid_devkit.stack.ministack import Ministack
from tests.races.actors import Arena, changes_of, gate, now_ms, processes, race, service
from tests.races.history import ADMITTED, FULL, LIMITED, OK, REVOKED, Event, History
from tests.support.tables import books
from tests.support.tables.stores import dynamodb, keys_table

#: Set it to run a race again as it was; what the processor makes of it differs all the same.
SEED = int(os.environ.get("RACE_SEED", "0")) or secrets.randbelow(1 << 20)
LIMIT = 20


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with processes() as running:
        yield running


def arena_of(ministack: Ministack, *, keys: int, **facts: object) -> Arena:
    table = keys_table(dynamodb(ministack.endpoint))
    plain: dict[str, object] = {"most_keys": 12, "actions": 25, "weights": {"use": 1}}
    common = {"endpoint": ministack.endpoint, "table": table, "owner": str(uuid4())}
    empty = Arena(**{**plain, **facts, **common, "shared": {}})  # type: ignore[arg-type]
    issuing = service(empty)
    shared = {}
    for number in range(keys):
        issued = issuing.issue(
            empty.owner,
            name=f"shared {number}",
            scopes=["read"],
            environment="live",
            rate_limit=LIMIT,
            expires_at_ms=None,
        )
        shared[issued.key.id] = hash_of(issued.raw_key)
    return Arena(**{**plain, **facts, **common, "shared": shared})  # type: ignore[arg-type]


def at_first(arena: Arena) -> list[Event]:
    """The shared keys, made before everything else."""
    return [Event("create", 0.0, 0.0, OK, key) for key in arena.shared]


def books_of(arena: Arena) -> list[str]:
    return books.errors_in(books.contents(dynamodb(arena.endpoint), arena.table))


def test_all_at_once_from_sixteen_actors_is_as_if_one_after_another(
    ministack: Ministack, pool: ProcessPoolExecutor
) -> None:
    print(f"RACE_SEED={SEED}")
    weights = {"create": 4, "revoke": 3, "use": 5, "get": 2, "walk": 2}
    arena = arena_of(ministack, keys=6, most_keys=9, weights=weights)
    events = race(arena, pool, seed=SEED)
    history = History([*at_first(arena), *events], most_keys=arena.most_keys)
    assert history.errors() == []
    assert max(history.admitted().values()) <= LIMIT
    assert books_of(arena) == []
    seen = Counter((event.what, event.result) for event in events)
    for happened in (("create", OK), ("create", FULL), ("revoke", OK), ("use", REVOKED)):
        assert seen[happened], f"{happened} never happened: nothing was raced ({seen})"


def test_the_owners_limit_holds_exactly_while_keys_come_and_go(
    ministack: Ministack, pool: ProcessPoolExecutor
) -> None:
    print(f"RACE_SEED={SEED}")
    arena = arena_of(ministack, keys=1, most_keys=3, weights={"create": 3, "revoke": 2})
    events = race(arena, pool, seed=SEED)
    history = History([*at_first(arena), *events], most_keys=arena.most_keys)
    assert history.errors() == []
    assert books_of(arena) == []
    assert sum(event.result == FULL for event in events) > 10
    left = service(arena).list(arena.owner, limit=100, after=None, descending=False).items
    assert len(left) <= arena.most_keys


def test_sixteen_sides_use_a_key_exactly_to_its_limit(
    ministack: Ministack, pool: ProcessPoolExecutor
) -> None:
    """None of them is admitted once more."""
    print(f"RACE_SEED={SEED}")
    arena = arena_of(ministack, keys=1, actions=10)
    history = History([*at_first(arena), *race(arena, pool, seed=SEED)], most_keys=arena.most_keys)
    assert history.errors() == []
    assert set(history.admitted().values()) == {LIMIT}


class Crowd:
    """Threads that use one key as fast as they can, from the beginning of ``with`` to its end."""

    def __init__(self, arena: Arena, *, size: int = 6) -> None:
        (self.key,) = arena.shared
        self._arena = arena
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self.events: list[Event] = []
        self._threads = [threading.Thread(target=self._use) for _ in range(size)]

    def __enter__(self) -> Crowd:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join(30)

    def wait_for(self, result: str, count: int) -> None:
        """Return when there were so many of these answers since now."""
        before = self.number_of(result)
        deadline = time.monotonic() + 20
        while self.number_of(result) < before + count:
            assert time.monotonic() < deadline, Counter(event.result for event in self.events)
            time.sleep(0.005)

    def number_of(self, result: str) -> int:
        with self._lock:
            return sum(event.result == result for event in self.events)

    def _use(self) -> None:
        decisions, client = gate(self._arena)
        while not self._ending.is_set():
            began = time.monotonic()
            try:
                answer = decisions.admit(
                    self._arena.shared[self.key], now_ms=now_ms(), request=Request("read")
                )
            except Fault:  # a machine that stood still; nothing is said of the request then
                continue
            assert answer is not None
            result = ADMITTED if answer.admitted else LIMITED if answer.fault is None else REVOKED
            with self._lock:
                self.events.append(Event("use", began, time.monotonic(), result, self.key))
        client.reset()


def test_after_a_revocation_was_answered_no_later_request_is_admitted(
    ministack: Ministack,
) -> None:
    arena = arena_of(ministack, keys=1)
    keys = service(arena)
    (key,) = arena.shared
    changes_of(arena).change(arena.owner, key, {"rate_limit": 60_000})
    with Crowd(arena) as crowd:
        crowd.wait_for(ADMITTED, 30)
        began = time.monotonic()
        keys.revoke(arena.owner, key)
        revoked = Event("revoke", began, time.monotonic(), OK, key)
        crowd.wait_for(REVOKED, 20)
    history = History([*at_first(arena), revoked, *crowd.events], most_keys=arena.most_keys)
    assert history.errors() == []
    assert books_of(arena) == []


def test_a_limit_changed_under_load_holds_from_the_answer_on(
    ministack: Ministack,
) -> None:
    """It is changed while requests meet it."""
    arena = arena_of(ministack, keys=1)
    changing = changes_of(arena)
    (key,) = arena.shared
    changes: list[tuple[float, float, int]] = [(0.0, 0.0, LIMIT)]
    with Crowd(arena) as crowd:
        for limit in (60, 30, 90, 45, 120):
            crowd.wait_for(LIMITED, 10)
            began = time.monotonic()
            changing.change(arena.owner, key, {"rate_limit": limit})
            changes.append((began, time.monotonic(), limit))
        crowd.wait_for(LIMITED, 10)
    admitted = sorted((e.began, e.ended) for e in crowd.events if e.result == ADMITTED)
    ends = sorted(ended for _, ended in admitted)
    for began, ended in admitted:
        in_force = [
            limit
            for number, (change_began, _, limit) in enumerate(changes)
            if change_began <= ended
            and (number + 1 == len(changes) or changes[number + 1][1] >= began)
        ]
        before = sum(end < began for end in ends)
        assert before + 1 <= max(in_force)
    assert len(admitted) == 120, "each raise was used up"
    assert books_of(arena) == []


@pytest.mark.parametrize(
    ("events", "complaint"),
    [
        ([("revoke", 1, 2, OK), ("revoke", 1, 2, OK)], "revoked 2 times"),
        ([("revoke", 1, 2, OK), ("use", 3, 4, ADMITTED)], "use found"),
        ([("use", 1, 2, REVOKED)], "use missed"),
        ([("revoke", 1, 2, "not found")], "revoke missed"),
        ([("use", 1, 2, "unknown")], "unknown"),
        ([("walk", 1, 2, OK, ())], "walk missed"),
        ([("walk", 1, 2, OK, ("k", "k"))], "twice"),
        ([("revoke", 1, 2, OK), ("walk", 3, 4, OK, ("k",))], "not there"),
        ([("create", 1, 2, OK, (), "l"), ("create", 1, 2, OK, (), "m")], "held at least 3"),
        ([("create", 1, 2, FULL)], "held at most 1"),
        ([("revoke", 1, 4, OK), ("use", 3, 5, ADMITTED)], None),
        ([("revoke", 1, 4, OK), ("use", 2, 3, REVOKED)], None),
        ([("revoke", 1, 4, "fault"), ("walk", 5, 6, OK, ())], None),
        ([("create", 1, 4, OK, (), "l"), ("create", 2, 3, FULL)], None),
    ],
)
def test_a_history_is_refused_when_and_only_when_nothing_explains_it(
    events: list[tuple[object, ...]], complaint: str | None
) -> None:
    made = [Event("create", 0.0, 0.0, OK, "k")]
    for what, began, ended, result, *rest in events:
        walked = rest[0] if rest else ()
        key = rest[1] if len(rest) > 1 else "k"
        made.append(Event(what, began, ended, result, key, walked))  # type: ignore[arg-type]
    errors = History(made, most_keys=2).errors()
    if complaint is None:
        assert errors == []
    else:
        assert any(complaint in error for error in errors), errors
