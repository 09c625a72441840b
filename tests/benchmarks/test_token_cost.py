"""A derived token takes little more of the processor than its key: one HMAC."""

from __future__ import annotations

import json
import statistics
import time
from typing import TYPE_CHECKING, Any

import pytest

from chatgrid_auth.adapters.awslite.dynamodb import DynamoDB
from chatgrid_authorizer import wiring
from chatgrid_authorizer.response import respond
from tests.benchmarks.authorizer import material
from tests.benchmarks.authorizer.stub_process import Stub, write_certificate
from tests.support.servers.fault_server import FaultServer, answer, response
from tests.support.stack.authorizer_settings import SETTINGS
from tests.support.tokens import CURRENT, token_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_WARM, _ROUNDS = 50, 200
#: Of the processor, in one process and in turn.
AT_MOST = 1.25


def ratio(one: Callable[[], int], other: Callable[[], int]) -> float:
    """What one takes by what the other does, both in turn, by the quickest tenth of each."""
    taken: dict[Callable[[], int], list[int]] = {one: [], other: []}
    for number in range(_ROUNDS):
        for each in (one, other) if number % 2 else (other, one):
            taken[each].append(each())
    quick = {each: statistics.quantiles(times, n=10)[0] for each, times in taken.items()}
    return quick[one] / quick[other]


def test_a_warm_token_costs_a_quarter_more_than_its_key_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against a store in a process of its own, so that its time is nobody's here."""
    write_certificate(tmp_path)
    told = {"SecretString": json.dumps({"current": CURRENT.decode()}), "CreatedDate": 1.0}
    settings = {"jwks": {"keys": []}, "items": {}, "keys": 1}
    with Stub(tmp_path, settings) as stub, FaultServer(answer(response(told))) as secrets:
        clients: list[DynamoDB] = []

        def remembered(**settings: Any) -> DynamoDB:
            clients.append(DynamoDB(**settings))
            return clients[-1]

        monkeypatch.setattr(wiring, "DynamoDB", remembered)
        gate = wiring.build(
            {
                **SETTINGS,
                "KEYS_TABLE": material.KEYS_TABLE,
                "AWS_ENDPOINT_URL_DYNAMODB": stub.url,
                "AWS_ENDPOINT_URL_SECRETS_MANAGER": secrets.url,
            }
        )
        gate.log = lambda _: None
        raw = material.raw_key(0)

        def asking(credential: str) -> Callable[[], int]:
            event = material.event(credential)

            def nanoseconds() -> int:
                started = time.thread_time_ns()
                given: dict[str, Any] = respond(event, gate=gate)
                taken = time.thread_time_ns() - started
                assert given["context"]["verdict"] == "allowed"
                return taken

            return nanoseconds

        key, token = asking(raw), asking(token_of(raw))
        for _ in range(_WARM):
            key(), token()
        ratios = [ratio(token, key) for _ in range(3)]
        for client in clients:
            client.reset()
    print("a warm token takes", *(f"{one:.3f}" for one in ratios), "of its key's processor time")
    assert min(ratios) <= AT_MOST
