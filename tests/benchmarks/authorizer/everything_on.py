"""Warm decisions on all kinds of keys and tokens, each beside the plain key's.

    python -m tests.benchmarks.authorizer.everything_on [--rounds 40]

All are decided in one process, in turn, against the stub in a process of its own. A round is the
least of a few decisions, so that other work on the machine counts little; what is compared are
neighbours of one round.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from unittest.mock import patch

from chatgrid_auth.adapters.awslite.dynamodb import DynamoDB
from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.domain import keys
from chatgrid_authorizer import wiring
from chatgrid_authorizer.response import respond
from tests.benchmarks.authorizer import material
from tests.benchmarks.authorizer.stub_process import Stub, write_certificate
from tests.support.stack.authorizer_settings import SETTINGS
from tests.support.tables.decisions import on_the_wire
from tests.support.tokens import CURRENT, token_of

PLAIN, TOGETHER = "plain key", "rotated key with all of these"
#: Of the plain key's processor time, at most; all of it together has no budget.
AT_MOST = 1.25
_DECISIONS, _COUNTED = 8, 20
_COST = 10
_COSTS = json.dumps({"GET /boards": _COST, "POST /exports": 50})
Items = dict[str, dict[str, Any]]


class Kind(NamedTuple):
    """One kind of credential.

    Attributes:
        name: for the report.
        credential: what a client sends.
        items: what lies in the keys table for it, by partition, or partition and sort key.
        settings: what the deployment says beside the template's defaults.
    """

    name: str
    credential: str
    items: Items
    settings: dict[str, str] = {}  # noqa: RUF012 - never changed


def kinds() -> Iterator[Kind]:
    """All of them, the plain key first."""
    yield Kind(PLAIN, _key(1), _home(1))
    yield Kind("key with notes, addresses and permissions", _key(2), _home(2, policy=True))
    yield Kind("rotated key", _key(13), _home(3, rotated=True))
    yield Kind("derived token", token_of(_key(4)), _home(4))
    yield Kind("key with credits", _key(5), _home(5, credits_left=True))
    costs = {"ROUTE_COSTS": _COSTS}
    yield Kind("route that costs 10", _key(6), _home(6, costs=True), costs)
    whole = _home(7, policy=True, rotated=True, credits_left=True, costs=True)
    yield Kind(TOGETHER, _key(17), whole, costs)


def _key(number: int) -> str:
    return material.raw_key(2_000 + number)


def _home(
    number: int,
    *,
    policy: bool = False,
    rotated: bool = False,
    credits_left: bool = False,
    costs: bool = False,
) -> Items:
    """The items of a key; its later secret is the key ten numbers on."""
    key_hash = keys.hash_of(_key(number))
    partition = items.credential_pk(key_hash)
    home: dict[str, Any] = material.credential(key_hash)
    found: Items = {partition: home}
    if policy:
        home[items.VERSION] = {"N": "3"}
        found[f"{partition} {items.policy_sk(3)}"] = {
            "metadata": {"M": {"team": {"S": "billing"}}},
            "allowed_ips": {"S": "203.0.113.0/24 2001:db8::/32"},
            "permissions": {"S": "boards:read exports:*"},
        }
    if rotated:
        later = keys.hash_of(_key(number + 10))
        tag = keys.tag_of(later)
        home[items.CURRENT] = {"S": tag}
        home[items.until(tag)] = {"N": str(items.NEVER_MS)}
        home[items.used_at(tag)] = {"N": "1800000000000"}
        alias = on_the_wire({items.HOME: {"B": bytes.fromhex(key_hash)}})
        found[items.credential_pk(later)] = alias
    if credits_left:
        home[items.TOP] = {"N": "9000000"}
        home[items.DUE] = {"N": str(items.NEVER_MS)}
    if costs:
        shadows = {f"u{cost}": {"N": str(material.USED + cost - 1)} for cost in (_COST, 50)}
        home |= {items.GENERATION: {"S": f"{_COST},50"}, **shadows}
    return found


class Decisions(NamedTuple):
    """Running decisions.

    Attributes:
        calls: by kind, what decides once and tells the nanoseconds of the processor that it took.
        stub: the store.
    """

    calls: dict[str, Callable[[], int]]
    stub: Stub


@contextmanager
def running() -> Iterator[Decisions]:
    """Every kind, met by its container before."""
    chosen = list(kinds())
    issuer = material.Issuer()
    stored = {name: item for kind in chosen for name, item in kind.items.items()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_certificate(folder)
        settings = {
            "jwks": issuer.public,
            "keys": 0,
            "items": {material.KEYS_TABLE: stored},
            "secret": json.dumps({"current": CURRENT.decode()}),
        }
        with Stub(folder, settings) as stub:
            clients: list[DynamoDB] = []

            def remembered(**given: Any) -> DynamoDB:
                clients.append(DynamoDB(**given))
                return clients[-1]

            chosen.append(Kind("JWT seen again", next(issuer.tokens(stub.url)), {}))
            with patch.object(wiring, "DynamoDB", remembered):
                calls = {kind.name: _deciding(kind, stub.url) for kind in chosen}
            for call in calls.values():
                for _ in range(_COUNTED):
                    call()
            yield Decisions(calls, stub)
            for client in clients:
                client.reset()


def _deciding(kind: Kind, url: str) -> Callable[[], int]:
    gate = wiring.build(
        {
            **SETTINGS,
            **kind.settings,
            "KEYS_TABLE": material.KEYS_TABLE,
            "RATE_LIMITS_TABLE": material.RATE_LIMITS_TABLE,
            "SUPABASE_URL": url,
            "AWS_ENDPOINT_URL_DYNAMODB": url,
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": url,
            "FAILED_ATTEMPTS_PER_MINUTE": "30",
        }
    )
    gate.log = lambda _: None
    event = material.event(kind.credential)

    def nanoseconds() -> int:
        started = time.thread_time_ns()
        given = respond(event, gate=gate)
        taken = time.thread_time_ns() - started
        assert given["context"]["verdict"] == "allowed", (kind.name, given["context"])
        return taken

    return nanoseconds


def requests_of(decisions: Decisions) -> dict[str, float]:
    """Store requests of one decision, by kind."""
    found = {}
    for name, call in decisions.calls.items():
        before = sum(decisions.stub.statistics()["requests"].values())
        for _ in range(_COUNTED):
            call()
        after = sum(decisions.stub.statistics()["requests"].values())
        found[name] = (after - before) / _COUNTED
    return found


def taken(decisions: Decisions, rounds: int) -> dict[str, list[float]]:
    """Processor seconds of a decision by kind, one entry a round."""
    found: dict[str, list[float]] = {name: [] for name in decisions.calls}
    names = list(found)
    for turn in range(rounds):
        start = turn % len(names)
        for name in names[start:] + names[:start]:
            call = decisions.calls[name]
            found[name].append(min(call() for _ in range(_DECISIONS)) / 1e9)
    return found


def ratio(seconds: dict[str, list[float]], name: str) -> float:
    """The median over the rounds of this kind by the plain key beside it."""
    pairs = zip(seconds[name], seconds[PLAIN], strict=True)
    return float(median(one / plain for one, plain in pairs))


def measured(rounds: int) -> dict[str, Any]:
    """Seconds and requests of every kind."""
    with running() as decisions:
        return {"requests": requests_of(decisions), "cpu": taken(decisions, rounds)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    found = measured(parser.parse_args().rounds)
    for name, seconds in found["cpu"].items():
        print(
            f"{name:42} {median(seconds) * 1e6:6.0f} µs {ratio(found['cpu'], name):5.2f}"
            f" {found['requests'][name]:4.1f} requests"
        )


if __name__ == "__main__":
    main()
