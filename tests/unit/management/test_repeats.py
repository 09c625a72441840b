from __future__ import annotations

import json
import time
from typing import Any

import pytest

from chatgrid_auth.domain import keys
from chatgrid_auth.domain.errors import StoreUnavailable
from chatgrid_auth.http_api.time_limit import OutOfTime
from tests.support.http_api import JSON, Api, Reply, key_caller
from tests.support.memory.key_store import MemoryKeyStore

KEYS = "/me/api-keys"
KEY = "/me/api-keys/{id}"
ROTATE = "/me/api-keys/{id}/rotate"


def ask(api: Api, name: str, resource: str = KEYS, **parts: Any) -> Reply:
    """A request that its client has named; a creation unless another resource is given."""
    body = parts.pop("body", {"name": "CI"} if resource == KEYS else None)
    text = None if body is None else json.dumps(body)
    return api("POST", resource, headers={**JSON, "Idempotency-Key": name}, body=text, **parts)


def replayed(reply: Reply) -> bool:
    return reply.headers.get("idempotency-replayed") == "true"


def test_a_repeat_makes_no_second_key_and_replaces_the_unused_secret(
    api: Api, store: MemoryKeyStore
) -> None:
    first, second = ask(api, "a"), ask(api, "a")
    assert (first.status, second.status) == (201, 201)
    assert (replayed(first), replayed(second)) == (False, True)
    assert first.data["id"] == second.data["id"]
    assert first.data["raw_key"] != second.data["raw_key"]
    assert second.data["key_prefix"] == keys.prefix_of(second.data["raw_key"])
    assert [keys.hash_of(one.data["raw_key"]) for one in (first, second)] == store.hashes
    assert len(api("GET", KEYS).data) == 1
    assert store.events[-1].action == "api_key.secret_reissued"


def test_a_repeat_for_a_used_key_has_no_secret_and_replaces_nothing(
    api: Api, store: MemoryKeyStore
) -> None:
    first = ask(api, "a").data
    store.use(api.caller.user_id, first["id"], at_ms=1)
    again = ask(api, "a")
    assert (again.status, replayed(again)) == (201, True)
    assert (again.data["id"], again.data["raw_key"]) == (first["id"], None)
    assert len(store.hashes) == 1


@pytest.mark.parametrize("what", ["revoked", "rotated"])
def test_a_repeat_after_revocation_or_rotation_shows_the_key_without_a_secret(
    api: Api, store: MemoryKeyStore, what: str
) -> None:
    first = ask(api, "a").data
    if what == "revoked":
        api("DELETE", KEY, id=first["id"])
    else:
        api("POST", ROTATE, id=first["id"])
    known = len(store.hashes)
    again = ask(api, "a")
    assert (again.status, replayed(again)) == (201, True)
    assert (again.data["id"], again.data["raw_key"]) == (first["id"], None)
    assert len(store.hashes) == known


def test_another_body_under_one_name_is_refused_unlike_the_same_json(api: Api) -> None:
    first = ask(api, "a", body={"name": "CI", "rate_limit": 5})
    other = ask(api, "a", body={"name": "CI", "rate_limit": 6})
    assert other.problem()[:2] == (422, "idempotency_key_reused")
    same = api(
        "POST",
        KEYS,
        headers={**JSON, "Idempotency-Key": "a"},
        body='{ "rate_limit": 5.0, "name": "CI" }',
    )
    assert (same.status, same.data["id"]) == (201, first.data["id"])


def test_quotes_do_not_tell_names_apart_but_users_and_routes_do(api: Api) -> None:
    first = ask(api, "abc").data["id"]
    assert ask(api, '"abc"').data["id"] == first
    assert ask(api, "ABC").data["id"] != first
    assert ask(api, "abc", caller=key_caller()).data["id"] != first
    assert not replayed(ask(api, "abc", ROTATE, id=first))


@pytest.mark.parametrize("name", ["", '""', "a b", "ä", "x" * 256, '"abc', '"a"b"', "a\tb"])
def test_what_is_no_idempotency_key_is_refused_by_its_header_name(api: Api, name: str) -> None:
    refused = ask(api, name)
    assert refused.details() == [("invalid_value", "Idempotency-Key")]
    assert refused.status == 400
    assert api("GET", KEYS).data == []


@pytest.mark.parametrize("name", ["x" * 255, '"' + "x" * 255 + '"', "~!#$%", 'a"b', r'"a\"b"'])
def test_every_visible_character_may_stand_in_an_idempotency_key(api: Api, name: str) -> None:
    assert ask(api, name).status == 201


def test_only_successes_are_kept_and_a_refused_name_is_free_again(api: Api) -> None:
    assert ask(api, "a", body={"name": ""}).status == 400
    made = ask(api, "a", body={"name": "right"})
    assert (made.status, replayed(made)) == (201, False)


