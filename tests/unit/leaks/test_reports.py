"""Whoever reports a leak is told that it has come, and nothing else."""

from __future__ import annotations

import os
from typing import Any

import pytest

from chatgrid_auth.domain import keys
from tests.support.http_api import Api, key_caller, proxy_event
from tests.unit.leaks.conftest import World


def new_key() -> str:
    return keys.generate("live", entropy=os.urandom)


@pytest.mark.parametrize(
    "strings", [[""], ["x"], ["cgk_live_nothing"], ["é" * 300], ["a"] * 100], ids=len
)
def test_a_report_is_accepted_whatever_its_strings_are(world: World, strings: list[str]) -> None:
    reply = world.report({"credentials": strings})
    assert reply.status == 202
    assert reply.json == {"object": "leak_report", "data": {"received": len(strings)}}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"credentials": []},
        {"credentials": ["a"] * 101},
        {"credentials": "a"},
        {"credentials": [1]},
        {"credentials": ["a"], "url": "x"},
        "[]",
        "no json",
    ],
    ids=str,
)
def test_what_is_no_report_is_refused_and_left_nowhere(world: World, body: Any) -> None:
    reply = world.report(body)
    assert reply.problem() == (400, "validation_error", "Invalid request body")
    assert world.queue.reports == []


def test_known_and_made_up_keys_get_one_and_the_same_treatment(world: World) -> None:
    """Status, body, headers, one message each, and no look at the store before the response."""
    known = new_key()
    world.keys.ours[keys.hash_of(known)] = True
    replies = {
        (reply.status, reply.text, tuple(sorted(reply.headers.items())))
        for credential in (known, *(new_key() for _ in range(1_000)))
        for reply in [world.report({"credentials": [credential]})]
    }
    assert len(replies) == 1
    assert len(world.queue.reports) == 1_001
    assert world.keys.asked == 0


def test_a_report_of_nothing_that_is_a_key_goes_the_same_way(world: World) -> None:
    world.report({"credentials": ["nothing"]})
    assert [report["hashes"] for report in world.queue.reports] == [[]]


def test_the_queue_holds_hashes_and_never_a_credential(world: World) -> None:
    key = new_key()
    world.report({"credentials": [key, f" {key}\n", "x"]})
    assert key not in str(world.queue.reports)
    assert world.queue.reports[0]["hashes"] == [keys.hash_of(key)]


def test_what_was_reported_is_acted_upon_out_of_the_queue(world: World) -> None:
    key = new_key()
    world.keys.ours[keys.hash_of(key)] = True
    world.report({"credentials": [key, new_key()]})
    assert world.work_off() == {"batchItemFailures": []}
    assert world.keys.done == [("disable", keys.hash_of(key))]


def test_a_report_that_failed_comes_again_alone(world: World) -> None:
    good, bad = new_key(), new_key()
    for key in (good, bad):
        world.keys.ours[keys.hash_of(key)] = True
        world.report({"credentials": [key]})
    world.keys.fails.add(keys.hash_of(bad))
    assert world.work_off() == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert world.keys.done == [("disable", keys.hash_of(good))]


def test_one_key_that_fails_keeps_no_other_from_being_disabled(world: World) -> None:
    bad, good = new_key(), new_key()
    for key in (bad, good):
        world.keys.ours[keys.hash_of(key)] = True
    world.keys.fails.add(keys.hash_of(bad))
    world.report({"credentials": [bad, good]})
    assert world.work_off()["batchItemFailures"]
    assert world.keys.done == [("disable", keys.hash_of(good))]


def test_a_report_sets_off_one_look_at_the_store(world: World) -> None:
    world.report({"credentials": [new_key() for _ in range(100)]})
    world.work_off()
    assert world.keys.asked == 1


@pytest.mark.parametrize(
    ("response", "done"),
    [("disable", ["disable"]), ("report", ["note"]), ("revoke", ["revoke"])],
)
def test_a_found_key_meets_what_the_deployment_says(response: str, done: list[str]) -> None:
    world, key = World(response), new_key()
    world.keys.ours[keys.hash_of(key)] = True
    world.report({"credentials": [key]})
    world.work_off()
    assert [what for what, _ in world.keys.done] == done
    (event,) = world.keys.events
    assert event.action == ("api_key.revoked" if response == "revoke" else "api_key.exposed")


def test_a_secret_whose_grace_is_over_disturbs_nobody(world: World) -> None:
    key = new_key()
    world.keys.ours[keys.hash_of(key)] = False
    world.report({"credentials": [key]})
    world.work_off()
    assert world.keys.done == []


def test_a_reporter_leaves_no_address_in_the_owners_log(world: World) -> None:
    key = new_key()
    world.keys.ours[keys.hash_of(key)] = True
    world.report({"credentials": [key]})
    world.work_off()
    (event,) = world.keys.events
    assert (event.actor.type, event.actor.source_ip, event.actor.id) == ("system", None, None)
    assert event.actor.request_id


def test_another_method_is_told_which_there_is(world: World) -> None:
    event = proxy_event("GET", "/leaks", authorizer=None, body=None)
    reply = Api(world.handler, key_caller()).send(event)
    assert reply.problem()[:2] == (405, "method_not_allowed")
    assert reply.headers["allow"] == "OPTIONS, POST"
