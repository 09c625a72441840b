"""The time of a refusal does not tell how near a guess came to a key."""

from __future__ import annotations

import os
import statistics
import time

from chatgrid_auth.domain.keys import generate
from chatgrid_authorizer.response import respond
from tests.support.memory.gate import World
from tests.unit.authorizer.test_event import request_event

_ROUNDS = 2_000


def with_checksum(first: str) -> str:
    """A well-formed key that begins like another and is none."""
    given = iter([first[9:29].encode(), os.urandom(64)])
    alphabet = "0123456789abcdefghijklmnopqrstuvwxyz"

    def entropy(_: int) -> bytes:
        part = next(given)
        return bytes(alphabet.index(chr(byte)) for byte in part) if part.isascii() else part

    return generate("live", entropy=entropy)


def seconds(world: World, credential: str) -> float:
    """How long the refusal of a credential took that was never seen."""
    event = request_event(multiValueHeaders={"Authorization": [f"Bearer {credential}"]})
    started = time.perf_counter()
    given = respond(event, gate=world.gate)
    taken = time.perf_counter() - started
    assert given["context"]["reason"] == "unknown"
    return taken


def test_a_near_miss_is_refused_in_the_time_of_any_other_guess() -> None:
    world = World(failed_attempts_per_minute=30)
    key = world.keys["read"]
    assert with_checksum(key)[:29] == key[:29]
    near, far = [], []
    for _ in range(_ROUNDS):  # in turn, so that both meet the same machine
        near.append(seconds(world, with_checksum(key)))
        far.append(seconds(world, generate("live", entropy=os.urandom)))
    assert 0.8 < statistics.median(near) / statistics.median(far) < 1.25
