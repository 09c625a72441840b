"""Credits at creation and by PATCH: what clients are told, and what they may say."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.support.http_api import Api
from tests.unit.management.test_changes import made, patched, wrong

MOST = 1_000_000_000
LATER = "2099-01-31T12:00:00.000Z"
MONTHLY = {"amount": 50, "interval": "month", "next_at": LATER}


def test_a_key_has_no_credits_unless_somebody_says_so(api: Api) -> None:
    assert made(api)["credits"] is None


def test_credits_are_shown_with_their_refill(api: Api) -> None:
    given = {"remaining": MOST, "refill": MONTHLY}
    assert made(api, credits=given)["credits"] == given


@pytest.mark.parametrize(
    ("interval", "ends"), [("day", "T00:00:00.000Z"), ("month", "-01T00:00:00.000Z")]
)
def test_a_refill_comes_at_the_next_boundary_unless_it_names_one(
    api: Api, interval: str, ends: str
) -> None:
    refill = {"amount": 5, "interval": interval}
    credits_: Any = made(api, credits={"remaining": 0, "refill": refill})["credits"]
    assert credits_["refill"]["next_at"].endswith(ends)


def test_credits_merge_field_by_field(api: Api) -> None:
    key = made(api, credits={"remaining": 9, "refill": MONTHLY})["id"]
    more = patched(api, key, credits={"remaining": 20})["credits"]
    assert more == {"remaining": 20, "refill": MONTHLY}
    weekly = patched(api, key, credits={"refill": {"interval": "week"}})["credits"]
    assert weekly == {"remaining": 20, "refill": {**MONTHLY, "interval": "week"}}
    once = patched(api, key, credits={"refill": None})["credits"]
    assert once == {"remaining": 20, "refill": None}
    assert patched(api, key, credits=None)["credits"] is None


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, [("invalid_type", "credits.remaining")]),
        ({"refill": MONTHLY}, [("invalid_type", "credits.remaining")]),
        ({"remaining": -1}, [("too_small", "credits.remaining")]),
        ({"remaining": MOST + 1}, [("too_big", "credits.remaining")]),
        ({"remaining": 1.5}, [("invalid_type", "credits.remaining")]),
        ({"remaining": 1, "left": 2}, [("unrecognized_key", "credits.left")]),
        (
            {"remaining": 1, "refill": {}},
            [
                ("invalid_type", "credits.refill.amount"),
                ("invalid_type", "credits.refill.interval"),
            ],
        ),
        (
            {"remaining": 1, "refill": {**MONTHLY, "amount": 0}},
            [("too_small", "credits.refill.amount")],
        ),
        (
            {"remaining": 1, "refill": {**MONTHLY, "interval": "year"}},
            [("invalid_value", "credits.refill.interval")],
        ),
        (
            {"remaining": 1, "refill": {**MONTHLY, "next_at": "2020-01-01T00:00:00Z"}},
            [("too_small", "credits.refill.next_at")],
        ),
    ],
)
def test_what_may_not_be_said_of_credits_is_named(
    api: Api, said: dict[str, Any], told: list[tuple[str, str]]
) -> None:
    assert wrong(api, made(api)["id"], credits=said) == told
    reply = api("POST", "/me/api-keys", json_body={"name": "CI", "credits": said})
    assert [(one["code"], one["path"]) for one in reply.json["details"]] == told


def test_nobody_else_gives_a_key_credits(api: Api) -> None:
    body = {"credits": {"remaining": 5}}
    assert api("PATCH", "/me/api-keys/{id}", id=str(uuid4()), json_body=body).status == 404
