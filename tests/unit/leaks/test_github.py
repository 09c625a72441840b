"""GitHub's protocol to the letter: signed or unread, and told which tokens are ours."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from typing import Any

import pytest

from chatgrid_auth.adapters.leaks.github_keys import parse_keys
from chatgrid_auth.domain import keys
from chatgrid_auth.domain.errors import IdentityProviderUnavailable
from tests.unit.leaks.conftest import GITHUBS_KEY_ID, World

#: Of another body than any here.
SAMPLE_SIGNATURE = (
    "MEQCIQDaMKqrGnE27S0kgMrEK0eYBmyG0LeZismAEz/BgZyt7AIfXt9fErtRS4XaeSt/"
    "AO1RtBY66YcAdjxji410VQV4xg=="
)
URL = "https://github.com/octocat/Hello-World/blob/main/.env"


def match(token: str, **facts: Any) -> dict[str, Any]:
    return {"token": token, "type": "chatgrid_api_key", "url": URL, "source": "content", **facts}


def new_key() -> str:
    return keys.generate("live", entropy=os.urandom)


@pytest.mark.parametrize(
    "published",
    [
        {},
        [],
        {"public_keys": []},
        {"public_keys": [{"key_identifier": "a", "key": "none"}]},
        {"public_keys": "x"},
        {"public_keys": [{"key": "x"}]},
    ],
    ids=str,
)
def test_what_is_no_list_of_githubs_keys_is_a_fault(published: Any) -> None:
    with pytest.raises(IdentityProviderUnavailable):
        parse_keys(json.dumps(published).encode())


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Github-Public-Key-Identifier": GITHUBS_KEY_ID},
        {"Github-Public-Key-Signature": SAMPLE_SIGNATURE},
        {
            "Github-Public-Key-Identifier": GITHUBS_KEY_ID,
            "Github-Public-Key-Signature": SAMPLE_SIGNATURE,
        },
        {"Github-Public-Key-Identifier": "x", "Github-Public-Key-Signature": SAMPLE_SIGNATURE},
    ],
    ids=["none", "key only", "signature only", "another's signature", "another's key"],
)
@pytest.mark.parametrize("content", [[], b"\xff no json", b"{" * 50_000], ids=["ok", "raw", "deep"])
def test_what_is_not_signed_is_401_and_unread(
    world: World, headers: dict[str, str], content: Any
) -> None:
    text = content if isinstance(content, list) else content.decode("latin-1")
    reply = world.as_github(text, headers=headers)
    assert reply.problem()[:2] == (401, "unauthorized")
    assert reply.headers["www-authenticate"] == "Bearer"
    assert world.keys.asked == 0


def test_githubs_keys_out_of_reach_are_503(world: World) -> None:
    world.github.out = True
    reply = world.as_github([match(new_key())])
    assert reply.problem()[:2] == (503, "service_unavailable")
    assert reply.headers["retry-after"]


def test_github_is_told_which_tokens_are_ours_by_their_hashes(world: World) -> None:
    ours, other = new_key(), new_key()
    world.keys.ours[keys.hash_of(ours)] = True
    reply = world.as_github([match(ours), match(other), match("nothing"), match(ours)])
    assert reply.status == 200
    labels = {(one["token_hash"], one["token_type"]): one["label"] for one in reply.json}
    kind = "chatgrid_api_key"
    assert labels == {
        (sha256(ours.encode()).hexdigest(), kind): "true_positive",
        (sha256(other.encode()).hexdigest(), kind): "false_positive",
        (sha256(b"nothing").hexdigest(), kind): "false_positive",
    }
    assert not any(token in reply.text for token in (ours, other))
    assert world.keys.done == [("disable", keys.hash_of(ours))]


def test_the_entry_tells_where_github_found_it(world: World) -> None:
    ours = new_key()
    world.keys.ours[keys.hash_of(ours)] = True
    world.as_github([match(ours)])
    (event,) = world.keys.events
    assert event.changes == {"exposed_url": {"from": None, "to": URL}}


def test_a_secret_that_opens_nothing_any_more_is_still_ours(world: World) -> None:
    former = new_key()
    world.keys.ours[keys.hash_of(former)] = False
    reply = world.as_github([match(former, url="")])
    assert [one["label"] for one in reply.json] == ["true_positive"]
    assert world.keys.done == []


@pytest.mark.parametrize(
    "content",
    [{}, [1], [{"token": "a"}], [{"type": "a"}], [match(1)], "[", [match("a", url=1)]],  # type: ignore[arg-type]
    ids=str,
)
def test_a_signed_report_of_another_shape_is_400(world: World, content: Any) -> None:
    raw = content.encode() if isinstance(content, str) else json.dumps(content).encode()
    assert world.as_github(raw).problem()[:2] == (400, "validation_error")


def test_an_empty_report_and_fields_that_github_adds_are_fine(world: World) -> None:
    assert world.as_github([]).json == []
    assert world.as_github([match("x", novelty={"a": 1})]).status == 200


def test_a_report_of_hundreds_is_looked_up_by_the_hundred(world: World) -> None:
    reply = world.as_github([match(new_key()) for _ in range(250)])
    assert len(reply.json) == 250
    assert world.keys.asked == 3
