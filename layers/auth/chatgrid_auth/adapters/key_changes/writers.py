"""All that changes keys in DynamoDB, put together for the first change."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from chatgrid_auth.adapters.audit_table.chain import AuditChain
from chatgrid_auth.adapters.idempotency.notes import DynamoNotes
from chatgrid_auth.adapters.key_changes.changes import DynamoKeyChanges
from chatgrid_auth.adapters.key_changes.kin import made_by_keys
from chatgrid_auth.adapters.key_changes.revocations import Revocations
from chatgrid_auth.adapters.keys_table.key_creation import KeyCreations
from chatgrid_auth.adapters.leaks.exposed_keys import DynamoExposedKeys
from chatgrid_auth.adapters.rotation.rotations import DynamoRotations

if TYPE_CHECKING:
    from collections.abc import Callable

    from chatgrid_auth.adapters.dynamodb.transport import Transport
    from chatgrid_auth.domain.audit import Entry


class KeyWriters:
    """What ``DynamoKeyStore`` changes keys with; the arguments are its own."""

    def __init__(
        self,
        transport: Transport,
        *,
        table: str,
        audit_table: str,
        pause: Callable[[float], None],
        anchor: Callable[[Entry], None],
        own_gateway_keys: bool,
        revoked_retention_days: int,
    ) -> None:
        chain = AuditChain(transport, table=audit_table, pause=pause, anchor=anchor)
        self.creations = KeyCreations(
            transport, table=table, chain=chain, own_gateway_keys=own_gateway_keys
        )
        self.revocations = Revocations(
            transport,
            table=table,
            chain=chain,
            own_gateway_keys=own_gateway_keys,
            retention_days=revoked_retention_days,
        )
        self.exposed = DynamoExposedKeys(
            transport, table=table, chain=chain, revocations=self.revocations
        )
        self.rotations = DynamoRotations(
            transport,
            table=table,
            pending=self.revocations.pending,
            retention_days=revoked_retention_days,
        )
        self.changes = DynamoKeyChanges(transport, table=table, pending=self.revocations.pending)
        self.notes = DynamoNotes(transport, table=table)
        self.made_by_keys = partial(made_by_keys, transport, table=table)
