"""What a soak calls a broken promise."""

from __future__ import annotations

import pytest

from tests.soak.ledger import PATIENCE_SECONDS, Key, Ledger, State
from tests.support.tables.admissions import Admitted


def key(**facts: object) -> Key:
    plain: dict[str, object] = {"id": "k", "name": "n", "raw": "r", "limit": 2}
    return Key(**{**plain, **facts})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "status", "complaint"),
    [
        ({}, 200, None),
        ({}, 429, None),
        ({}, 503, None),
        ({}, 401, "is good and was answered 401"),
        ({}, 418, "was answered 418"),
        ({"state": State.REVOKING}, 200, None),
        ({"state": State.REVOKING}, 401, None),
        ({"state": State.REVOKED, "revoked_at": 1.0}, 401, None),
        ({"state": State.REVOKED, "revoked_at": 1.0}, 503, None),
        ({"state": State.REVOKED, "revoked_at": 1.0}, 200, "after its revocation"),
        ({"state": State.REVOKED, "revoked_at": 1.0}, 429, None),
        ({"state": State.REVOKED, "revoked_at": 1.0}, 403, "after its revocation"),
        ({"state": State.REVOKED, "revoked_at": 5.0}, 200, None),
    ],
)
def test_an_answer_that_a_key_must_not_get_is_noted(
    facts: dict[str, object], status: int, complaint: str | None
) -> None:
    ledger = Ledger()
    ledger.used(key(**facts), status, Admitted(2.0, 3.0), wanted=[200])
    if complaint is None:
        assert ledger.broken == []
    else:
        assert complaint in ledger.broken[0]


def test_a_window_that_was_passed_is_noted() -> None:
    ledger = Ledger()
    for number in range(3):
        ledger.used(key(), 200, Admitted(number, number + 0.5), wanted=[200])
    assert ledger.windows() == [(3, 2)]
    assert "admitted 3 times in 60 s, its limit is 2" in ledger.broken[0]


def test_an_answer_that_takes_too_long_is_noted() -> None:
    ledger = Ledger()
    ledger.answered("use", 200, seconds=PATIENCE_SECONDS)
    assert ledger.broken == []
    ledger.answered("use", 200, seconds=PATIENCE_SECONDS + 1)
    assert "took" in ledger.broken[0]
    assert ledger.requests == 2
