"""Policies of keys: what DynamoDB cannot judge, remembered under the version that a key names.

A policy never changes: another one lies beside it under another version, and the key's home names
the one that holds. A decision tells DynamoDB which version it was made with, and is refused if that
is not the one. So what is remembered here may be old, but never decides.
"""

from __future__ import annotations

import json

from chatgrid_auth.adapters.keys_table import items

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Transport(Protocol):
        """DynamoDB in its own JSON; raises StoreUnavailable."""

        def call_encoded(self, operation: str, body: bytes) -> dict[str, Any]: ...


#: Keys with a policy that a container remembers; each is a kilobyte or two.
_MOST = 1_024


class Policy:
    """What holds for a key, as of one version.

    Attributes:
        version: from 1, never used again; 0 is what keys without a policy go by.
        metadata: what backends are told of the owner's notes, as JSON; ``None`` for nothing.
    """

    __slots__ = ("metadata", "version")

    def __init__(self, version: int, metadata: str | None) -> None:
        self.version = version
        self.metadata = metadata


#: Of a key of which none is remembered.
NO_POLICY = Policy(0, None)


class Policies:
    """Remembers, for each of so many keys, the policy that was met last.

    Args:
        transport: DynamoDB.
        table: the keys table's name.

    Attributes:
        held: by the hash of the key's home.
    """

    def __init__(self, transport: Transport, *, table: str) -> None:
        self._transport = transport
        self._table = table
        self.held: dict[str, Policy] = {}

    def fetch(self, home: str, version: int) -> None:
        """Remember the policy of this version; none if it is gone, as another holds by now.

        Raises:
            StoreUnavailable: DynamoDB could not tell.
        """
        key = {
            "pk": items.s(items.credential_pk(home)),
            "sk": items.s(items.policy_sk(version)),
        }
        question = {
            "TableName": self._table,
            "Key": key,
            "ProjectionExpression": "metadata",
            "ConsistentRead": True,
        }
        found = self._transport.call_encoded("GetItem", json.dumps(question).encode())
        self.held.pop(home, None)
        if "Item" not in found:
            return
        if len(self.held) >= _MOST:
            del self.held[next(iter(self.held))]
        notes = found["Item"].get("metadata")
        told = None
        if notes is not None:
            told = json.dumps({name: value["S"] for name, value in notes["M"].items()})
        self.held[home] = Policy(version, told)
