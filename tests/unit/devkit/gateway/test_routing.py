"""A request reaches exactly the route that the template declares for it."""

from __future__ import annotations

import pytest

from chatgrid_devkit.gateway.routing import Router, without_stage
from chatgrid_devkit.template.description import Route


def route(method: str, resource: str) -> Route:
    return Route(
        method=method, resource=resource, authorizer=None, key_required=False, function="f"
    )


ROUTES = [
    route("GET", "/boards/{id}"),
    route("GET", "/boards"),
    route("ANY", "/boards"),
    route("GET", "/boards/special"),
    route("DELETE", "/boards/{id}/shares/{share}"),
    route("GET", "/"),
]


def found(method: str, path: str) -> tuple[str, str, dict[str, str]] | None:
    match = Router(ROUTES).match(method, path)
    return (match.route.method, match.route.resource, match.parameters) if match else None


def test_a_named_method_goes_before_any() -> None:
    assert found("GET", "/boards") == ("GET", "/boards", {})
    assert found("PUT", "/boards") == ("ANY", "/boards", {})
    assert found("HEAD", "/boards") == ("ANY", "/boards", {})


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "get", "PURGE", "ANY"])
def test_any_stands_for_the_seven_usual_methods(method: str) -> None:
    assert found(method, "/boards") is None


def test_an_unknown_path_or_method_has_no_route() -> None:
    assert found("GET", "/board") is None
    assert found("POST", "/boards/1") is None
    assert found("GET", "/boards/1/shares") is None


def test_a_literal_goes_before_a_parameter() -> None:
    assert found("GET", "/boards/special") == ("GET", "/boards/special", {})
    assert found("GET", "/boards/specials") == ("GET", "/boards/{id}", {"id": "specials"})


def test_every_parameter_is_named() -> None:
    expected = ("DELETE", "/boards/{id}/shares/{share}", {"id": "1", "share": "2"})
    assert found("DELETE", "/boards/1/shares/2") == expected


def test_the_root_is_a_resource_like_others() -> None:
    assert found("GET", "/") == ("GET", "/", {})


@pytest.mark.parametrize("segment", ["a%2Fb", "%2e%2e", "..", "a%20b", "ä", "a;b", "a%2525"])
def test_a_parameter_is_one_segment_and_keeps_its_spelling(segment: str) -> None:
    assert found("GET", f"/boards/{segment}") == ("GET", "/boards/{id}", {"id": segment})


def test_one_slash_at_the_end_is_no_part_of_the_path() -> None:
    assert found("GET", "/boards/") == ("GET", "/boards", {})
    assert found("GET", "/boards/1/") == ("GET", "/boards/{id}", {"id": "1"})


@pytest.mark.parametrize(
    "path",
    [
        "//boards",
        "/boards//",
        "/boards//1",
        "/Boards",
        "/%62oards",
        "/boards%2F1",
        "/./boards",
        "/x/../boards",
        "/boards;x",
        "/boards ",
        "/boards\\1",
    ],
)
def test_another_spelling_of_a_path_is_another_path(path: str) -> None:
    assert found("GET", path) is None


def test_the_stage_is_a_whole_segment() -> None:
    assert without_stage("/v1/boards/", "v1") == "/boards/"
    assert without_stage("/v1", "v1") == "/"
    assert without_stage("/v1/", "v1") == "/"
    assert without_stage("/v1//boards", "v1") == "//boards"
    for outside in ("/v10/boards", "/V1/boards", "//v1/boards", "/boards", "/", "/v1%2Fboards"):
        assert without_stage(outside, "v1") is None
