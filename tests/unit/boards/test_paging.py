from __future__ import annotations

from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.http_api import Api, key_caller

BOARDS = "/boards"


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_walk_meets_each_board_that_existed_throughout_exactly_once(
    api: Api, order: str, data: st.DataObject
) -> None:
    caller = key_caller(user_id=str(uuid4()))
    draw = data.draw

    def make() -> str:
        board_id: str = api("POST", BOARDS, json_body={"name": "x"}, caller=caller).data["id"]
        return board_id

    living = {make() for _ in range(draw(st.integers(0, 12)))}
    throughout, seen = set(living), []
    query = {"order": [order]}
    while True:
        query["limit"] = [str(draw(st.integers(1, 5)))]
        page = api("GET", BOARDS, query=query, caller=caller).json
        seen += [board["id"] for board in page["data"]]
        assert len(seen) == len(set(seen))  # here, since a walk that repeats itself never ends
        assert page["has_more"] is (page["cursor"] is not None)
        if not page["has_more"]:
            break
        query["cursor"] = [page["cursor"]]
        gone = draw(st.sets(st.sampled_from(sorted(living)), max_size=3)) if living else set()
        for board_id in gone:
            api("DELETE", BOARDS + "/{id}", id=board_id, caller=caller)
        living -= gone
        throughout -= gone
        living |= {make() for _ in range(draw(st.integers(0, 1)))}
    assert throughout <= set(seen)
    assert seen == sorted(set(seen), reverse=order == "desc")
