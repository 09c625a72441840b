"""What a soak calls a broken promise."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.domain.keys import hash_of, tag_of
from tests.soak.checks import of_secrets
from tests.soak.ledger import PATIENCE_SECONDS, Key, Ledger, Limit, Secret, State
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


@pytest.mark.parametrize(
    ("change", "status", "complaint"),
    [
        ({"enabled": False}, 200, "disabled or by a secret that ended"),
        ({"enabled": False}, 401, None),
        ({"sure_from": 2.1}, 401, None),  # enabled again, and its refusals are still remembered
        ({"sure_from": 1.9}, 401, "is good and was answered 401"),
        ({"enabled": None}, 200, None),
        ({"enabled": None}, 401, None),
        ({"turn": 1}, 401, None),  # a change is on its way
        ({"secrets": [Secret("r", passes=False)]}, 200, "disabled or by a secret that ended"),
        ({"secrets": [Secret("r", passes=None)]}, 200, None),
        ({"secrets": [Secret("r", sure_until=5.0, over_by=6.0)]}, 401, "is good"),
        ({"secrets": [Secret("r", sure_until=2.5, over_by=6.0)]}, 401, None),
        ({"secrets": [Secret("r", sure_until=1.0, over_by=1.5)]}, 200, "disabled or by a secret"),
    ],
)
def test_an_answer_is_judged_by_what_was_known_of_key_and_secret(
    change: dict[str, object], status: int, complaint: str | None
) -> None:
    ledger = Ledger()
    ledger.used(key(**change), status, Admitted(2.0, 3.0), wanted=[200])
    assert len(ledger.broken) == (complaint is not None)
    assert complaint is None or complaint in ledger.broken[0]


def test_a_key_that_changed_since_a_request_was_sent_is_not_judged() -> None:
    ledger, changed = Ledger(), key()
    sight = changed.sight()
    changed.turn, changed.enabled = 2, False
    ledger.used(changed, 200, Admitted(2.0, 3.0), wanted=[200], sight=sight)
    assert ledger.broken == []


def test_a_window_is_judged_by_the_highest_limit_that_may_have_held() -> None:
    limited = key(limit=10)
    limited.limits += [Limit(2, 100.0, 101.0), Limit(5, 300.0, None), Limit(1, 500.0, 501.0)]
    assert limited.highest_limit(0.0, 60.0) == 10
    assert limited.highest_limit(90.0, 150.0) == 10
    assert limited.highest_limit(102.0, 162.0) == 2
    assert limited.highest_limit(290.0, 350.0) == 5  # nobody knows whether it came to hold
    assert limited.highest_limit(502.0, 562.0) == 1


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


def home(key_id: str, *secrets: str, until_ms: int) -> dict[str, Any]:
    passing = {items.until(tag_of(hash_of(raw))): {"N": str(until_ms)} for raw in secrets}
    place = {"pk": {"S": "KEY#h"}, "sk": {"S": items.CREDENTIAL}}
    return {**place, items.KEY_ID: {"B": UUID(key_id).bytes}, **passing}


@pytest.mark.parametrize(
    ("secrets", "complaint"),
    [
        (("old", "new"), None),
        (("new",), "has lost a secret"),
        (("old", "new", "other"), "nobody was given"),
        (("gone", "old", "new"), "has ended"),
    ],
)
def test_a_secret_too_many_or_too_few_is_found(
    secrets: tuple[str, ...], complaint: str | None
) -> None:
    key_id = str(UUID(int=7))
    given = [Secret("gone", passes=False), Secret("old"), Secret("new")]
    found = list(
        of_secrets([home(key_id, *secrets, until_ms=1 << 60)], [key(id=key_id, secrets=given)])
    )
    assert len(found) == (complaint is not None)
    assert complaint is None or complaint in found[0]
