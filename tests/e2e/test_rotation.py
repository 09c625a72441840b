"""Rotation and the key in one's hand, seen from outside."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from tests.support.stack.api import Api, problem

REVOKED = (401, "unauthorized", "API key has been revoked")


@pytest.fixture(scope="module")
def admin(as_user: Callable[..., Api]) -> Api:
    """An admin key of a user of this module's own."""
    user = as_user(str(uuid4()))
    return user.holding(user.create_key(scopes=["admin"], rate_limit=10_000)["raw_key"])


def test_both_secrets_work_on_one_budget_until_the_former_is_ended(admin: Api) -> None:
    made = admin.create_key(rate_limit=100)
    former = admin.holding(made["raw_key"])
    assert former.ask("GET", "/boards").status_code == 200
    response = admin.ask("POST", f"/me/api-keys/{made['id']}/rotate")
    assert response.status_code == 200
    rotated = response.json()["data"]
    assert rotated["id"] == made["id"]
    assert rotated["previous_secret"]["key_prefix"] == made["key_prefix"]
    current = admin.holding(rotated["raw_key"])
    left = [
        int(one.ask("GET", "/boards").headers["x-ratelimit-remaining"])
        for one in (current, former, current)
    ]
    assert left == [98, 97, 96]
    assert current.ask("GET", "/me").json()["data"]["api_key"]["id"] == made["id"]

    again = admin.ask("POST", f"/me/api-keys/{made['id']}/rotate")
    assert problem(again)[:2] == (409, "previous_secret_active")
    ended = admin.ask("DELETE", f"/me/api-keys/{made['id']}/previous-secret")
    assert ended.json()["data"]["previous_secret"] is None
    assert problem(former.ask("GET", "/boards")) == REVOKED
    assert current.ask("GET", "/boards").status_code == 200


def test_a_key_over_its_limit_can_still_be_ended_by_its_holder(admin: Api) -> None:
    made = admin.create_key(scopes=["read"], rate_limit=2)
    holder = admin.holding(made["raw_key"])
    own = holder.ask("GET", "/me/api-key")
    assert own.json()["data"]["id"] == made["id"]
    refused = holder.ask("POST", "/me/api-key/rotate")
    assert problem(refused) == (403, "forbidden", "Self-rotation is not allowed")
    assert holder.ask("GET", "/me/api-key").status_code == 429
    gone = holder.ask("DELETE", "/me/api-key")
    assert gone.status_code == 200
    assert gone.json()["data"] == {"id": made["id"], "revoked": True}
    assert holder.ask("DELETE", "/me/api-key").status_code == 401


def test_a_session_has_no_key_in_its_hand(as_user: Callable[..., Api]) -> None:
    assert as_user(str(uuid4())).ask("GET", "/me/api-key").status_code == 404
