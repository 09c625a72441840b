"""A key gets another secret, and the former ends: what clients are told."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from chatgrid_auth.domain import audit, keys
from chatgrid_auth.domain.credentials import PreviousSecret
from tests.support.http_api import Api, key_caller
from tests.support.memory.key_store import MemoryKeyStore

KEYS = "/me/api-keys"
KEY = "/me/api-keys/{id}"
ROTATE = "/me/api-keys/{id}/rotate"
PREVIOUS = "/me/api-keys/{id}/previous-secret"
NOT_FOUND = (404, "not_found", "Not found")
STILL_ACTIVE = (409, "previous_secret_active", "The previous secret is still active")
LATE_MS = 4_000_000_000_000
PAST_MS = 1_000_000_000_000


def made(api: Api, **facts: object) -> dict[str, object]:
    data: dict[str, object] = api("POST", KEYS, json_body={"name": "CI", **facts}).data
    return data


def change(api: Api, store: MemoryKeyStore, key_id: object, **facts: object) -> None:
    place = (api.caller.user_id, str(key_id))
    store.keys[place] = replace(store.keys[place], **facts)  # type: ignore[arg-type]


def test_a_rotated_key_is_the_same_key_with_another_secret(api: Api, store: MemoryKeyStore) -> None:
    created = made(api, environment="test")
    store.use(api.caller.user_id, str(created["id"]), at_ms=1_773_133_200_123)
    reply = api("POST", ROTATE, id=str(created["id"]))
    assert reply.status == 200
    assert reply.json["object"] == "api_key"
    data = reply.data
    assert keys.is_well_formed(data["raw_key"])
    assert data["raw_key"].startswith("cgk_test_")
    assert data["key_prefix"] == data["raw_key"][:13] != created["key_prefix"]
    assert data["raw_key"] != created["raw_key"]
    kept = ("id", "name", "scopes", "rate_limit", "created_at", "created_by", "expires_at")
    assert {name: data[name] for name in kept} == {name: created[name] for name in kept}
    assert data["last_used_at"] == "2026-03-10T09:00:00.123Z"
    assert data["previous_secret"].pop("expires_at")
    assert data["previous_secret"] == {
        "key_prefix": created["key_prefix"],
        "last_used_at": "2026-03-10T09:00:00.123Z",
    }
    assert store.hashes == [keys.hash_of(str(one["raw_key"])) for one in (created, data)]


def test_a_grace_is_a_day_unless_another_is_asked_for(api: Api, store: MemoryKeyStore) -> None:
    for body, seconds in ((None, 86_400), ({"grace_period_seconds": 60}, 60), ({}, 86_400)):
        key_id = str(made(api)["id"])
        api("POST", ROTATE, id=key_id, json_body=body)
        previous = store.keys[api.caller.user_id, key_id].previous_secret
        assert previous is not None
        assert previous.expires_at_ms - store.events[-1].at_ms == seconds * 1_000


def test_no_grace_outlives_its_key(api: Api) -> None:
    created = made(api, expires_at="2026-12-31T00:00:00.000Z")
    body = {"grace_period_seconds": 604_800}
    # The clock of this machine may be anywhere before: a later expiry than a week is no matter.
    data = api("POST", ROTATE, id=str(created["id"]), json_body=body).data
    assert data["previous_secret"]["expires_at"] <= data["expires_at"]


def test_without_a_grace_there_is_no_previous_secret(api: Api) -> None:
    created = made(api)
    body = {"grace_period_seconds": 0}
    data = api("POST", ROTATE, id=str(created["id"]), json_body=body).data
    assert data["previous_secret"] is None
    assert api("DELETE", PREVIOUS, id=str(created["id"])).problem() == NOT_FOUND


@pytest.mark.parametrize("body", [{}, {"grace_period_seconds": 0}])
def test_within_a_grace_only_force_rotates_again(
    api: Api, store: MemoryKeyStore, body: dict[str, object]
) -> None:
    key_id = str(made(api)["id"])
    first = api("POST", ROTATE, id=key_id).data
    before = store.keys[api.caller.user_id, key_id]
    assert api("POST", ROTATE, id=key_id, json_body=body).problem() == STILL_ACTIVE
    assert store.keys[api.caller.user_id, key_id] == before
    forced = api("POST", ROTATE, id=key_id, json_body={"force": True}).data
    assert forced["previous_secret"]["key_prefix"] == first["key_prefix"]


def test_a_grace_that_has_run_out_is_not_shown(api: Api, store: MemoryKeyStore) -> None:
    key_id = str(made(api)["id"])
    over = PreviousSecret(prefix="cgk_live_gone", expires_at_ms=PAST_MS)
    change(api, store, key_id, previous_secret=over)
    assert api("GET", KEY, id=key_id).data["previous_secret"] is None
    assert api("GET", KEYS).data[0]["previous_secret"] is None
    assert api("DELETE", PREVIOUS, id=key_id).problem() == NOT_FOUND
    assert api("POST", ROTATE, id=key_id).status == 200


def test_ending_a_grace_answers_with_the_key_and_once(api: Api) -> None:
    key_id = str(made(api)["id"])
    rotated = api("POST", ROTATE, id=key_id).data
    reply = api("DELETE", PREVIOUS, id=key_id)
    rotated.pop("raw_key")
    assert (reply.status, reply.json["object"]) == (200, "api_key")
    told = reply.data["updated_at"]
    assert told >= rotated["updated_at"]
    assert reply.data == {**rotated, "previous_secret": None, "updated_at": told}
    assert api("DELETE", PREVIOUS, id=key_id).problem() == NOT_FOUND


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"disabled_reason": "manual"}, "API key is disabled"),
        ({"expires_at_ms": PAST_MS}, "API key has expired"),
        ({"disabled_reason": "manual", "expires_at_ms": PAST_MS}, "API key is disabled"),
    ],
)
def test_a_key_that_is_not_active_is_a_conflict(
    api: Api, store: MemoryKeyStore, facts: dict[str, object], message: str
) -> None:
    """Its state comes before a previous secret that still passes."""
    key_id = str(made(api)["id"])
    alive = PreviousSecret(prefix="cgk_live_a1b2", expires_at_ms=LATE_MS)
    change(api, store, key_id, previous_secret=alive, **facts)
    assert api("POST", ROTATE, id=key_id).problem() == (409, "conflict", message)


@pytest.mark.parametrize(("method", "resource"), [("POST", ROTATE), ("DELETE", PREVIOUS)])
def test_a_revoked_an_unknown_and_anothers_key_are_never_told_apart(
    api: Api, method: str, resource: str
) -> None:
    gone = str(made(api)["id"])
    api("DELETE", KEY, id=gone)
    theirs = api("POST", KEYS, json_body={"name": "CI"}, caller=key_caller()).data["id"]
    for key_id in (gone, theirs, str(uuid4()), "42", "\N{ROCKET}"):
        assert api(method, resource, id=key_id).problem() == NOT_FOUND


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"grace_period_seconds": -1}, ("too_small", "grace_period_seconds")),
        ({"grace_period_seconds": 604_801}, ("too_big", "grace_period_seconds")),
        ({"grace_period_seconds": "60"}, ("invalid_type", "grace_period_seconds")),
        ({"grace_period_seconds": None}, ("invalid_type", "grace_period_seconds")),
        ({"force": "true"}, ("invalid_type", "force")),
        ({"name": "CI"}, ("unrecognized_key", "name")),
    ],
)
def test_a_body_that_breaks_a_rule_rotates_nothing(
    api: Api, store: MemoryKeyStore, body: dict[str, object], detail: tuple[str, str]
) -> None:
    key_id = str(made(api)["id"])
    reply = api("POST", ROTATE, id=key_id, json_body=body)
    assert reply.status == 400
    assert reply.details() == [detail]
    assert store.keys[api.caller.user_id, key_id].previous_secret is None


def test_a_secret_that_came_meanwhile_is_left_alone(api: Api, store: MemoryKeyStore) -> None:
    """Even by force and without a grace: nobody ends what they have not seen."""
    key_id = str(made(api)["id"])

    def somebody_else() -> None:
        store.rotations.meanwhile = lambda: None
        change(api, store, key_id, prefix="cgk_live_else")

    for body in ({"grace_period_seconds": 0}, {"force": True}):
        store.rotations.meanwhile = somebody_else
        change(api, store, key_id, prefix="cgk_live_mine")
        reply = api("POST", ROTATE, id=key_id, json_body=body)
        assert reply.problem() == (409, "conflict", "API key was rotated meanwhile")
        assert store.keys[api.caller.user_id, key_id].prefix == "cgk_live_else"


def test_another_change_meanwhile_is_no_reason_to_refuse(api: Api, store: MemoryKeyStore) -> None:
    key_id = str(made(api)["id"])

    def somebody_else() -> None:
        store.rotations.meanwhile = lambda: None
        change(api, store, key_id, name="renamed")

    store.rotations.meanwhile = somebody_else
    data = api("POST", ROTATE, id=key_id).data
    assert data["name"] == "renamed"


def test_no_two_secrets_of_a_key_share_the_beginning_of_their_tags(
    api: Api, store: MemoryKeyStore
) -> None:
    """The store tells their last uses apart by it."""
    key_id = str(made(api)["id"])
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    free = "Qq"
    store.rotations.taken = frozenset(a + b for a in letters for b in letters) - {free}
    raw_key = api("POST", ROTATE, id=key_id).data["raw_key"]
    assert keys.tag_of(keys.hash_of(raw_key))[:2] == free


def test_the_audit_log_is_told_of_prefixes_and_times_alone(api: Api, store: MemoryKeyStore) -> None:
    created = made(api)
    key_id = str(created["id"])
    data = api("POST", ROTATE, id=key_id).data
    api("DELETE", PREVIOUS, id=key_id)
    rotated, ended = store.events[-2:]
    assert (rotated.action, ended.action) == (audit.ROTATED, audit.PREVIOUS_SECRET_ENDED)
    previous = {name: data["previous_secret"][name] for name in ("key_prefix", "expires_at")}
    assert rotated.changes == {
        "previous_secret": {"from": None, "to": previous},
        "key_prefix": {"from": created["key_prefix"], "to": data["key_prefix"]},
    }
    assert ended.changes == {"previous_secret": {"from": previous, "to": None}}
    assert {one.actor.key_id for one in (rotated, ended)} == {api.caller.key_id}
    told = repr(store.events)
    assert not [secret for secret in store.hashes if secret in told]


def test_neither_log_lines_nor_metrics_hold_a_rotated_raw_key(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    key_id = str(made(api)["id"])
    raw_key = api("POST", ROTATE, id=key_id).data["raw_key"]
    out, err = capsys.readouterr()
    assert '"KeysRotated":[1' in out.replace(" ", "")
    assert raw_key[9:30] not in out + err
