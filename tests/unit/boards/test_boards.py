from __future__ import annotations

import re
from uuid import UUID, uuid4

import pytest

from chatgrid_auth.domain.errors import StoreUnavailable
from tests.support.http_api import Api, key_caller
from tests.support.memory.boards_table import MemoryTransport

BOARDS = "/boards"
BOARD = "/boards/{id}"
NOT_FOUND = (404, "board_not_found", "Board not found")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def make(api: Api, **facts: object) -> dict[str, object]:
    reply = api("POST", BOARDS, json_body={"name": "Plan", **facts})
    assert reply.status == 201
    assert reply.json["object"] == "board"
    data: dict[str, object] = reply.data
    return data


def test_a_new_board_has_the_contracts_shape(api: Api) -> None:
    board = make(api)
    assert UUID(str(board.pop("id"))).version == 7
    created_at, updated_at = board.pop("created_at"), board.pop("updated_at")
    assert created_at == updated_at
    assert INSTANT.fullmatch(str(created_at))
    assert board == {
        "name": "Plan",
        "is_public": False,
        "public_access_level": None,
        "viewport_x": 0,
        "viewport_y": 0,
        "viewport_zoom": 1,
    }


@pytest.mark.parametrize("view_mode", ["canvas", "docs"])
def test_the_view_mode_is_kept_but_no_field_of_a_board(
    api: Api, table: MemoryTransport, view_mode: str
) -> None:
    board = make(api, view_mode=view_mode)
    assert "view_mode" not in board
    (item,) = table.items.values()
    assert item["view_mode"] == {"S": view_mode}


def test_a_board_reads_back_as_it_was_given(api: Api) -> None:
    board = make(api, name="naïve \N{ROCKET} " + "x" * 240)
    assert api("GET", BOARD, id=board["id"]).json == {"object": "board", "data": board}
    assert api("GET", BOARDS).data == [board]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Other"},
        {"is_public": True},
        {"public_access_level": "view"},
        {"public_access_level": "edit", "is_public": True},
        {"viewport_x": -12.25, "viewport_y": 1e9, "viewport_zoom": 10},
        {"viewport_x": 0.1, "viewport_zoom": 0.1},
        {"viewport_x": 123_456_789.123_456_78},
        {"viewport_x": 1e-99},
        {"viewport_x": -0.0},
    ],
)
def test_a_change_changes_what_it_names_and_the_time_and_nothing_else(
    api: Api, changes: dict[str, object]
) -> None:
    board = make(api)
    reply = api("PATCH", BOARD, id=board["id"], json_body=changes)
    assert reply.status == 200
    changed = reply.data
    assert changed["updated_at"] >= board["updated_at"]
    assert changed == {**board, **changes, "updated_at": changed["updated_at"]}
    assert api("GET", BOARD, id=board["id"]).data == changed


def test_null_takes_the_public_access_level_away(api: Api) -> None:
    board = make(api)
    api("PATCH", BOARD, id=board["id"], json_body={"public_access_level": "edit"})
    reply = api("PATCH", BOARD, id=board["id"], json_body={"public_access_level": None})
    assert reply.data["public_access_level"] is None


def test_a_change_may_be_sent_again(api: Api) -> None:
    board = make(api)
    for _ in range(2):
        reply = api("PATCH", BOARD, id=board["id"], json_body={"name": "Other"})
        assert (reply.status, reply.data["name"]) == (200, "Other")


def test_what_is_too_small_to_keep_is_zero_and_told_so(api: Api) -> None:
    board = make(api)
    reply = api("PATCH", BOARD, id=board["id"], json_body={"viewport_x": 5e-324})
    assert reply.data["viewport_x"] == 0


def test_a_change_that_names_nothing_is_refused(api: Api) -> None:
    board = make(api)
    reply = api("PATCH", BOARD, id=board["id"], json_body={})
    assert reply.problem() == (400, "no_updates", "No fields to update")
    assert api("GET", BOARD, id=board["id"]).data == board


