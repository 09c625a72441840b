"""The memory of refusals is bounded, and ends when it must."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from chatgrid_auth.domain.limits import window
from chatgrid_auth.domain.rules.policy import read_rules
from chatgrid_auth.services.gate.refusals import Refusals, UsedUp
from chatgrid_auth.services.gate.requests import Request

if TYPE_CHECKING:
    from chatgrid_auth.services.gate.refusals import Refusal


def refusal(name: str) -> Refusal:
    return cast("Refusal", name)


def test_no_refusal_is_recalled_five_seconds_after_it_was_asked_for() -> None:
    memory, no = Refusals(capacity=4), refusal("no")
    memory.remember("a", no, asked_ms=1_000, until_ms=60_000)
    memory.remember("b", no, asked_ms=1_000)
    assert memory.recall("a", now_ms=5_999) is memory.recall("b", now_ms=5_999) is no
    assert memory.recall("a", now_ms=6_000) is memory.recall("b", now_ms=6_000) is None


def test_on_a_clock_that_was_set_back_nothing_is_recalled() -> None:
    memory = Refusals(capacity=4)
    memory.remember("a", refusal("no"), asked_ms=1_000_000)
    assert memory.recall("a", now_ms=999_999) is None
    assert memory.recall("a", now_ms=1_000_000) is None, "what has ended must not come back"


def test_a_refusal_is_recalled_until_its_moment_and_not_at_it() -> None:
    memory, no = Refusals(capacity=4), refusal("no")
    memory.remember("a", no, asked_ms=0, until_ms=100)
    assert memory.recall("a", now_ms=99) is no
    assert memory.recall("a", now_ms=100) is None
    assert memory.recall("a", now_ms=99) is None, "what has ended must not come back"


def test_a_newer_refusal_takes_the_place_of_an_older_one() -> None:
    memory, newer = Refusals(capacity=4), refusal("newer")
    memory.remember("a", refusal("older"), asked_ms=0, until_ms=100)
    memory.remember("a", newer, asked_ms=0, until_ms=50)
    assert memory.recall("a", now_ms=10) is newer
    assert memory.recall("a", now_ms=60) is None


def test_however_many_are_refused_only_the_newest_are_remembered() -> None:
    memory = Refusals(capacity=3)
    for number in range(10_000):
        memory.remember(str(number), refusal("no"), asked_ms=0)
    kept = [n for n in range(10_000) if memory.recall(str(n), now_ms=0) is not None]
    assert kept == [9_997, 9_998, 9_999]


def test_an_unknown_name_is_not_refused() -> None:
    assert Refusals(capacity=1).recall("a", now_ms=0) is None


RULES = read_rules(allowed_ips="192.0.2.1", allowed_origins="https://a.example", granted="a:write")
GOOD = {"source": "192.0.2.1", "origin": "https://a.example", "permission": "a:write"}


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (("source", "origin", "scope", "permission"), "Source address not allowed"),
        (("origin", "scope", "permission"), "Origin not allowed"),
        (("scope", "permission"), "Missing required scope: write"),
        (("permission",), "Missing required permission: b:write"),
        ((), "limited"),
    ],
)
def test_what_stands_first_in_the_order_of_refusals_answers(
    broken: tuple[str, ...], message: str
) -> None:
    """Also out of memory, before a limit that is used up."""
    bad = {"source": "192.0.2.2", "origin": "null", "permission": "b:write"}
    asked: dict[str, Any] = {**GOOD, **{name: bad[name] for name in broken if name != "scope"}}
    scopes = ("read",) if "scope" in broken else ("read", "write")
    item = {**window.fresh(1), "lim": {"N": "1"}}
    state = window.read(item, now_ms=0, limit=1)
    used_up = UsedUp(state, scopes, "tier", user_id="u", rules=RULES)
    verdict = used_up.verdict(Request("write", **asked), now_ms=0)
    assert getattr(verdict, "message", "limited") == message
