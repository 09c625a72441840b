"""Usage as its owner reads it: whole spans, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest

from chatgrid_auth.domain.verdicts import Caller
from chatgrid_auth.services.instants import instant_ms
from tests.support.http_api import Api, jwt_caller
from tests.support.memory.usage import MemoryUsage

MINE, OF_KEY = "/me/usage", "/me/api-keys/{id}/usage"
TEN = "2026-03-10T10:00:00.000Z"
SPAN = {"from": "2026-03-10T09:00:00Z", "to": "2026-03-10T12:00:00Z"}


@pytest.fixture
def session() -> Caller:
    return jwt_caller()


def make(api: Api, caller: Caller) -> str:
    made: str = api("POST", "/me/api-keys", json_body={"name": "CI"}, caller=caller).data["id"]
    return made


def asked(**query: str) -> dict[str, Any]:
    return {"query": {name: [text] for name, text in query.items()}}


def test_usage_of_a_span_has_every_bucket_and_the_routes(
    api: Api, session: Caller, usage: MemoryUsage
) -> None:
    usage.happened(session.user_id, "hour", instant_ms(TEN), allowed=7, refused=2, forbidden=2)

    told = api("GET", MINE, caller=session, **asked(**SPAN))

    assert told.status == 200
    assert told.json["object"] == "usage"
    nothing = {"allowed": 0, "refused": 0, "rate_limited": 0, "forbidden": 0, "credits": 0}
    counts = {**nothing, "allowed": 7, "refused": 2, "forbidden": 2}
    assert told.data == {
        "granularity": "hour",
        "from": "2026-03-10T09:00:00.000Z",
        "to": "2026-03-10T12:00:00.000Z",
        "buckets": [
            {"at": "2026-03-10T09:00:00.000Z", **nothing},
            {"at": TEN, **counts},
            {"at": "2026-03-10T11:00:00.000Z", **nothing},
        ],
        "routes": [{"route": "GET /boards", **counts}],
    }


def test_without_a_question_it_is_a_day_by_the_hour(api: Api, session: Caller) -> None:
    told = api("GET", MINE, caller=session).data

    assert told["granularity"] == "hour"
    assert len(told["buckets"]) == 24
    assert told["routes"] == []


def test_a_key_has_usage_of_its_own_and_keeps_it_when_revoked(
    api: Api, session: Caller, usage: MemoryUsage
) -> None:
    key_id = make(api, session)
    usage.happened(key_id, "hour", instant_ms(TEN), allowed=3)
    usage.happened(session.user_id, "hour", instant_ms(TEN), allowed=9)

    def allowed() -> int:
        told = api("GET", OF_KEY, id=key_id, caller=session, **asked(**SPAN)).data
        return sum(bucket["allowed"] for bucket in told["buckets"])

    assert allowed() == 3
    api("DELETE", "/me/api-keys/{id}", id=key_id, caller=session)
    assert allowed() == 3


@pytest.mark.parametrize("id", ["no-uuid", "0195b6f0-0000-7000-8000-000000000001"])
def test_an_unknown_key_has_no_usage(api: Api, session: Caller, id: str) -> None:  # noqa: A002
    make(api, session)
    assert api("GET", OF_KEY, id=id, caller=session).problem()[:2] == (404, "not_found")


def test_the_usage_of_anothers_key_is_as_unknown(
    api: Api, session: Caller, usage: MemoryUsage
) -> None:
    key_id = make(api, jwt_caller())
    usage.happened(key_id, "hour", instant_ms(TEN), allowed=3)

    assert api("GET", OF_KEY, id=key_id, caller=session).problem()[:2] == (404, "not_found")


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"from": TEN, "to": TEN}, "from"),
        ({"from": TEN, "to": "2026-03-10T09:00:00Z"}, "from"),
        ({"from": "2026-03-01T00:00:00Z", "to": TEN, "granularity": "minute"}, "from"),
        ({"from": "2026-03-10"}, "from"),
        ({"to": "now"}, "to"),
        ({"granularity": "week"}, "granularity"),
    ],
)
def test_a_question_that_makes_no_sense_is_told_where(
    api: Api, session: Caller, query: dict[str, str], path: str
) -> None:
    reply = api("GET", MINE, caller=session, **asked(**query))

    assert reply.details() == [("invalid_value", path)]


def test_what_is_said_twice_is_refused(api: Api, session: Caller) -> None:
    reply = api("GET", MINE, caller=session, query={"granularity": ["hour", "day"]})

    assert reply.details() == [("invalid_value", "granularity")]
