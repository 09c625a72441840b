"""What the bodies of POST /boards and PATCH /boards/{id} may not be."""

from __future__ import annotations

import pytest

from tests.support.http_api import Api

BOARDS = "/boards"
BOARD = "/boards/{id}"

NAMES: list[tuple[object, str]] = [
    ("", "too_small"),
    ("x" * 256, "too_big"),
    (" \u3000", "invalid_value"),
    ("a\u0000", "invalid_value"),
    ("a\u2029b", "invalid_value"),
    (None, "invalid_type"),
    (1, "invalid_type"),
    ({}, "invalid_type"),
]


@pytest.mark.parametrize(("name", "code"), NAMES)
def test_each_rule_of_a_boards_name_is_enforced_and_named(
    api: Api, name: object, code: str
) -> None:
    board = api("POST", BOARDS, json_body={"name": "Plan"}).data
    for method, resource in [("POST", BOARDS), ("PATCH", BOARD)]:
        reply = api(method, resource, id=board["id"], json_body={"name": name})
        assert reply.problem() == (400, "validation_error", "Invalid request body")
        assert reply.details() == [(code, "name")]
    assert api("GET", BOARDS).data == [board]


def test_length_is_counted_in_characters_not_in_bytes(api: Api) -> None:
    assert api("POST", BOARDS, json_body={"name": "\N{ROCKET}" * 255}).status == 201
    assert api("POST", BOARDS, json_body={"name": "\N{ROCKET}" * 256}).status == 400


@pytest.mark.parametrize(
    ("wrong", "details"),
    [
        ({"view_mode": "list"}, [("invalid_value", "view_mode")]),
        ({"view_mode": None}, [("invalid_value", "view_mode")]),
        ({"is_public": True}, [("unrecognized_key", "is_public")]),
        ({"id": "x", "owner": "y"}, [("unrecognized_key", "id"), ("unrecognized_key", "owner")]),
    ],
)
def test_each_rule_of_a_new_board_is_enforced_and_named(
    api: Api, wrong: dict[str, object], details: list[tuple[str, str]]
) -> None:
    assert api("POST", BOARDS, json_body={"name": "Plan", **wrong}).details() == details


@pytest.mark.parametrize(
    ("wrong", "details"),
    [
        ({"is_public": 1}, [("invalid_type", "is_public")]),
        ({"is_public": "true"}, [("invalid_type", "is_public")]),
        ({"is_public": None}, [("invalid_type", "is_public")]),
        ({"public_access_level": "own"}, [("invalid_value", "public_access_level")]),
        ({"public_access_level": False}, [("invalid_value", "public_access_level")]),
        ({"viewport_x": "1"}, [("invalid_type", "viewport_x")]),
        ({"viewport_x": True}, [("invalid_type", "viewport_x")]),
        ({"viewport_x": None}, [("invalid_type", "viewport_x")]),
        ({"viewport_y": 1.1e9}, [("too_big", "viewport_y")]),
        ({"viewport_y": -1.1e9}, [("too_small", "viewport_y")]),
        ({"viewport_y": [0]}, [("invalid_type", "viewport_y")]),
        ({"viewport_zoom": 0}, [("too_small", "viewport_zoom")]),
        ({"viewport_zoom": 0.09}, [("too_small", "viewport_zoom")]),
        ({"viewport_zoom": 10.1}, [("too_big", "viewport_zoom")]),
        ({"viewport_zoom": 10**400}, [("invalid_type", "viewport_zoom")]),
        ({"view_mode": "docs"}, [("unrecognized_key", "view_mode")]),
        ({"name": "x", "owner": "y"}, [("unrecognized_key", "owner")]),
        ({"created_at": "2026-01-01T00:00:00Z"}, [("unrecognized_key", "created_at")]),
    ],
)
def test_each_rule_of_a_change_is_enforced_and_named_and_nothing_changes(
    api: Api, wrong: dict[str, object], details: list[tuple[str, str]]
) -> None:
    board = api("POST", BOARDS, json_body={"name": "Plan"}).data
    reply = api("PATCH", BOARD, id=board["id"], json_body=wrong)
    assert reply.problem() == (400, "validation_error", "Invalid request body")
    assert reply.details() == details
    assert api("GET", BOARD, id=board["id"]).data == board


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ('{"viewport_x": 1e999}', [("invalid_value", "viewport_x")]),
        ('{"viewport_x": NaN}', [("invalid_json", "body")]),
        ('{"viewport_x": 1, "viewport_x": 2}', [("duplicate_key", "viewport_x")]),
        (None, [("required", "body")]),
        ("[]", [("invalid_type", "body")]),
    ],
)
def test_a_change_that_is_no_object_in_json_is_the_clients_mistake(
    api: Api, body: str | None, details: list[tuple[str, str]]
) -> None:
    assert api("PATCH", BOARD, id="x", body=body).details() == details


def test_a_change_has_to_be_json_of_a_sane_size(api: Api) -> None:
    text = api("PATCH", BOARD, id="x", body="{}", headers={"Content-Type": "text/plain"})
    assert text.problem() == (
        415,
        "unsupported_media_type",
        "Unsupported media type: send application/json",
    )
    large = api("PATCH", BOARD, id="x", body=" " * 65_537)
    assert large.problem() == (413, "payload_too_large", "Payload too large")


def test_the_body_of_a_read_or_a_delete_is_not_looked_at(api: Api) -> None:
    board = api("POST", BOARDS, json_body={"name": "Plan"}).data
    assert api("GET", BOARDS, body="{", headers={}).status == 200
    assert api("DELETE", BOARD, id=board["id"], body="{", headers={}).status == 200


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"limit": ["0"]}, (400, "validation_error", "Invalid query parameters")),
        ({"order": ["up"]}, (400, "validation_error", "Invalid query parameters")),
        ({"cursor": ["x"]}, (400, "invalid_cursor", "The cursor is malformed")),
    ],
)
def test_a_page_that_cannot_be_is_refused(
    api: Api, query: dict[str, list[str]], problem: tuple[int, str, str]
) -> None:
    assert api("GET", BOARDS, query=query).problem() == problem
