"""The key format: what is a key, and what can be told without asking anybody."""

from __future__ import annotations

import os
import re
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgrid_auth.domain import keys


def key(environment: str = "live", *, seed: bytes = b"seed") -> str:
    stream = iter(range(10_000))
    return keys.generate(
        environment, entropy=lambda n: sha256(seed + next(stream).to_bytes(4)).digest()[:n]
    )


@pytest.mark.parametrize("environment", keys.ENVIRONMENTS)
def test_a_key_has_the_form_that_clients_and_scanners_rely_on(environment: str) -> None:
    raw = keys.generate(environment, entropy=os.urandom)
    assert re.fullmatch(rf"cgk_{environment}_[0-9a-z]{{32}}", raw)
    assert keys.is_well_formed(raw)
    assert keys.environment_of(raw) == environment
    assert keys.prefix_of(raw) == raw[:13]


@pytest.mark.parametrize("environment", keys.ENVIRONMENTS)
def test_a_publishable_key_differs_by_its_prefix_and_its_checksum(environment: str) -> None:
    raw = keys.generate(environment, entropy=os.urandom, kind=keys.PUBLISHABLE)
    assert re.fullmatch(rf"cgp_{environment}_[0-9a-z]{{32}}", raw)
    assert keys.is_well_formed(raw)
    assert keys.environment_of(raw) == environment
    assert not keys.is_well_formed("cgk_" + raw[4:])
    assert not keys.is_well_formed("cgp_" + key(environment)[4:])


def test_only_live_and_test_keys_are_made() -> None:
    with pytest.raises(ValueError, match="live or test"):
        keys.generate("prod", entropy=os.urandom)


def test_a_key_is_known_by_its_sha_256() -> None:
    raw = key()
    assert keys.hash_of(raw) == sha256(raw.encode()).hexdigest()


@given(st.integers(0, keys.KEY_LENGTH - 1), st.sampled_from(keys.ALPHABET + "_-A "))
def test_every_single_mistyped_character_is_noticed(position: int, typed: str) -> None:
    raw = key()
    mistyped = raw[:position] + typed + raw[position + 1 :]
    assert keys.is_well_formed(mistyped) == (mistyped == raw)


@given(st.integers(9, keys.KEY_LENGTH - 2))
def test_two_neighbours_exchanged_are_noticed(position: int) -> None:
    raw = key()
    swapped = raw[:position] + raw[position + 1] + raw[position] + raw[position + 2 :]
    assert keys.is_well_formed(swapped) == (swapped == raw)


def test_a_live_key_relabelled_test_is_refused() -> None:
    assert not keys.is_well_formed(key("live").replace("live", "test"))


def test_the_documented_example_is_no_key() -> None:
    # It stands in documents everywhere, so it must never be accepted anywhere.
    assert not keys.is_well_formed("cgk_live_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6")


@given(st.text(max_size=60))
def test_no_text_is_too_strange_to_be_judged(text: str) -> None:
    assert not keys.is_well_formed(text)


@pytest.mark.parametrize("digit", ["\u0661", "\uff11", "\u00b2", "\U0001d7d9", "\u0430", "\uff41"])
def test_digits_and_letters_of_other_scripts_are_not_part_of_the_alphabet(digit: str) -> None:
    raw = key()
    for position in (9, 20, keys.KEY_LENGTH - 1):
        assert not keys.is_well_formed(raw[:position] + digit + raw[position + 1 :])


@pytest.mark.parametrize("wrapped", ["{}\n", " {}", "{}\0", "+{}", "{}{}"])
def test_nothing_may_stand_around_a_key(wrapped: str) -> None:
    assert not keys.is_well_formed(wrapped.replace("{}", key()))


def test_the_checksum_is_read_as_digits_only() -> None:
    # int() takes signs, spaces and underscores; a checksum has none.
    raw = key()
    for disguised in (f"+{raw[-6:]}", f"_{raw[-6:]}", f" {raw[-6:]}", f"{raw[-7:-1]}_"):
        assert not keys.is_well_formed(raw[:-7] + disguised)


def test_each_character_of_the_alphabet_is_equally_likely() -> None:
    # Every byte value once: the 252 unbiased ones give each of 36 characters exactly 7 times.
    feed = iter(bytes(range(256)) * 40)
    counted: dict[str, int] = {}
    for _ in range(252 * 4 // keys.RANDOM_LENGTH):
        raw = keys.generate("live", entropy=lambda n: bytes(next(feed) for _ in range(n)))
        for character in raw[9:-7]:
            counted[character] = counted.get(character, 0) + 1
    assert set(counted) == set(keys.ALPHABET)
    assert keys._UNBIASED_BELOW == 252
