"""The Lambda entry point."""

from __future__ import annotations

import gc

# What is loaded now stays as long as the container: there is no garbage to look for in it, neither
# while it is loaded nor ever after.
gc.disable()

from chatgrid_authorizer import wiring  # noqa: E402
from chatgrid_authorizer.response import respond  # noqa: E402

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_gate = wiring.start()
gc.freeze()
gc.enable()


def handler(incoming: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer API Gateway's question whether a request may go on.

    Raises:
        Fault: the store or the identity provider is out. API Gateway answers 503 then, so an
            outage is never reported as a bad credential.
    """
    invocation_id = getattr(context, "aws_request_id", None)
    return respond(incoming, gate=_gate, invocation_id=invocation_id)
