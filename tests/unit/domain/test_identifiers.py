"""Identifiers: their order is the order of creation."""

from __future__ import annotations

import os
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from chatgrid_auth.domain.identifiers import is_uuid, uuid7

_INSTANT = st.integers(0, (1 << 48) - 1)


@given(_INSTANT, _INSTANT)
def test_a_later_millisecond_sorts_later(one_ms: int, other_ms: int) -> None:
    one = uuid7(now_ms=one_ms, entropy=os.urandom)
    other = uuid7(now_ms=other_ms, entropy=os.urandom)
    if one_ms != other_ms:
        assert (one < other) == (one_ms < other_ms)


@given(_INSTANT, st.binary(min_size=10, max_size=10))
def test_it_is_a_version_7_uuid_of_rfc_9562(now_ms: int, random: bytes) -> None:
    made = UUID(uuid7(now_ms=now_ms, entropy=lambda n: random[:n]))
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert made.int >> 80 == now_ms


def test_all_74_random_bits_are_used() -> None:
    made = {
        uuid7(now_ms=1, entropy=lambda n, bit=bit: (1 << bit).to_bytes(n))  # type: ignore[misc]
        for bit in range(74)
    }
    assert len(made) == 74


def test_only_the_canonical_form_is_a_uuid() -> None:
    good = uuid7(now_ms=1, entropy=os.urandom)
    assert is_uuid(good)
    for bad in (
        good.upper() + "A",
        good[:-1],
        good + "\n",
        "{" + good + "}",
        good.replace("-", ""),
    ):
        assert not is_uuid(bad)
