"""The format of derived tokens: one spelling, and nothing in it that the MAC does not cover."""

from __future__ import annotations

import hmac
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgrid_auth.domain.tokens import format as token_format
from chatgrid_auth.domain.tokens.format import Token
from tests.support.tokens import CURRENT, PREVIOUS

HOME = "0123456789abcdef" * 4
SECRETS = (CURRENT, PREVIOUS)


def token(**said: object) -> Token:
    facts: dict[str, object] = {
        "home": HOME,
        "tag": "aZ-_09",
        "environment": "live",
        "scopes": ("read", "write"),
        "expires_at_ms": 1_800_000_000_123,
        **said,
    }
    return Token(**facts)  # type: ignore[arg-type]


def read(text: str, secrets: tuple[bytes, ...] = SECRETS) -> Token | None:
    parts = token_format.parts_of(text)
    return None if parts is None else token_format.read(parts, secrets)


def facts(found: Token | None) -> dict[str, object] | None:
    return None if found is None else {name: getattr(found, name) for name in Token.__slots__}


@pytest.mark.parametrize("environment", ["live", "test"])
@pytest.mark.parametrize("scopes", [("read",), ("write",), ("read", "write")])
@pytest.mark.parametrize("networks", [(), ("10.0.0.0/8", "2001:db8::/32")])
@pytest.mark.parametrize("capped", [False, True])
def test_what_is_written_into_a_token_is_read_out_of_it(
    environment: str, scopes: tuple[str, ...], networks: tuple[str, ...], *, capped: bool
) -> None:
    made = token(environment=environment, scopes=scopes, allowed_ips=networks, capped=capped)
    text = token_format.write(made, CURRENT)
    assert re.fullmatch(rf"cgt_{environment}_[0-9a-f]{{154,}}", text)
    assert facts(read(text)) == facts(made)


def test_tokens_of_either_secret_of_the_stack_are_read_alone() -> None:
    assert read(token_format.write(token(), PREVIOUS)) is not None
    assert read(token_format.write(token(), PREVIOUS), (CURRENT,)) is None
    assert read(token_format.write(token(), b"another stack's secret of enough bytes")) is None


def test_the_longest_token_that_may_be_made_is_read() -> None:
    networks = tuple(f"0:0:0:0:0:ffff:255.255.255.{at}/128" for at in range(100, 120))
    text = token_format.write(token(allowed_ips=networks), CURRENT)
    found = read(text)
    assert found is not None
    assert found.allowed_ips == networks
    assert len(text) < 8_192


def test_no_token_is_written_with_a_scope_that_none_may_have() -> None:
    with pytest.raises(KeyError):
        token_format.write(token(scopes=("admin",)), CURRENT)


def test_grants_that_this_version_does_not_know_are_none() -> None:
    """Also with a good MAC: another version of the stack may mean more by them."""
    made = token_format.parts_of(token_format.write(token(), CURRENT))
    assert made is not None
    said = bytearray(made[0])
    read_at_all = set()
    for grants in range(256):
        said[9 + 32 + 6] = grants
        mac = hmac.digest(CURRENT, bytes(said), "sha256")
        if token_format.read((bytes(said), mac), SECRETS) is not None:
            read_at_all.add(grants)
    assert read_at_all == {1, 2, 3, 5, 6, 7}


@given(st.text(max_size=200))
def test_no_text_is_too_strange_to_be_told_from_a_token(text: str) -> None:
    assert read(text) is None
    assert read("cgt_live_" + text) is None
