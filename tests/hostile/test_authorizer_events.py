"""Whatever an authorizer is asked, API Gateway takes its respond, or it is the store's fault."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chatgrid_auth.domain.errors import Fault
from chatgrid_auth.domain.keys import ALPHABET, KEY_LENGTH
from chatgrid_authorizer.response import respond
from tests.hostile.answers import check, is_served
from tests.support.memory.gate import World
from tests.unit.authorizer.test_event import request_event
from tests.vectors.jwt.forge import recipes

ARN = "arn:aws:execute-api:eu-central-1:123456789012:abc123/v1/{}/{}"
WORLD = World()
THOROUGH = settings(max_examples=400, derandomize=True)

#: Any text that JSON can carry, lone surrogates included.
texts = st.text(st.characters(), max_size=60)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def is_in(secret: str, shown: Any) -> bool:
    return len(secret) > 12 and secret in json.dumps(shown, ensure_ascii=False)


def ask(event: Any) -> dict[str, Any]:
    """The checked answer to an event; its log line is JSON."""
    WORLD.lines.clear()
    given_back = respond(event, gate=WORLD.gate)
    check(given_back)
    (line,) = [text for text in WORLD.lines if '"message":"decision"' in text]
    json.loads(line)
    return given_back


@st.composite
def spoiled(draw: st.DrawFn, whole: str) -> str:
    """A good credential with a few characters changed, added or left out."""
    characters = list(whole)
    for _ in range(draw(st.integers(1, 3))):
        position = draw(st.integers(0, len(characters) - 1))
        characters[position : position + draw(st.integers(0, 1))] = draw(
            st.text(st.characters(), max_size=2)
        )
        if not characters:
            break
    return "".join(characters)


schemes = st.sampled_from(
    ["Bearer ", "bearer ", "BEARER ", "Bearer", "Basic ", "", " Bearer ", "Bearer\t"]
)
# Keys are made anew in each run, so an example names what is spoiled and does not hold it.
good = st.sampled_from(["read", "write", "admin", "jwt"])
hostile_tokens = st.sampled_from(recipes("hostile"))


def credential(name: str) -> str:
    return WORLD.token if name == "jwt" else WORLD.keys[name]


@THOROUGH
@given(scheme=schemes, rest=texts | st.text(ALPHABET + "cgk_live.", max_size=KEY_LENGTH + 4))
@example(scheme="Bearer ", rest="\ud800." * 2)
@example(scheme="Bearer ", rest="cgk_live_" + "\u0661" * 32)
@example(scheme="Bearer ", rest="x" * 10_240)
@example(scheme="Bearer ", rest="\0" * 41)
def test_no_made_up_credential_gets_in(scheme: str, rest: str) -> None:
    given_back = ask(request_event(multiValueHeaders={"Authorization": [scheme + rest]}))
    assert given_back["context"].get("message") == "Missing or invalid token"
    assert not is_in(rest, given_back)
    assert not is_in(rest, WORLD.lines)


@THOROUGH
@given(data=st.data(), name=good)
def test_a_spoiled_credential_does_not_get_in(data: st.DataObject, name: str) -> None:
    whole = credential(name)
    changed = data.draw(spoiled(whole))
    given_back = ask(request_event(multiValueHeaders={"Authorization": [f"Bearer {changed}"]}))
    if changed.strip(" ") != whole:
        assert given_back["context"]["message"] == "Missing or invalid token"


@pytest.mark.parametrize("recipe", recipes("hostile"), ids=lambda recipe: recipe["name"])
def test_a_hostile_token_is_denied_by_the_whole_authorizer(recipe: dict[str, Any]) -> None:
    token = WORLD.provider.forge().token(recipe)
    if token.strip(" ") != token:
        return  # HTTP itself trims a header's value; what is left is tested beside this
    given_back = ask(request_event(multiValueHeaders={"Authorization": [f"Bearer {token}"]}))
    assert given_back["context"]["message"] == "Missing or invalid token"


event_names = [*request_event(), "authorizationToken", "queryStringParameters", "identity", "body"]


@THOROUGH
@given(changes=st.dictionaries(st.sampled_from(event_names), json_values, max_size=6))
@example(changes={"methodArn": "arn:/v1/GET/" + "a" * 1_500})
@example(changes={"methodArn": "arn:aws:execute-api:r:1:a/v1/GET/${aws:username}/x"})
@example(changes={"multiValueHeaders": {"authorization": [["Bearer x"]]}})
@example(changes={"requestContext": {"identity": {"sourceIp": ["127.0.0.1"]}}})
def test_no_change_to_an_event_makes_the_authorizer_fail(changes: dict[str, Any]) -> None:
    ask({**request_event(), **changes})


@THOROUGH
@given(event=json_values)
@example(event=[])
@example(event=None)
@example(event="arn:aws")
def test_what_is_no_event_at_all_is_denied(event: Any) -> None:
    given_back = ask(event)
    (statement,) = given_back["policyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"


@THOROUGH
@given(
    changes=st.dictionaries(
        st.sampled_from([n for n in event_names if n not in {"multiValueHeaders", "headers"}]),
        json_values,
        max_size=5,
    ),
    scope=st.sampled_from(["read", "write"]),
)
def test_no_change_to_an_event_gives_a_lesser_key_the_admin_resource(
    changes: dict[str, Any], scope: str
) -> None:
    # What API Gateway itself fills in, it fills in truly: method, ARN and matched resource.
    told = {name: request_event()[name] for name in ("methodArn", "resource", "type")}
    authorization = {"Authorization": [f"Bearer {WORLD.keys[scope]}"]}
    event = {**request_event(), **changes, **told, "multiValueHeaders": authorization}
    given_back = ask(event)
    assert given_back["context"]["message"] == "Missing required scope: admin"
    assert not is_served(given_back, told["methodArn"])


@THOROUGH
@given(
    path=st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF), max_size=1_500),
    method=st.sampled_from(["GET", "POST", "DELETE"]),
)
@example(path="boards/" + "a" * 1_400, method="GET")
@example(path="boards/${aws:username}", method="GET")
@example(path="boards/*", method="GET")
@example(path="boards/??", method="DELETE")
def test_a_good_key_is_let_in_whatever_the_path_spells(path: str, method: str) -> None:
    arn = ARN.format(method, path)
    event = request_event(
        methodArn=arn,
        resource="/boards/{id}",
        multiValueHeaders={"Authorization": [f"Bearer {WORLD.keys['write']}"]},
    )
    assert is_served(ask(event), arn)


@THOROUGH
@given(values=st.lists(st.sampled_from(["read", "admin", "nothing"]), max_size=4))
@example(values=["admin", "admin"])
def test_several_authorization_headers_are_as_good_as_none(values: list[str]) -> None:
    sent = [f"Bearer {WORLD.keys.get(value, value)}" for value in values]
    for headers in (
        {"Authorization": sent},
        {
            name: [value]
            for name, value in zip(
                ("Authorization", "authorization", "AUTHORIZATION", "AuThorization"),
                sent,
                strict=False,
            )
        },
        {"Authorization": [", ".join(sent)]} if len(sent) != 1 else {},
    ):
        given_back = ask(request_event(multiValueHeaders=headers))
        if len(sent) != 1:
            assert given_back["context"].get("message") == "Missing or invalid token"


@pytest.mark.parametrize("name", ["read", "write", "admin", "jwt"])
def test_only_the_stores_fault_comes_out_and_it_is_no_verdict(name: str) -> None:
    WORLD.store.out = True
    event = request_event(multiValueHeaders={"Authorization": [f"Bearer {credential(name)}"]})
    try:
        with pytest.raises(Fault):
            respond(event, gate=WORLD.gate)
    finally:
        WORLD.store.out = False


@pytest.mark.parametrize("credential_name", ["read", "jwt"])
@pytest.mark.parametrize("shape", ["token", "no resource", "declared"])
def test_no_credential_in_a_path_gets_into_the_log(credential_name: str, shape: str) -> None:
    secret = credential(credential_name)
    arn = ARN.format("GET", f"boards/{secret}")
    event: dict[str, Any] = {
        "token": {"type": "TOKEN", "methodArn": arn, "authorizationToken": "Bearer x"},
        "no resource": {**request_event(methodArn=arn), "resource": None},
        "declared": request_event(methodArn=arn, path=f"/boards/{secret}", resource="/boards/{id}"),
    }[shape]
    ask(event)
    assert not [line for line in WORLD.lines if secret[9:] in line]
    (line,) = [line for line in WORLD.lines if '"message":"decision"' in line]
    assert (json.loads(line)["resource"] == "/boards/{id}") is (shape == "declared")
