"""Key management under every fault: it tells the truth in time, and keeps its books."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.bench import Bench, Given, alarms_may_be_dropped
from tests.support.http_api import Reply
from tests.support.servers.proxy import FAULTS, PASS, Fault, times

pytestmark = alarms_may_be_dropped

#: What a client gets over in its own time: the answer is late, and right.
OVERCOME = {"latency of 0.3 s"}

each_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda fault: fault.name)


@each_fault
def test_while_the_store_is_out_every_answer_is_a_503_in_time(bench: Bench, fault: Fault) -> None:
    doomed, kept = bench.given(bench.create()), bench.given(bench.create())
    asks: list[Callable[[], Reply]] = [
        bench.create,
        lambda: bench.revoke(doomed.id),
        lambda: bench.get(kept.id),
        bench.listed,
    ]
    bench.proxy.plan = lambda _: fault
    answers = [ask() for ask in asks]
    if fault.name in OVERCOME:
        assert [answer.status for answer in answers] == [201, 200, 200, 200]
        bench.assert_books(good=[bench.given(answers[0]), kept], revoked=[doomed])
    else:
        assert [answer.status for answer in answers] == [503] * 4
        # A revocation that was not answered may have been made, or not.
        bench.assert_books(good=[kept], revoked=[], maybe=2)


@each_fault
def test_a_write_that_meets_a_fault_is_made_once_or_answered_503(
    bench: Bench, fault: Fault
) -> None:
    doomed, kept = bench.given(bench.create()), bench.given(bench.create())
    good: list[Given] = [kept]
    revoked: list[Given] = []
    bench.proxy.plan = times(fault, 1, only="TransactWriteItems")
    created = bench.create()
    if created.status == 201:
        good.append(bench.given(created))
    else:
        assert created.status == 503
    bench.proxy.plan = times(fault, 1, only="TransactWriteItems")
    answered = bench.revoke(doomed.id)
    assert answered.status == 200, "a fault of the books is none of its revocation"
    revoked.append(doomed)
    doomed = bench.given(bench.create())
    bench.proxy.plan = times(fault, 1, only="UpdateItem")
    answered = bench.revoke(doomed.id)
    if answered.status == 200:
        revoked.append(doomed)
    else:
        assert answered.status == 503
        assert bench.proxy.asked["UpdateItem"] > 0
    bench.assert_books(good=good, revoked=revoked, maybe=3 - len(revoked))


def test_a_revocation_whose_answer_was_lost_can_be_asked_for_again(bench: Bench) -> None:
    key = bench.given(bench.create())
    # Both tries of the write that is the revocation; the note of it on the record went before.
    lost = times(FAULTS["hang after"], 2, only="UpdateItem")
    bench.proxy.plan = lambda asked: lost(asked) if b'"sk":{"S":"#"}' in asked.body else PASS
    assert bench.revoke(key.id).status == 503
    assert bench.revoke(key.id).status == 404, "it was made, and is final"
    bench.assert_books(good=[], revoked=[key])


def test_a_page_from_elsewhere_is_never_taken_for_the_stores_consent(bench: Bench) -> None:
    bench.proxy.plan = lambda _: FAULTS["nonsense before"]
    created = bench.create()
    assert created.status == 503
    assert "raw_key" not in created.text
    bench.assert_books(good=[], revoked=[])


def test_an_empty_answer_is_never_taken_for_the_absence_of_a_key(bench: Bench) -> None:
    key = bench.given(bench.create())
    bench.proxy.plan = lambda _: FAULTS["empty answer"]
    assert bench.get(key.id).status == 503
    assert bench.revoke(key.id).status == 503
    bench.assert_books(good=[key], revoked=[])
