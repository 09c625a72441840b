"""Keys stay fresh without making callers wait, and stay at all while the provider is down."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from threading import Thread
from typing import Any

import pytest

from chatgrid_auth.adapters.jwt.jwks_cache import (
    FIRST_BACKOFF_MS,
    FLIGHT_LIFETIME_MS,
    LONGEST_BACKOFF_MS,
    SOFT_AGE_MS,
    STALE_AGE_MS,
    UNKNOWN_KEY_INTERVAL_MS,
    WAIT_SECONDS,
    JwksCache,
)
from chatgrid_auth.adapters.jwt.key_set import KeySet
from chatgrid_auth.adapters.jwt.verification_keys import VerificationKey
from chatgrid_auth.domain.errors import IdentityProviderUnavailable
from tests.support.slow_fetches import Waiting, waiting

__all__ = ["waiting"]  # a fixture

T0 = 1_800_000_000_000
HARD_AGE_MS = 3_600_000


def key(key_id: str, material: str = "m") -> VerificationKey:
    return VerificationKey(key_id=key_id, algorithm="ES256", key=b"", thumbprint=material)


class Source:
    """Brings the keys that a test names, or fails; may hold a fetch in the air."""

    def __init__(self) -> None:
        self.keys: list[VerificationKey] | None = [key("a")]
        self.fetches = 0
        self.grounded = False
        self.waiting: list[Callable[[], None]] = []
        self.withdrawals = 0

    def load(self, _now_ms: int) -> KeySet:
        self.fetches += 1
        if self.keys is None:
            raise IdentityProviderUnavailable("down")
        return KeySet(self.keys)

    def spawn(self, work: Callable[[], None]) -> None:
        if self.grounded:
            self.waiting.append(work)
        else:
            work()

    def release(self) -> None:
        while self.waiting:
            self.waiting.pop(0)()

    def withdrawn(self) -> None:
        self.withdrawals += 1

    def cache(self, **options: Any) -> JwksCache:
        return JwksCache(
            self.load,
            hard_age_ms=options.pop("hard_age_ms", HARD_AGE_MS),
            on_withdrawn=self.withdrawn,
            spawn=self.spawn,
            **{"wait_seconds": 0, **options},
        )


@pytest.fixture
def source() -> Source:
    return Source()


def test_keys_are_fetched_once_and_serve_until_their_soft_age(source: Source) -> None:
    cache = source.cache()
    first = cache.current(T0)
    assert cache.current(T0 + SOFT_AGE_MS - 1) is first
    assert source.fetches == 1


def test_past_the_soft_age_nobody_waits_and_the_next_has_new_keys(source: Source) -> None:
    cache = source.cache()
    old = cache.current(T0)
    source.grounded = True
    assert cache.current(T0 + SOFT_AGE_MS) is old
    assert cache.current(T0 + SOFT_AGE_MS + 1) is old
    assert len(source.waiting) == 1, "one fetch at a time"
    source.release()
    assert cache.current(T0 + SOFT_AGE_MS + 2) is not old


def test_a_withdrawn_key_ends_with_the_stale_age(
    source: Source,
) -> None:
    """Past it, the key is not good for even one more request."""
    cache = source.cache()
    cache.current(T0)
    source.keys = [key("b")]
    asleep_until = T0 + STALE_AGE_MS + 60_000
    assert not cache.current(asleep_until).knows("a")
    assert source.withdrawals == 1


def test_a_restored_snapshot_of_any_age_starts_with_a_fetch(source: Source) -> None:
    cache = source.cache()
    cache.current(T0)
    source.keys = [key("b")]
    a_week_later = T0 + 7 * 86_400_000
    assert cache.find("b", "ES256", now_ms=a_week_later) is not None
    assert source.fetches == 2


def test_a_snapshot_and_a_provider_that_is_down_is_an_outage(source: Source) -> None:
    cache = source.cache()
    cache.current(T0)
    source.keys = None
    with pytest.raises(IdentityProviderUnavailable):
        cache.current(T0 + 7 * 86_400_000)


def test_the_last_good_keys_serve_until_the_hard_age(
    source: Source,
) -> None:
    """While the provider is down."""
    cache = source.cache()
    good = cache.current(T0)
    source.keys = None
    for now_ms in range(T0 + SOFT_AGE_MS, T0 + HARD_AGE_MS, 1_000):
        assert cache.current(now_ms) is good
    with pytest.raises(IdentityProviderUnavailable):
        cache.current(T0 + HARD_AGE_MS)
    assert source.withdrawals == 0


def test_keys_are_back_as_soon_as_the_provider_is(source: Source) -> None:
    cache = source.cache()
    cache.current(T0)
    source.keys = None
    with pytest.raises(IdentityProviderUnavailable):
        cache.current(T0 + HARD_AGE_MS)
    source.keys = [key("a")]
    assert cache.current(T0 + HARD_AGE_MS + FIRST_BACKOFF_MS).knows("a")


def test_an_outage_that_is_over_is_forgotten(source: Source) -> None:
    cache = source.cache()
    source.keys = None
    for now_ms in range(T0, T0 + 60_000, 1_000):
        with pytest.raises(IdentityProviderUnavailable):
            cache.current(now_ms)
    source.keys = [key("a")]
    recovered = T0 + 120_000
    assert cache.find("other", "ES256", now_ms=recovered) is None, "no such key, for certain"
    source.keys = None
    with pytest.raises(IdentityProviderUnavailable):
        cache.find("other", "ES256", now_ms=recovered + UNKNOWN_KEY_INTERVAL_MS)
    source.keys = [key("a"), key("other")]
    soon = recovered + 2 * UNKNOWN_KEY_INTERVAL_MS
    assert cache.find("other", "ES256", now_ms=soon) is not None, "the back-off began anew"


def test_failures_are_spaced_out_further_and_further(source: Source) -> None:
    source.keys = None
    cache = source.cache()
    times: list[int] = []
    for now_ms in range(T0, T0 + 600_000, 500):
        before = source.fetches
        with pytest.raises(IdentityProviderUnavailable):
            cache.current(now_ms)
        if source.fetches > before:
            times.append(now_ms)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert gaps[:5] == [2_000, 4_000, 8_000, 16_000, 32_000]
    assert set(gaps[5:]) == {LONGEST_BACKOFF_MS}


def test_after_a_first_failure_nobody_waits_for_the_next_try(source: Source) -> None:
    cache = source.cache()
    good = cache.current(T0)
    source.keys = None
    cache.current(T0 + STALE_AGE_MS)
    source.grounded = True
    assert cache.current(T0 + STALE_AGE_MS + FIRST_BACKOFF_MS) is good
    assert len(source.waiting) == 1


def test_a_name_that_the_set_lacks_is_looked_up_once_more(source: Source) -> None:
    cache = source.cache()
    cache.current(T0)
    source.keys = [key("a"), key("new")]
    found = cache.find("new", "ES256", now_ms=T0 + UNKNOWN_KEY_INTERVAL_MS)
    assert found is not None
    assert source.withdrawals == 0, "a key more is not a key lost"


def test_unknown_names_cost_one_fetch_in_an_interval_however_many_come(source: Source) -> None:
    cache = source.cache()
    cache.current(T0)
    for number in range(5_000):
        now_ms = T0 + number * 10  # 50 seconds of it
        assert cache.find(f"k{number}", "ES256", now_ms=now_ms) is None
    assert source.fetches == 1 + 50_000 // UNKNOWN_KEY_INTERVAL_MS - 1


def test_a_known_name_with_another_algorithm_is_no_reason_to_fetch(source: Source) -> None:
    cache = source.cache()
    cache.current(T0)
    assert cache.find("a", "RS256", now_ms=T0 + UNKNOWN_KEY_INTERVAL_MS) is None
    assert source.fetches == 1


def test_an_unknown_name_is_an_outage_when_the_provider_cannot_be_asked(source: Source) -> None:
    cache = source.cache()
    cache.current(T0)
    source.keys = None
    with pytest.raises(IdentityProviderUnavailable):
        cache.find("new", "ES256", now_ms=T0 + UNKNOWN_KEY_INTERVAL_MS)
    with pytest.raises(IdentityProviderUnavailable):
        cache.find("other", "ES256", now_ms=T0 + UNKNOWN_KEY_INTERVAL_MS + 1)
    assert cache.find("a", "ES256", now_ms=T0 + UNKNOWN_KEY_INTERVAL_MS + 2) is not None


def test_an_unknown_name_is_an_outage_while_the_answer_is_awaited(source: Source) -> None:
    cache = source.cache()
    cache.current(T0)
    source.grounded = True
    with pytest.raises(IdentityProviderUnavailable):
        cache.find("new", "ES256", now_ms=T0 + UNKNOWN_KEY_INTERVAL_MS)


def test_one_look_up_waits_no_longer_for_two_fetches_than_for_one(
    source: Source, waiting: Waiting
) -> None:
    cache = source.cache(wait_seconds=WAIT_SECONDS, monotonic=waiting.monotonic)
    cache.current(T0)
    source.grounded = True
    now_ms = T0 + STALE_AGE_MS
    cache.current(now_ms - 1)

    def fails_and_another_request_starts_the_next(_longest: float) -> float:
        waiting.meanwhile = lambda longest: longest
        source.keys = None
        source.release()
        cache.current(now_ms + FIRST_BACKOFF_MS)
        assert len(source.waiting) == 1
        return 2.0

    waiting.meanwhile = fails_and_another_request_starts_the_next
    with pytest.raises(IdentityProviderUnavailable):
        cache.find("new", "ES256", now_ms=now_ms)
    assert waiting.seconds == WAIT_SECONDS


def test_a_set_without_keys_is_an_answer(source: Source) -> None:
    source.keys = []
    cache = source.cache()
    assert cache.find("a", "ES256", now_ms=T0) is None
    assert source.fetches == 1


def test_replacing_a_keys_material_counts_as_withdrawing_it(source: Source) -> None:
    cache = source.cache()
    cache.current(T0)
    source.keys = [key("a", "other material")]
    cache.current(T0 + STALE_AGE_MS)
    assert source.withdrawals == 1


def test_a_withdrawn_keys_tokens_are_forgotten_before_new_keys_are_out(
    source: Source,
) -> None:
    loaded_at_ms: list[int] = []
    cache = JwksCache(
        source.load,
        hard_age_ms=HARD_AGE_MS,
        on_withdrawn=lambda: loaded_at_ms.append(cache.loaded_at_ms),
        spawn=source.spawn,
    )
    cache.current(T0)
    source.keys = [key("b")]
    assert cache.current(T0 + STALE_AGE_MS).knows("b")
    assert loaded_at_ms == [T0], "the keys of which moment were out when it was to be forgotten"


def test_a_withdrawn_key_verifies_nothing_from_when_its_tokens_are_forgotten(
    source: Source,
) -> None:
    # What it verified from then on would be remembered, with nobody left to make it forgotten.
    now_ms = T0 + UNKNOWN_KEY_INTERVAL_MS
    found: list[VerificationKey | None] = []
    reader = Thread(
        target=lambda: found.append(cache.find("a", "ES256", now_ms=now_ms)), daemon=True
    )

    def withdrawn() -> None:
        reader.start()
        reader.join(0.1)  # time enough to find the old key, if there is a way to it

    cache = JwksCache(
        source.load, hard_age_ms=HARD_AGE_MS, on_withdrawn=withdrawn, spawn=source.spawn
    )
    assert cache.find("a", "ES256", now_ms=T0) is not None
    source.keys = [key("b")]
    assert cache.find("b", "ES256", now_ms=now_ms) is not None
    reader.join(5)
    assert found == [None]


def test_keys_that_stay_are_not_reported_as_withdrawn(source: Source) -> None:
    cache = source.cache()
    cache.current(T0)
    cache.current(T0 + STALE_AGE_MS)
    assert (source.fetches, source.withdrawals) == (2, 0)


def test_a_fetch_that_was_frozen_with_its_container_is_given_up(source: Source) -> None:
    cache = source.cache()
    cache.current(T0)
    source.grounded = True
    cache.current(T0 + SOFT_AGE_MS)
    frozen = source.waiting.pop()
    thawed = T0 + SOFT_AGE_MS + FLIGHT_LIFETIME_MS
    source.grounded = False
    source.keys = [key("b")]
    assert cache.current(thawed).knows("b")
    source.keys = [key("a")]
    frozen()
    assert cache.current(thawed + 1).knows("b"), "what it brings after all is too old to count"


def test_a_short_hard_age_shortens_the_others(source: Source) -> None:
    cache = source.cache(hard_age_ms=60_000)
    cache.current(T0)
    cache.current(T0 + 30_000)
    assert source.fetches == 2
    source.keys = None
    with pytest.raises(IdentityProviderUnavailable):
        cache.current(T0 + 90_000)


def test_no_thread_to_be_had_counts_as_a_failure(source: Source) -> None:
    def refuse(_work: Callable[[], None]) -> None:
        raise RuntimeError("can't start new thread")

    cache = JwksCache(
        source.load, hard_age_ms=HARD_AGE_MS, on_withdrawn=source.withdrawn, spawn=refuse
    )
    with pytest.raises(IdentityProviderUnavailable):
        cache.current(T0)


def test_an_unexpected_exception_of_a_fetch_counts_as_a_failure(source: Source) -> None:
    def broken(_now_ms: int) -> KeySet:
        raise ZeroDivisionError

    cache = JwksCache(
        broken, hard_age_ms=HARD_AGE_MS, on_withdrawn=source.withdrawn, spawn=source.spawn
    )
    with pytest.raises(IdentityProviderUnavailable):
        cache.current(T0)