def test_a_deleted_board_is_gone_and_does_not_come_back(api: Api) -> None:
    board = make(api)
    deleted = api("DELETE", BOARD, id=board["id"])
    assert deleted.status == 200
    assert deleted.json == {"object": "board", "data": {"id": board["id"], "deleted": True}}
    assert api("DELETE", BOARD, id=board["id"]).problem() == NOT_FOUND
    assert api("PATCH", BOARD, id=board["id"], json_body={"name": "x"}).problem() == NOT_FOUND
    assert api("GET", BOARD, id=board["id"]).problem() == NOT_FOUND
    assert api("GET", BOARDS).data == []


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_anothers_an_unknown_and_a_malformed_boards_id_look_alike(api: Api, method: str) -> None:
    theirs = api("POST", BOARDS, json_body={"name": "x"}, caller=key_caller()).data["id"]
    for id_ in (theirs, str(uuid4()), "42", "", "../me", "%00", "\N{ROCKET}", "x" * 5_000):
        reply = api(method, BOARD, id=id_, json_body={"name": "stolen"})
        assert reply.problem() in ([NOT_FOUND] if id_ else [(404, "not_found", "Not found")])


def test_two_users_never_see_each_others_boards(api: Api) -> None:
    other = key_caller()
    mine = make(api)["id"]
    theirs = api("POST", BOARDS, json_body={"name": "theirs"}, caller=other).data["id"]
    assert [board["id"] for board in api("GET", BOARDS).data] == [mine]
    assert [board["id"] for board in api("GET", BOARDS, caller=other).data] == [theirs]
    headers = {"Content-Type": "application/json", "user_id": other.user_id}
    assert api("GET", BOARD, id=theirs, headers=headers).problem() == NOT_FOUND


def test_a_reader_changes_nothing(api: Api, table: MemoryTransport) -> None:
    reader = key_caller(user_id=api.caller.user_id, scope="read")
    board = make(api)
    before = repr(table.items)
    for method, resource in [("POST", BOARDS), ("PATCH", BOARD), ("DELETE", BOARD)]:
        reply = api(method, resource, id=board["id"], json_body={"name": "x"}, caller=reader)
        assert reply.problem() == (403, "forbidden", "Missing required scope: write")
    assert repr(table.items) == before
    assert api("GET", BOARD, id=board["id"], caller=reader).status == 200


@pytest.mark.parametrize(
    ("method", "resource"),
    [("GET", BOARDS), ("POST", BOARDS), ("GET", BOARD), ("PATCH", BOARD), ("DELETE", BOARD)],
)
def test_a_store_that_is_out_is_a_503(
    api: Api, table: MemoryTransport, method: str, resource: str
) -> None:
    """It says when to come back."""
    table.fault = StoreUnavailable("Query", "InternalServerError")
    reply = api(method, resource, id=str(uuid4()), json_body={"name": "x"})
    assert reply.problem() == (503, "service_unavailable", "Service unavailable")
    assert int(reply.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    ("method", "resource", "allow"),
    [
        ("PUT", BOARDS, "GET, HEAD, OPTIONS, POST"),
        ("DELETE", BOARDS, "GET, HEAD, OPTIONS, POST"),
        ("POST", BOARD, "DELETE, GET, HEAD, OPTIONS, PATCH"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(
    api: Api, method: str, resource: str, allow: str
) -> None:
    reply = api(method, resource, id=str(uuid4()))
    assert reply.problem() == (405, "method_not_allowed", "Method not allowed")
    assert reply.headers["allow"] == allow


def test_every_answer_names_the_allowed_origin(api: Api) -> None:
    for reply in (api("GET", BOARDS), api("GET", BOARD, id="x"), api("PUT", BOARDS)):
        assert reply.headers["access-control-allow-origin"] == "https://app.example.com"
        assert reply.headers["cache-control"] == "no-store"
        assert "x-ratelimit-limit" in reply.headers
