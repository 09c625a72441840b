from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from chatgrid_auth.http_api.edge import ANSWER_SECONDS, ContractMiddleware

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send


def ask(edge: ContractMiddleware) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(edge({"type": "http", "method": "GET", "headers": []}, receive, send))
    return sent


async def waits_for_a_store_that_never_answers(_: Scope, __: Receive, ___: Send) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(10)
        try:
            ours.recv(1)
        except Exception:  # a client that would try again
            ours.recv(1)


def test_an_answer_that_takes_too_long_becomes_a_503_in_time() -> None:
    start, body = ask(ContractMiddleware(waits_for_a_store_that_never_answers, seconds=0.05))
    assert start["status"] == 503
    assert b"retry-after" in {name.lower() for name, _ in start["headers"]}
    assert json.loads(body["body"])["code"] == "service_unavailable"
    assert ANSWER_SECONDS < 15, "Lambda would end the function first"


def test_the_time_ends_although_it_was_over_where_python_drops_exceptions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dropped = list[str]()
    monkeypatch.setattr(sys, "unraisablehook", lambda _: dropped.append("once"))

    class Finalised:
        def __del__(self) -> None:
            threading.Event().wait(30)

    async def waits_where_it_cannot_be_interrupted(*given: Any) -> None:
        finalised = Finalised()
        del finalised
        await waits_for_a_store_that_never_answers(*given)

    start, _ = ask(ContractMiddleware(waits_where_it_cannot_be_interrupted, seconds=0.5))
    assert (start["status"], dropped) == (503, ["once"])


def test_no_alarm_is_left_behind() -> None:
    async def answers(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    before = signal.getsignal(signal.SIGALRM)
    assert ask(ContractMiddleware(answers))[0]["status"] == 204
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is before


def test_outside_the_main_thread_it_answers_without_a_limit() -> None:
    async def answers(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})

    seen: list[Any] = []
    thread = threading.Thread(target=lambda: seen.extend(ask(ContractMiddleware(answers))))
    thread.start()
    thread.join(5)
    assert [message["status"] for message in seen] == [204]