def test_a_running_request_is_409_until_its_claim_runs_out(
    api: Api, store: MemoryKeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stands_still(*_: object, **__: object) -> None:
        raise OutOfTime  # cut off in the middle: nothing that it would do yet is done

    with monkeypatch.context() as still:
        still.setattr(store, "create", stands_still)
        assert ask(api, "a").status == 503
    running = ask(api, "a")
    assert running.problem()[:2] == (409, "conflict")
    assert running.headers["retry-after"]
    later = time.time_ns() + 16 * 10**9
    monkeypatch.setattr(time, "time_ns", lambda: later)
    made = ask(api, "a")
    assert (made.status, replayed(made)) == (201, False)


def test_after_a_day_the_same_name_is_another_request(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ask(api, "a").data["id"]
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + 86_399 * 10**9)
    assert ask(api, "a").data["id"] == first
    monkeypatch.setattr(time, "time_ns", lambda: now + 86_401 * 10**9)
    assert ask(api, "a").data["id"] != first


def test_a_store_that_fails_keeps_no_claim_and_leaves_no_key(
    api: Api, store: MemoryKeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise StoreUnavailable("TransactWriteItems", "Test")

    with monkeypatch.context() as failing:
        failing.setattr(store, "create", fails)
        assert ask(api, "a").status == 503
    made = ask(api, "a")
    assert (made.status, replayed(made)) == (201, False)


def test_a_rotation_repeated_keeps_its_grace_and_replaces_the_unused_secret(
    api: Api, store: MemoryKeyStore
) -> None:
    made = api("POST", KEYS, json_body={"name": "CI"}).data
    first, second = (ask(api, "r", ROTATE, id=made["id"]) for _ in range(2))
    assert (first.status, second.status) == (200, 200)
    assert (replayed(first), replayed(second)) == (False, True)
    assert second.data["previous_secret"] == first.data["previous_secret"]
    assert second.data["previous_secret"]["key_prefix"] == made["key_prefix"]
    assert second.data["raw_key"] not in {None, first.data["raw_key"]}
    assert ask(api, "r", ROTATE, id=made["id"], body={"force": True}).status == 422
    assert ask(api, "r", ROTATE, id=made["id"], body={}).status == 200
    store.use(api.caller.user_id, made["id"], at_ms=1)
    assert ask(api, "r", ROTATE, id=made["id"]).data["raw_key"] is None


def test_a_rotation_that_was_refused_is_not_kept(api: Api) -> None:
    made = api("POST", KEYS, json_body={"name": "CI"}).data
    api("POST", ROTATE, id=made["id"])
    assert ask(api, "r", ROTATE, id=made["id"]).status == 409
    forced = ask(api, "r", ROTATE, id=made["id"], body={"force": True})
    assert (forced.status, replayed(forced)) == (200, False)


def test_a_rotation_cut_off_before_its_commit_is_made_by_the_repeat(
    api: Api, store: MemoryKeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = api("POST", KEYS, json_body={"name": "CI"}).data

    def fails(*_: object, **__: object) -> None:
        raise StoreUnavailable("UpdateItem", "Test")

    with monkeypatch.context() as failing:
        failing.setattr(store.rotations, "rotate", fails)
        assert ask(api, "r", ROTATE, id=made["id"]).status == 503
    again = ask(api, "r", ROTATE, id=made["id"])
    assert (again.status, replayed(again)) == (200, False)
    assert again.data["raw_key"]


@pytest.mark.parametrize("body", [{}, {"force": True}])
def test_a_rotation_that_never_happened_is_not_answered_as_done(
    api: Api, store: MemoryKeyStore, monkeypatch: pytest.MonkeyPatch, body: dict[str, bool]
) -> None:
    """Its process ended before the commit, and somebody else rotated the key meanwhile."""
    made = api("POST", KEYS, json_body={"name": "CI"}).data

    def fails(*_: object, **__: object) -> None:
        raise StoreUnavailable("UpdateItem", "Test")

    with monkeypatch.context() as failing:
        failing.setattr(store.rotations, "rotate", fails)
        assert ask(api, "r", ROTATE, id=made["id"], body=body).status == 503
    other = api("POST", ROTATE, id=made["id"], json_body={}).data
    again = ask(api, "r", ROTATE, id=made["id"], body=body)
    assert (again.status, again.json["code"], replayed(again)) == (409, "conflict", False)
    assert store.hashes[-1] == keys.hash_of(other["raw_key"])


def test_a_rotation_that_was_done_stays_done_however_often_others_rotate(api: Api) -> None:
    made = api("POST", KEYS, json_body={"name": "CI"}).data
    first = ask(api, "r", ROTATE, id=made["id"])
    for _ in range(3):
        api("POST", ROTATE, id=made["id"], json_body={"force": True})
    again = ask(api, "r", ROTATE, id=made["id"])
    assert (first.status, again.status, replayed(again)) == (200, 200, True)
    assert again.data["raw_key"] is None
    api("DELETE", KEY, id=made["id"])
    assert ask(api, "r", ROTATE, id=made["id"]).status == 200


@pytest.mark.parametrize("resource", [KEYS, ROTATE])
def test_what_is_remembered_does_not_grow_with_repeats(
    api: Api, store: MemoryKeyStore, resource: str
) -> None:
    made = api("POST", KEYS, json_body={"name": "CI"}).data
    id_ = {} if resource == KEYS else {"id": made["id"]}
    secrets = [ask(api, "r", resource, **id_).data["raw_key"] for _ in range(6)]
    assert len(set(secrets)) == 6
    assert None not in secrets
    (note,) = store.notes.kept.values()
    assert len(note.minted) <= 2


def test_a_replacement_cut_off_again_and_again_forgets_no_secret_in_force(
    api: Api, store: MemoryKeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ask(api, "a").data

    def fails(*_: object, **__: object) -> None:
        raise StoreUnavailable("UpdateItem", "Test")

    with monkeypatch.context() as failing:
        failing.setattr(store.rotations, "reissue", fails)
        for _ in range(4):
            assert ask(api, "a").status == 503
    again = ask(api, "a")
    assert again.data["id"] == first["id"]
    assert again.data["raw_key"]


def test_nothing_that_is_remembered_holds_a_secret_its_hash_or_the_name(
    api: Api, store: MemoryKeyStore
) -> None:
    raw_key = ask(api, "a-name-of-mine").data["raw_key"]
    told = repr(list(store.notes.kept.values()))
    for secret in (raw_key, raw_key[13:], keys.hash_of(raw_key), keys.hash_of(raw_key)[:12]):
        assert secret not in told
    assert "a-name-of-mine" not in told
    assert all("a-name-of-mine" not in place.place for place in store.notes.kept)
