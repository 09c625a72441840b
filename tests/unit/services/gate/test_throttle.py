"""An address that keeps failing is throttled, its neighbours are not, and memory is bounded."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgrid_auth.services.gate.throttle import MINUTE_MS, Throttle, network_of

if TYPE_CHECKING:
    from chatgrid_auth.services.gate.refusals import Refusal

NO = cast("Refusal", "no")
ADDRESS, NEIGHBOUR = "192.0.2.1", "192.0.2.2"


def failed(throttle: Throttle, times: int, *, address: str = ADDRESS, now_ms: int = 0) -> None:
    for _ in range(times):
        throttle.count(address, now_ms=now_ms)


def test_an_address_is_over_its_limit_for_its_minute() -> None:
    """From the failure that reaches the limit on."""
    throttle = Throttle(per_minute=3)
    failed(throttle, 2)
    assert not throttle.is_over(ADDRESS, now_ms=0)
    failed(throttle, 1, now_ms=MINUTE_MS - 1)
    assert throttle.is_over(ADDRESS, now_ms=MINUTE_MS - 1)
    assert not throttle.is_over(ADDRESS, now_ms=MINUTE_MS)
    assert not throttle.is_over(NEIGHBOUR, now_ms=MINUTE_MS - 1)


def test_failures_are_remembered_only_for_the_address_that_is_over() -> None:
    throttle = Throttle(per_minute=1)
    assert not throttle.remember(ADDRESS, "hash", NO, now_ms=0)
    failed(throttle, 1)
    assert throttle.remember(ADDRESS, "hash", NO, now_ms=0)
    assert throttle.recall(ADDRESS, "hash", now_ms=MINUTE_MS - 1) is NO
    assert throttle.recall(ADDRESS, "other", now_ms=0) is None
    assert throttle.recall(NEIGHBOUR, "hash", now_ms=0) is None
    assert throttle.recall(ADDRESS, "hash", now_ms=MINUTE_MS) is None


def test_zero_turns_it_off() -> None:
    throttle = Throttle(per_minute=0)
    failed(throttle, 1_000)
    assert not throttle.is_over(ADDRESS, now_ms=0)
    assert not throttle.remember(ADDRESS, "hash", NO, now_ms=0)


@pytest.mark.parametrize("address", ["", "x" * 46])
def test_what_is_no_address_is_not_counted(address: str) -> None:
    throttle = Throttle(per_minute=1)
    failed(throttle, 5, address=address)
    assert not throttle.is_over(address, now_ms=0)


def test_a_million_addresses_are_counted_in_bounded_memory() -> None:
    throttle = Throttle(per_minute=1, addresses=16, credentials=16)
    for number in range(100_000):
        failed(throttle, 1, address=f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        throttle.remember("10.0.0.0", str(number), NO, now_ms=0)
    assert len(throttle._counts) == 16
    assert len(throttle._failed._entries) <= 16
    assert sys.getsizeof(throttle._counts) < 4_096


def test_an_address_that_keeps_failing_is_not_forgotten() -> None:
    throttle = Throttle(per_minute=2, addresses=2)
    for number in range(100):
        failed(throttle, 1)
        failed(throttle, 1, address=f"10.0.0.{number}")
    assert throttle.is_over(ADDRESS, now_ms=0)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2"),
        ("2001:db8:1:2::9", "2001:db8:1:2"),
        ("2001:db8::9", "2001:db8:0:0"),
        ("::1", "0:0:0:0"),
        ("2001:db8:1:2::", "2001:db8:1:2"),
        ("2001::1:2:3:4:5:6", "2001:0:1:2"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2::192.0.2.1", "2001:db8:1:2"),
    ],
)
def test_the_addresses_of_one_ipv6_network_count_as_one(address: str, network: str) -> None:
    assert network_of(address) == network


@given(st.text(max_size=60))
def test_no_text_makes_it_fail(address: str) -> None:
    assert isinstance(network_of(address), str)
    throttle = Throttle(per_minute=1)
    failed(throttle, 2, address=address)
    throttle.remember(address, "hash", NO, now_ms=0)
    throttle.recall(address, "hash", now_ms=0)
