"""Hostile addresses, origins, permissions and tokens, through the authorizer and the guard.

None is admitted, none makes either fail, and what is good between them goes through.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table import items, policy_items
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.domain import keys
from chatgrid_auth.domain.rules.sources import source_behind
from chatgrid_auth.domain.scopes import VERIFY_PERMISSION, required_scope
from chatgrid_auth.guard import inspect
from chatgrid_auth.services.gate.authenticate import Authenticator
from chatgrid_auth.services.gate.requests import Routes
from chatgrid_authorizer.response import Gate, respond
from tests.support.http_api import allowed, key_caller, proxy_event
from tests.support.tables.decisions import NoTokens
from tests.support.tables.in_process import in_process_dynamodb
from tests.support.tables.key_service import key_service, new_key
from tests.support.tables.stores import keys_table
from tests.support.tokens import derived, token_of
from tests.vectors.tokens import forge

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

VECTORS = Path(__file__).parents[1] / "vectors"
NOW_MS = 1_800_000_000_000
HERE, THERE, PROXY = "192.0.2.1", "203.0.113.9", "198.51.100.1"
ANYWHERE = ["0.0.0.0/0", "::/0"]
RULES: dict[str, Any] = {
    name: json.loads((VECTORS / f"rules/{name}.json").read_text("utf-8"))
    for name in ("addresses", "origins", "permissions")
}
TOKENS: list[dict[str, Any]] = json.loads((VECTORS / "tokens/hostile.json").read_text("utf-8"))


class Edge:
    """The authorizer over a store of real keys, what API Gateway makes of it, and the guard."""

    def __init__(self, client: DynamoDBClient) -> None:
        self.table, self.transport = keys_table(client), Boto3Transport(client)
        self._keys = key_service(client, table=self.table, now_ms=lambda: NOW_MS)
        self.start()

    def start(self) -> None:
        """Start containers anew, which remember nothing."""
        decisions = KeyDecisions(self.transport, table=self.table)
        self.gates = [self._gate(decisions, proxies) for proxies in (0, 1)]

    def _gate(self, decisions: KeyDecisions, proxies: int) -> Gate:
        return Gate(
            authenticator=Authenticator(
                keys=decisions,
                users=None,  # type: ignore[arg-type]  # keys only
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
            source_of=lambda event, peer: source_behind(event, peer, proxies=proxies),
        )

    def key(self, **facts: Any) -> str:
        """A key that the store knows."""
        return new_key(self._keys, str(uuid4()), rate_limit=60_000, **facts).raw_key

    def status(
        self, credential: str, *, source: str = HERE, proxies: int = 0, **headers: str
    ) -> int:
        """What a ``GET /v1/boards`` comes to."""
        named = {name.replace("_", "-"): [value] for name, value in headers.items()}
        event = {
            "type": "REQUEST",
            "methodArn": "arn:aws:execute-api:eu-central-1:111122223333:abcdef/v1/GET/boards",
            "resource": "/boards",
            "multiValueHeaders": {"Authorization": [f"Bearer {credential}"], **named},
            "requestContext": {"requestId": "r", "identity": {"sourceIp": source}},
        }
        answer = respond(event, gate=self.gates[proxies])
        (statement,) = answer["policyDocument"]["Statement"]
        context = {name: str(value) for name, value in answer["context"].items()}
        behind = inspect(
            proxy_event("GET", "/boards", authorizer=context),
            allow_origin="*",
            required_scope=required_scope,
            now_s=NOW_MS / 1000,
        )
        if statement["Effect"] == "Deny":
            assert behind.caller is None, "the second lock"
            return 401
        if "usageIdentifierKey" not in answer:
            assert behind.caller is None, "the second lock"
            return 403
        return behind.status if behind.caller is None else 200

    def verdict(self, **body: Any) -> tuple[int, Any]:
        """What ``POST /v1/keys/verify`` says."""
        caller = key_caller(scope="read", permissions=(VERIFY_PERMISSION,))
        event = proxy_event(
            "POST", "/keys/verify", authorizer=allowed(caller), body=json.dumps(body)
        )
        answer = respond(event, gate=self.gates[0])
        return answer["statusCode"], json.loads(answer["body"]).get("data", {}).get("valid")


@pytest.fixture(scope="module")
def edge() -> Iterator[Edge]:
    with in_process_dynamodb() as client:
        yield Edge(client)


def test_there_are_more_than_400_of_all_four_kinds() -> None:
    counts = [len(set(rules["refused"])) for rules in RULES.values()]
    counts.append(len({recipe["name"] for recipe in TOKENS}))
    assert min(counts) >= 100
    assert sum(counts) >= 570


def test_what_is_no_address_is_a_source_that_no_list_holds(edge: Edge) -> None:
    raw = edge.key(allowed_ips=ANYWHERE)
    seen = {text: edge.status(raw, source=text) for text in RULES["addresses"]["refused"]}
    assert {text for text, status in seen.items() if status != 403} == set()
    assert edge.status(raw) == edge.status(raw, source="2001:db8::1") == 200


def test_no_text_ahead_of_the_proxies_makes_a_source(edge: Edge) -> None:
    raw = edge.key(allowed_ips=[HERE])
    for text in [*RULES["addresses"]["refused"], HERE, f"{HERE}, {HERE}"]:
        line = f"{text}, {THERE}, {PROXY}"
        assert edge.status(raw, source=PROXY, proxies=1, X_Forwarded_For=line) == 403, text
    line = f"{THERE}, {HERE}, {PROXY}"
    assert edge.status(raw, source=PROXY, proxies=1, X_Forwarded_For=line) == 200


def test_a_key_and_its_token_pass_from_their_networks_alone(edge: Edge) -> None:
    matching = RULES["addresses"]["matching"]
    held_by = {network: edge.key(allowed_ips=[network]) for network, _, _ in matching}
    unbound = edge.key()
    for network, source, held in matching:
        bound = token_of(unbound, allowed_ips=(network,))
        for credential in (held_by[network], token_of(held_by[network]), bound):
            assert edge.status(credential, source=source) == (200 if held else 403), source


def test_no_hostile_origin_opens_a_publishable_key(edge: Edge) -> None:
    pages = RULES["origins"]["accepted"]
    raw = edge.key(kind="publishable", allowed_origins=pages)
    for credential in (raw, token_of(raw)):
        assert edge.status(credential) == 403
        for text in RULES["origins"]["refused"]:
            assert edge.status(credential, Origin=text) == 403, text
        for page in pages:
            assert edge.status(credential, Origin=page) == 200, page
        assert edge.status(credential, Origin=pages[0], origin=pages[0]) == 403, "two of them"


def test_no_hostile_permission_opens_anything_wherever_it_was_written(edge: Edge) -> None:
    """As if one had got past the API: into a policy, or into what a backend is told."""
    raw = edge.key(permissions=["boards:write"])
    written: dict[str, Any] = {
        "TableName": edge.table,
        "Key": policy_items.place(keys.hash_of(raw), policy_items.FIRST),
        "UpdateExpression": "SET #p = :p",
        "ExpressionAttributeNames": {"#p": "permissions"},
    }
    for text in RULES["permissions"]["refused"]:
        if len(text.split()) > 1 or text.strip() != text:
            continue  # several of them, where they are kept with a space between
        written["ExpressionAttributeValues"] = {":p": items.s(text)}
        edge.transport.call("UpdateItem", written)
        edge.start()
        assert edge.status(raw) == edge.status(token_of(raw)) == 403, text
        caller = key_caller(scope="read", permissions=(text,))
        behind = inspect(
            proxy_event("GET", "/boards", authorizer=allowed(caller)),
            allow_origin="*",
            required_scope=required_scope,
            now_s=NOW_MS / 1000,
        )
        assert (behind.caller, behind.status) == (None, 403), text
    assert edge.status(edge.key(permissions=["boards:read"])) == 200


@pytest.mark.parametrize("proxies", [0, 1])
def test_no_hostile_token_is_admitted(edge: Edge, proxies: int) -> None:
    raw, other = edge.key(), edge.key(scopes=["write"])
    line = f"{HERE}, {PROXY}"
    for number, recipe in enumerate(TOKENS):
        text = forge.forged(recipe, raw, other)
        status = edge.status(text, source=PROXY, proxies=proxies, X_Forwarded_For=line)
        assert status == 401, recipe["name"]
        if number % 10 == 0:
            assert edge.status(token_of(raw)) == 200


def test_verdicts_for_others_take_none_of_them(edge: Edge) -> None:
    raw, other = edge.key(allowed_ips=ANYWHERE, permissions=["*"]), edge.key()
    good = {"credential": raw, "scope": "read", "source_ip": HERE}
    assert edge.verdict(**good) == (200, True)
    for text in RULES["addresses"]["refused"]:
        status, valid = edge.verdict(**{**good, "source_ip": text})
        assert (status, valid) == (400, None) or (text == "" and not valid), text
    for text in RULES["permissions"]["refused"]:
        assert edge.verdict(**good, permission=text) == (400, None), text
    for recipe in TOKENS:
        text = forge.forged(recipe, raw, other)
        assert edge.verdict(**{**good, "credential": text}) == (200, False), recipe["name"]
