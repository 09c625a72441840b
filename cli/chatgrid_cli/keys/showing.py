"""All that is known of one key, its window and its usage key among it."""

from __future__ import annotations

from typing import Any

from chatgrid_auth.adapters.keys_table.key_inventory import StoredKey
from chatgrid_cli.keys import views as key_views
from chatgrid_cli.stacks import Stack
from chatgrid_cli.values import now_ms


def whole_facts(stack: Stack, stored: StoredKey) -> dict[str, Any]:
    """A key as JSON, with what is left of its limit now."""
    # The gate is loaded for who asks it; a list does not.
    from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport  # noqa: PLC0415
    from chatgrid_auth.adapters.keys_table.glances import KeyGlances  # noqa: PLC0415
    from chatgrid_auth.domain.scopes import READ  # noqa: PLC0415
    from chatgrid_auth.services.gate.requests import Request  # noqa: PLC0415

    glances = KeyGlances(Boto3Transport(stack.client("dynamodb")), table=stack.keys_table)
    credential = glances.admit(stored.hash, now_ms=now_ms(), request=Request(READ))
    return {
        **key_views.facts(stored.key, revoked_at_ms=stored.revoked_at_ms),
        "rate_limit_remaining": None if credential is None else credential.reading.remaining,
        "own_usage_key": credential is not None and credential.usage_key is not None,
    }
