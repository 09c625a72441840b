"""The authorizer of this project, as deployed."""

from __future__ import annotations

from chatgrid_auth.services.gate.authenticate import Authenticator
from chatgrid_auth.services.gate.requests import Request
from chatgrid_authorizer.handler import _gate, handler

# What is deployed loads no `typing`, which takes a quarter of a bare start.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["handler"]


def parts(events: dict[str, Any]) -> dict[str, Callable[[], object]]:
    """Parts of a decision that are measured by themselves."""
    from hashlib import sha256  # noqa: PLC0415 -- nothing is imported before it is measured

    from chatgrid_authorizer.event import read  # noqa: PLC0415

    def header(kind: str) -> str:
        return str(events[kind]["headers"]["Authorization"])

    malformed, token = header("malformed"), header("jwt_seen").removeprefix("Bearer ")
    key_bytes = header("key").removeprefix("Bearer ").encode()
    token_bytes = token.encode()
    authenticator = _gate.authenticator
    assert isinstance(authenticator, Authenticator)  # no further limits here
    request = read(events["malformed"], routes=_gate.routes).judged
    now_ms = _gate.now_ms()
    seconds = iter(range(10**9))

    def decide_malformed() -> object:
        return authenticator.decide(malformed, request=request, now_ms=now_ms)

    def recognise_token() -> object:
        tokens = authenticator._tokens
        return tokens and tokens.verify(token, now_ms=now_ms)

    def first_of_its_second() -> object:
        later_ms = _gate.now_ms() + 1_000 * (next(seconds) % 30)
        return authenticator.decide(header("key"), request=Request("read"), now_ms=later_ms)

    return {
        "sha256_key": lambda: sha256(key_bytes).hexdigest(),
        "sha256_token": lambda: sha256(token_bytes).digest(),
        "decide_malformed": decide_malformed,
        "recognise_token": recognise_token,
        "first_of_its_second": first_of_its_second,
    }
