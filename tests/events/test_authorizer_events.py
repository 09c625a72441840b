"""Each authorizer event leads to the outcome that it is named for. The keys in them are made up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table import items, key_items, policy_items
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.adapters.rate_limits_table.user_windows import UserWindows
from chatgrid_auth.domain import keys
from chatgrid_auth.domain.credentials import ApiKey
from chatgrid_auth.services.gate.authenticate import Authenticator
from chatgrid_auth.services.gate.requests import Request, Routes
from chatgrid_authorizer.response import Gate, respond
from tests.support.tables.decisions import NoTokens
from tests.support.tables.stores import keys_table, moto_client, rate_limits_table
from tests.support.tokens import derived

EVENTS = Path(__file__).parents[2] / "events" / "authorizer"
ALL = sorted(EVENTS.glob("*.json"))
HTTP_API = [file for file in ALL if "-http-api" in file.stem]
FILES = [file for file in ALL if file not in HTTP_API]
NOW_MS = 1_795_515_330_000
OWNER = "6f1f0a8e-6b5b-4b8e-9a36-0f2b7e4a1c11"

#: The made-up keys of the events by the word in them, and what the store knows of each.
KNOWN: dict[str, dict[str, Any]] = {
    "eventgood": {"scopes": ["write"]},
    "eventread": {"scopes": ["read"]},
    "eventadmin": {"scopes": ["admin"]},
    "eventtest": {"scopes": ["read"], "environment": "test"},
    "eventrevoked": {"scopes": ["read"], "off": "revoked"},
    "eventdisabled": {"scopes": ["read"], "off": "manual"},
    "eventended": {"scopes": ["read"], "ended": True},
    "eventexpired": {"scopes": ["read"], "expires": NOW_MS},
    "eventlimited": {"scopes": ["read"], "limit": 1, "used": True},
    "eventnetwork": {"scopes": ["read"], "allowed_ips": ("203.0.113.0/24",)},
    "eventpermitted": {"scopes": ["write"], "permissions": ("boards:read",)},
    "eventpublishable": {
        "scopes": ["read"],
        "kind": "publishable",
        "allowed_origins": ("https://app.example.com",),
    },
    "eventcanary": {"scopes": ["read"], "kind": "canary"},
}
MESSAGES = {
    "refused-revoked": ("revoked", "API key has been revoked"),
    "refused-disabled": ("disabled", "API key is disabled"),
    "refused-ended": ("ended", "API key has been revoked"),
    "refused-expired": ("expired", "API key has expired"),
    "refused-unknown": ("unknown", "Missing or invalid token"),
    "refused-canary": ("canary", "Missing or invalid token"),
    "refused-derived-token-made-up": ("invalid_token", "Missing or invalid token"),
    "refused-derived-token-ended": ("invalid_token", "Missing or invalid token"),
    "refused-derived-token-of-a-revoked-key": ("revoked", "API key has been revoked"),
    "refused-jwt-without-signature": ("invalid_token", "Missing or invalid token"),
}
#: Why a request is forbidden, where another scope would not help.
RULES = {
    "forbidden-source-address": "Source address not allowed",
    "forbidden-forwarded-for-a-friend": "Source address not allowed",
    "forbidden-derived-token-source-address": "Source address not allowed",
    "forbidden-origin-of-another-page": "Origin not allowed",
    "forbidden-origin-null": "Origin not allowed",
    "forbidden-no-origin": "Origin not allowed",
    "forbidden-permission": "Missing required permission: boards:write",
    "forbidden-admin-verifies-keys": "Missing required permission: keys:verify",
}
MALFORMED = ("malformed", "Missing or invalid token")


def load(file: Path) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(file.read_text())
    return event


def keys_in(event: dict[str, Any]) -> set[str]:
    text = json.dumps(event)
    starts = [i for i in range(len(text)) if text.startswith(("cgk_", "cgp_"), i)]
    return {text[i : i + keys.KEY_LENGTH] for i in starts}


def key_of(raw: str, facts: dict[str, Any]) -> ApiKey:
    return ApiKey(
        id="01890a5d-ac96-774b-bcce-b302099a8057",
        owner=OWNER,
        name="key",
        prefix=keys.prefix_of(raw),
        scopes=tuple(facts["scopes"]),
        environment=keys.environment_of(raw),
        rate_limit=facts.get("limit", 120),
        created_at_ms=0,
        expires_at_ms=facts.get("expires"),
        kind=facts.get("kind", "secret"),
        allowed_ips=facts.get("allowed_ips"),
        allowed_origins=facts.get("allowed_origins"),
        permissions=facts.get("permissions"),
    )


def items_of(raw: str, facts: dict[str, Any]) -> list[dict[str, Any]]:
    """What the store has of a key: its credential, and the policy of one that has any."""
    made = key_of(raw, facts)
    item = key_items.credential(made, keys.hash_of(raw), imported=False)
    if "off" in facts:
        del item[items.LEVEL]
        item[items.OFF] = items.s(facts["off"])
    if "ended" in facts:  # its key has another secret by now
        item[items.CURRENT] = items.s("AAAAAA")
        item[items.until("AAAAAA")] = item.pop(items.until(keys.tag_of(keys.hash_of(raw))))
    if not policy_items.attributes(made):
        return [item]
    return [item, policy_items.policy(made, keys.hash_of(raw), policy_items.FIRST)]


@pytest.fixture(scope="module")
def gate() -> Iterator[Gate]:
    """The gate over a store that knows the events' keys."""
    with moto_client() as client:
        table = keys_table(client)
        transport = Boto3Transport(client)
        decisions = KeyDecisions(transport, table=table)
        for raw in {raw for file in ALL for raw in keys_in(load(file))}:
            facts = KNOWN.get(raw[9:-7].rstrip("0"))
            if facts is not None and keys.is_well_formed(raw):
                for item in items_of(raw, facts):
                    transport.call("PutItem", {"TableName": table, "Item": item})
                if facts.get("used"):
                    decisions.admit(keys.hash_of(raw), now_ms=NOW_MS, request=Request("read"))
        yield Gate(
            authenticator=Authenticator(
                keys=decisions,
                users=UserWindows(
                    transport,
                    table=rate_limits_table(client),
                    limit=200,
                    now_ms=lambda: NOW_MS,
                ),
                tokens=NoTokens,
                derived=derived,
                key_tier="standard-tier",
                jwt_tier="web-tier",
                limited_tier="limited-tier",
            ),
            now_ms=lambda: NOW_MS,
            elapsed_ms=lambda: 0.0,
            store_waited_ms=lambda: 0.0,
            log=lambda _: None,
            metrics_namespace="ChatGrid/test",
            routes=Routes(permissions={}),
        )


