"""Permissions are exact, wildcards a whole last part, and nobody gives what it lacks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgrid_auth.domain.rules import permissions

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "vectors/rules/permissions.json").read_text()
)
_SOME = st.sampled_from(["*", "a:*", "a:x", "a:y", "b:*", "b:x", "keys:*", "keys:verify"])
_LISTS = st.none() | st.lists(_SOME, min_size=1, max_size=5)


@pytest.mark.parametrize("text", VECTORS["accepted"])
def test_a_permission_of_the_contract_is_accepted(text: str) -> None:
    permissions.check_permission(text)


@pytest.mark.parametrize("number", range(len(VECTORS["refused"])))
def test_what_is_no_permission_is_refused_without_being_echoed(number: int) -> None:
    text = VECTORS["refused"][number]
    with pytest.raises(ValueError, match=r"^Must be") as refused:
        permissions.check_permission(text)
    assert len(text) < 12 or text not in str(refused.value)


@pytest.mark.parametrize(("granted", "needed", "covered"), VECTORS["covers"])
def test_a_permission_is_covered_by_itself_or_a_wildcard_alone(
    granted: list[str] | None, needed: str | None, covered: bool
) -> None:
    assert permissions.covers(granted, needed) is covered


@pytest.mark.parametrize(("asked", "own", "may"), VECTORS["within"])
def test_nobody_gives_a_key_what_its_own_permissions_lack(
    asked: list[str] | None, own: list[str] | None, may: bool
) -> None:
    assert permissions.within(asked, own) is may


@given(_LISTS, _LISTS, st.sampled_from(["a:x", "a:z", "b:x", "c:x", "keys:verify", "*"]))
def test_a_key_within_its_makers_permissions_opens_nothing_more(
    asked: list[str] | None, own: list[str] | None, needed: str
) -> None:
    if own is not None and permissions.within(asked, own) and permissions.covers(asked, needed):
        assert permissions.covers(own, needed)


@pytest.mark.parametrize(
    "mapped",
    [
        {"POST /exports": "exports"},
        {"POST /exports": "exports:*"},
        {"POST /exports": "*"},
        {"post /exports": "exports:run"},
        {"HEAD /exports": "exports:run"},
        {"/exports": "exports:run"},
        {"POST exports": "exports:run"},
        {"POST /exports /x": "exports:run"},
    ],
)
def test_a_deployment_that_maps_no_real_route_is_refused(mapped: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="exports"):
        permissions.check_routes(mapped)
    permissions.check_routes({"POST /exports": "exports:run", "GET /a/{id}": "a:b"})
