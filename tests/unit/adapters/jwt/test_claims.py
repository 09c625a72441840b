"""The edges of what claims may say: moments, audiences, addresses."""

from __future__ import annotations

from typing import Any

import pytest

from chatgrid_auth.adapters.jwt.claims import ClaimRules, TokenClaims
from tests.support.jwt_material import AUDIENCE, ISSUER, NOW_MS, NOW_S
from tests.vectors.jwt.forge import USER

GOOD = {"iss": ISSUER, "aud": AUDIENCE, "sub": USER, "role": "authenticated", "exp": NOW_S + 60}


def accepted(
    claims: dict[str, Any], *, now_ms: int = NOW_MS, leeway: int = 5
) -> TokenClaims | None:
    rules = ClaimRules(
        issuer=ISSUER, audience=AUDIENCE, leeway_seconds=leeway, accept_anonymous=False
    )
    return rules.accept({**GOOD, **claims}, now_ms=now_ms)


@pytest.mark.parametrize(("leeway", "last_ms"), [(5, 64_999), (0, 59_999)])
def test_a_token_is_good_up_to_its_expiry_plus_the_leeway(leeway: int, last_ms: int) -> None:
    assert accepted({}, now_ms=NOW_MS + last_ms, leeway=leeway) is not None
    assert accepted({}, now_ms=NOW_MS + last_ms + 1, leeway=leeway) is None


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_a_token_is_good_from_its_start_less_the_leeway(claim: str) -> None:
    assert accepted({claim: NOW_S + 5}) is not None
    assert accepted({claim: NOW_S + 5}, now_ms=NOW_MS - 1) is None


def test_the_last_moment_is_the_end_of_the_year_9999() -> None:
    assert accepted({"exp": 253_402_300_799}) is not None
    assert accepted({"exp": 253_402_300_800}) is None


@pytest.mark.parametrize(
    ("email", "known"),
    [
        ("kim@example.org", "kim@example.org"),
        ("k\u00efm@ex\u00e4mple.org", "k\u00efm@ex\u00e4mple.org"),
        ("", None),
        (None, None),
        (["kim@example.org"], None),
        ("kim@example.org\r\nX-Admin: 1", None),
        ("kim\ud800@example.org", None),
        ("kim\0@example.org", None),
        ("k" * 321, None),
    ],
)
def test_an_address_is_passed_on_only_when_it_is_printable(email: object, known: object) -> None:
    claims = accepted({"email": email})
    assert claims is not None
    assert claims.email == known
