from __future__ import annotations

from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.http_api import Api, key_caller
from tests.support.memory.key_store import MemoryKeyStore

KEYS = "/me/api-keys"


def test_a_page_holds_50_newest_first_unless_told_otherwise(api: Api) -> None:
    made = [api("POST", KEYS, json_body={"name": str(number)}).data["id"] for number in range(51)]
    reply = api("GET", KEYS)
    assert set(reply.json) == {"object", "data", "has_more", "cursor"}
    assert reply.json["object"] == "list"
    assert [key["id"] for key in reply.data] == sorted(made, reverse=True)[:50]
    assert reply.json["has_more"] is True
    last = api("GET", KEYS, query={"cursor": [reply.json["cursor"]]}).json
    assert [key["id"] for key in last["data"]] == sorted(made)[:1]
    assert (last["has_more"], last["cursor"]) == (False, None)


def test_a_page_that_just_holds_everything_is_the_last(api: Api) -> None:
    for _ in range(3):
        api("POST", KEYS, json_body={"name": "CI"})
    reply = api("GET", KEYS, query={"limit": ["3"]}).json
    assert (len(reply["data"]), reply["has_more"], reply["cursor"]) == (3, False, None)


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_walk_meets_each_key_that_existed_throughout_exactly_once(
    api: Api, store: MemoryKeyStore, order: str, data: st.DataObject
) -> None:
    caller = key_caller(user_id=str(uuid4()))
    draw = data.draw

    def make() -> str:
        key_id: str = api("POST", KEYS, json_body={"name": "CI"}, caller=caller).data["id"]
        return key_id

    living = {make() for _ in range(draw(st.integers(0, 12)))}
    throughout, seen, cursor = set(living), [], None
    while True:
        query = {"limit": [str(draw(st.integers(1, 5)))], "order": [order]}
        page = api(
            "GET", KEYS, query={**query, **({"cursor": [cursor]} if cursor else {})}, caller=caller
        ).json
        seen += [key["id"] for key in page["data"]]
        assert len(seen) == len(set(seen))  # here, since a walk that repeats itself never ends
        cursor = page["cursor"]
        assert page["has_more"] is (cursor is not None)
        if cursor is None:
            break
        for key_id in draw(st.sets(st.sampled_from(sorted(living)), max_size=3)) if living else ():
            api("DELETE", KEYS + "/{id}", id=key_id, caller=caller)
            living.discard(key_id)
            throughout.discard(key_id)
        # Newer keys come last in ascending order: a bounded number keeps the walk finite.
        living |= {make() for _ in range(draw(st.integers(0, 1)))}
    assert throughout <= set(seen)
    assert seen == sorted(seen, reverse=order == "desc")
