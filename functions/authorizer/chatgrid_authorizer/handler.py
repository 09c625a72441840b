"""The Lambda entry point."""

from __future__ import annotations

from chatgrid_authorizer import wiring
from chatgrid_authorizer.answer import answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_gate = wiring.start()


def handler(incoming: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer API Gateway's question whether a request may go on.

    Raises:
        Fault: the store or the identity provider is out. API Gateway answers 503 then, so an
            outage is never reported as a bad credential.
    """
    invocation_id = getattr(context, "aws_request_id", None)
    return answer(incoming, gate=_gate, invocation_id=invocation_id)
