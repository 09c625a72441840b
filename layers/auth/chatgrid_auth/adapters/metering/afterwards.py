"""What follows from a decision now and then: credits to settle, a window's item to put in order."""

from __future__ import annotations

from chatgrid_auth.adapters.metering.upkeep import put_in_order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from chatgrid_auth.adapters.keys_table.ports import Transport
    from chatgrid_auth.services.gate.ports import KnownKey
    from chatgrid_auth.services.gate.requests import Request


def see_to(
    tables: tuple[Transport, str] | None,
    item: Mapping[str, Any],
    credential: KnownKey,
    kept: str | None,
    request: Request,
    now_ms: int,
) -> bool:
    """Do what an item asks for; whether the decision has to be made again.

    Args:
        tables: DynamoDB and the keys table; ``None`` for a look, which writes nothing.
        item: the home after the request, if that was admitted, or before it.
        credential: what is said of it; its credits are told what became of them.
        kept: how they come back, as the policy keeps it that the request was decided by.

    Raises:
        StoreUnavailable: credits that are due could not be had.
    """
    if credential.credits is not None:
        from chatgrid_auth.adapters.metering.credit_writes import settle  # noqa: PLC0415 - seldom

        if settle(tables, item, credential, kept, request, now_ms):
            return True
    reading = credential.reading
    if reading.upkeep and tables is not None:
        transport, table = tables
        put_in_order(transport, item, table=table, limit=reading.limit, now_ms=now_ms)
    return False
