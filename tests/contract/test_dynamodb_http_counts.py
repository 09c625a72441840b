"""What a warm call costs is held in counts, which no slow machine changes."""

from __future__ import annotations

import sys
from collections import Counter
from types import FrameType

from tests.contract.clients import Connect, Serve, connect, serve
from tests.support.servers.fault_server import answer, response

__all__ = ["connect", "serve"]  # fixtures

ANSWER = {"Attributes": {f"k{n}": {"N": "1"} for n in range(20)}}
SYSTEM_CALLS = {"poll", "send", "recv", "connect", "getaddrinfo", "setsockopt", "setblocking"}


def test_a_warm_call_is_four_system_calls_and_few_others(serve: Serve, connect: Connect) -> None:
    server = serve(*[answer(response(ANSWER))] * 3)
    # The clock stands still: a second that passes between the calls costs more, once.
    client = connect(server, clock=lambda: 1_800_000_000.0)
    for _ in range(2):
        client.call_encoded("UpdateItem", b"{}")
    system_calls: Counter[str] = Counter()
    calls = 0

    def count(_: FrameType, event: str, function: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}
        name = getattr(function, "__name__", "")
        if event == "c_call" and name in SYSTEM_CALLS:
            system_calls[name] += 1

    sys.setprofile(count)
    try:
        client.call_encoded("UpdateItem", b"{}")
    finally:
        sys.setprofile(None)
    # One look whether the connection has gone stale, one wait for the answer.
    assert system_calls == {"poll": 2, "send": 1, "recv": 1}
    assert calls <= 110
