"""The memory is bounded, and what was put on an old generation is forgotten."""

from __future__ import annotations

from threading import Thread

from chatgrid_auth.adapters.jwt.token_cache import TokenCache


def test_the_oldest_entry_makes_room_for_the_newest() -> None:
    memory: TokenCache[int] = TokenCache(3)
    for number in range(1_000):
        memory.put(memory.generation, str(number).encode(), number)
        assert len(memory.generation) <= 3
    assert list(memory.generation.values()) == [997, 998, 999]


def test_putting_an_entry_again_makes_it_the_newest() -> None:
    memory: TokenCache[int] = TokenCache(2)
    for name in (b"a", b"b", b"a", b"c"):
        memory.put(memory.generation, name, 0)
    assert set(memory.generation) == {b"a", b"c"}


def test_forgetting_empties_it_at_once() -> None:
    memory: TokenCache[int] = TokenCache()
    memory.put(memory.generation, b"a", 1)
    memory.forget_all()
    assert not memory.generation


def test_what_is_put_on_a_shelf_taken_before_is_not_found_after() -> None:
    memory: TokenCache[int] = TokenCache()
    generation = memory.generation
    memory.forget_all()
    memory.put(generation, b"a", 1)
    assert b"a" not in memory.generation


def test_forgetting_waits_for_nobody_who_is_putting_something_there() -> None:
    memory: TokenCache[int] = TokenCache()
    memory.put(memory.generation, b"a", 1)
    forgetting = Thread(target=memory.forget_all, daemon=True)
    with memory._lock:
        forgetting.start()
        forgetting.join(5)
        assert not forgetting.is_alive()
    assert not memory.generation
