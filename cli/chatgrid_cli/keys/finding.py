"""Which key a command is about."""

from __future__ import annotations

from chatgrid_auth.adapters.keys_table.key_inventory import KeyInventory, StoredKey
from chatgrid_auth.domain.key_errors import NotFound
from chatgrid_cli.errors import CliError
from chatgrid_cli.stacks import Stack
from chatgrid_cli.values import instant


def found(stack: Stack, key_id: str, user: str | None) -> StoredKey:
    """The key with this id, revoked or not; without a user the whole table is searched.

    Raises:
        NotFound: there is none.
    """
    inventory = KeyInventory(stack.client("dynamodb"), table=stack.keys_table)
    stored = inventory.find(key_id, owner=user)
    if stored is None:
        raise NotFound
    return stored


def living(stack: Stack, key_id: str, user: str | None) -> StoredKey:
    """The same, if it is not revoked.

    Raises:
        NotFound: there is none.
        CliError: it is revoked.
    """
    stored = found(stack, key_id, user)
    if stored.revoked_at_ms is not None:
        raise CliError(
            f"this key has been revoked already, at {instant(stored.revoked_at_ms)}",
            code="not_found",
        )
    return stored
