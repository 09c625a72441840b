"""The time of a refusal tells nothing: neither how near a guess came, nor what it has met.

Pairs are taken in turn, each first in every other one, so that both kinds meet the same machine;
what is held are the ratio of their medians, and how often one of a pair took longer.
"""

from __future__ import annotations

import os
import statistics
import time
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.domain.keys import generate, hash_of
from chatgrid_authorizer.response import respond
from tests.support.memory.gate import World
from tests.unit.authorizer.test_event import request_event
from tests.unit.leaks.conftest import World as Leaks

if TYPE_CHECKING:
    from collections.abc import Callable

_ROUNDS = 800
_REPORTS = 200


def compared(
    one: Callable[[], float], other: Callable[[], float], *, rounds: int = _ROUNDS
) -> tuple[float, float]:
    """The first's median by the second's, and the share of pairs in which the first took longer."""
    ones, others = [], []
    for number in range(rounds):
        if number % 2:
            ones.append(one())
            others.append(other())
        else:
            others.append(other())
            ones.append(one())
    longer = sum(a > b for a, b in zip(ones, others, strict=True)) / rounds
    return statistics.median(ones) / statistics.median(others), longer


def three_sets(
    one: Callable[[], float], other: Callable[[], float], *, rounds: int = _ROUNDS
) -> list[tuple[float, float]]:
    """Other work on the machine is in one of them; a difference is in all."""
    sets = [compared(one, other, rounds=rounds) for _ in range(3)]
    print(", ".join(f"{ratio:.2f}, longer in {longer:.0%}" for ratio, longer in sets))
    return sets


def assert_alike(
    one: Callable[[], float], other: Callable[[], float], *, rounds: int = _ROUNDS
) -> None:
    sets = three_sets(one, other, rounds=rounds)
    assert any(0.8 < ratio < 1.25 and 0.35 < longer < 0.65 for ratio, longer in sets), sets


def with_checksum(first: str) -> str:
    """A well-formed key that begins like another and is none."""
    given = iter([first[9:29].encode(), os.urandom(64)])
    alphabet = "0123456789abcdefghijklmnopqrstuvwxyz"

    def entropy(_: int) -> bytes:
        part = next(given)
        return bytes(alphabet.index(chr(byte)) for byte in part) if part.isascii() else part

    return generate("live", entropy=entropy)


def new_key() -> str:
    return generate("live", entropy=os.urandom)


def seconds(world: World, credential: str, reason: str = "unknown") -> float:
    """How long the refusal of a credential took that was never seen."""
    event = request_event(multiValueHeaders={"Authorization": [f"Bearer {credential}"]})
    started = time.perf_counter()
    given = respond(event, gate=world.gate)
    taken = time.perf_counter() - started
    assert given["context"]["reason"] == reason
    return taken


def test_a_near_miss_is_refused_in_the_time_of_any_other_guess() -> None:
    world = World(failed_attempts_per_minute=30)
    key = world.keys["read"]
    assert with_checksum(key)[:29] == key[:29]
    # Both are made by the same work, which the time behind it depends on.
    other = new_key()
    assert_alike(
        lambda: seconds(world, with_checksum(key)), lambda: seconds(world, with_checksum(other))
    )


def test_a_canary_is_refused_in_the_time_of_an_unknown_key() -> None:
    """Within what reading its item takes; DynamoDB is asked as often, and not asked here."""
    world = World(failed_attempts_per_minute=30)

    def canary() -> float:
        trap: dict[str, Any] = {items.TRAP: items.n(1), items.LEVEL: None}
        raw = world.key(scopes=["read"], **trap)
        before = world.store.requests
        taken = seconds(world, raw, "canary")
        assert world.store.requests == before + 1
        return taken

    def unknown() -> float:
        world.key(scopes=["read"])  # as much work for the store in memory
        before = world.store.requests
        taken = seconds(world, new_key())
        assert world.store.requests == before + 1
        return taken

    assert min(ratio for ratio, _ in three_sets(canary, unknown)) < 1.5


def test_a_report_of_a_known_key_takes_no_other_time() -> None:
    world = Leaks()
    known = new_key()
    world.keys.ours[hash_of(known)] = True

    def report(raw: str) -> float:
        started = time.perf_counter()
        reply = world.report({"credentials": [raw]})
        taken = time.perf_counter() - started
        assert reply.status == 202
        return taken

    for _ in range(20):
        report(new_key())
    assert_alike(lambda: report(known), lambda: report(new_key()), rounds=_REPORTS)
    assert world.keys.asked == 0, "no store was asked before any response"