def test_there_are_events_of_every_outcome() -> None:
    outcomes = {file.stem.split("-", maxsplit=1)[0] for file in FILES}
    assert outcomes == {"allowed", "forbidden", "limited", "refused"}
    assert {load(file)["type"] for file in FILES} == {"REQUEST", "TOKEN"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_event_leads_to_the_outcome_in_its_name(gate: Gate, file: Path) -> None:
    event = load(file)
    given = respond(event, gate=gate)
    (statement,) = given["policyDocument"]["Statement"]
    assert statement["Resource"] == event["methodArn"]
    context = given["context"]
    match file.stem.split("-", maxsplit=1)[0]:
        case "allowed":
            assert (statement["Effect"], context["verdict"]) == ("Allow", "allowed")
            assert (given["principalId"], context["user_id"]) == (OWNER, OWNER)
            assert given["usageIdentifierKey"] == "standard-tier"
        case "forbidden":
            assert (statement["Effect"], context["verdict"]) == ("Allow", "forbidden")
            assert "usageIdentifierKey" not in given
            rule = RULES.get(file.stem)
            assert context["message"] == rule or (
                rule is None and context["message"].startswith("Missing required scope: ")
            )
        case "limited":
            assert (statement["Effect"], context["verdict"]) == ("Allow", "rate_limited")
            assert context["retry_after"] >= 1
        case _:
            assert statement["Effect"] == "Deny"
            expected = MESSAGES.get(file.stem, MALFORMED)
            assert (context["reason"], context["message"]) == expected


@pytest.mark.parametrize("file", HTTP_API, ids=lambda file: file.stem)
def test_an_http_apis_event_leads_to_the_outcome_in_its_name(gate: Gate, file: Path) -> None:
    event = load(file)
    given = respond(event, gate=gate)
    outcome = file.stem.split("-", maxsplit=1)[0]
    guarded = event["stageVariables"] == {"chatgrid": "guarded"}
    assert given["isAuthorized"] is (guarded or outcome == "allowed")
    verdicts = {"limited": "rate_limited"}
    assert given["context"]["verdict"] == verdicts.get(outcome, outcome)
    assert ("user_id" in given["context"]) == (outcome == "allowed")


@pytest.mark.parametrize("file", ALL, ids=lambda file: file.stem)
def test_the_keys_in_an_event_are_visibly_made_up(file: Path) -> None:
    for raw in keys_in(load(file)):
        assert "event" in raw[9:] or raw[9:].startswith("a1b2c3d4e5f6")
