"""The gate in front of the gate lets every header through to it, whatever it is made of."""

from __future__ import annotations

from typing import Any

import pytest

from chatgrid_auth.domain.verdicts import Refused
from chatgrid_auth.services.gate.metered import MeteredGate
from chatgrid_auth.services.gate.requests import Request

REFUSED = Refused(message="Missing or invalid token", reason="malformed")


class Behind:
    """Refuses, as the ``Authenticator`` does with what is no credential."""

    def decide(self, authorization: str | None, *, request: Request, now_ms: int) -> Refused:
        return REFUSED


@pytest.mark.parametrize("authorization", [None, "", "Bearer \ud800", "Bearer x\udfff" * 900])
def test_no_header_makes_a_gate_with_further_limits_fail(authorization: str | None) -> None:
    nothing: Any = None
    behind: Any = Behind()
    gate = MeteredGate(behind, windows=nothing, owner_limit=10, routes={}, limited_tier="limited")
    request = Request("read", route="GET /boards")
    assert gate.decide(authorization, request=request, now_ms=0) is REFUSED
