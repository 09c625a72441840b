"""Policies of keys: what DynamoDB cannot judge, remembered under the version that a key names.

A policy never changes: another one lies beside it under another version, and the key's home names
the one that holds. A decision tells DynamoDB which version it was made with, and is refused if that
is not the one. So what is remembered here may be old, but never decides.
"""

from __future__ import annotations

import json

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.domain.errors import StoreUnavailable
from chatgrid_auth.domain.scopes import VERIFY_PERMISSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol

    from chatgrid_auth.adapters.keys_table.ports import Transport
    from chatgrid_auth.domain.rules.policy import Rules
    from chatgrid_auth.services.gate.requests import Request

    class Credential(Protocol):
        """What a home says of a secret, as far as policies go."""

        admitted: bool
        fault: str | None
        expires_at_ms: int | None
        metadata: str | None
        rules: Rules | None


#: Keys with a policy that a container remembers; each is a kilobyte or two.
_MOST = 1_024
#: How long what was seen of a key still refuses, from the sending of the question on.
SEEN_MS = 5_000
#: Keys of which that is remembered; each may be ten kilobytes.
_MOST_SEEN = 256
#: The attributes of a policy that hold of requests: texts with a space between one and the next.
ALLOWED_IPS, ALLOWED_ORIGINS, PERMISSIONS = "allowed_ips", "allowed_origins", "permissions"


class Policy:
    """What holds for a key, as of one version.

    Attributes:
        version: from 1, never used again; 0 is what keys without a policy go by.
        metadata: what backends are told of the owner's notes, as JSON; ``None`` for nothing.
        rules: what holds of requests; ``None`` for nothing.
        credits: how its credits come back, as it is kept; ``None`` for a key without.
    """

    __slots__ = ("credits", "metadata", "rules", "version")

    def __init__(
        self,
        version: int,
        metadata: str | None,
        rules: Rules | None = None,
        credits_kept: str | None = None,
    ) -> None:
        self.credits = credits_kept
        self.version = version
        self.metadata = metadata
        self.rules = rules


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
        self._seen: dict[str, tuple[int, int, Mapping[str, Any]]] = {}

    def holds(
        self,
        policy: Policy,
        home: str,
        item: Mapping[str, Any],
        credential: Credential,
        *,
        asked_ms: int,
        refused: bool,
    ) -> bool:
        """Whether what was decided goes by the policy that holds, or needs none.

        If not, the one that holds is remembered, and may be asked with.

        Args:
            policy: what was decided by.
            item: the home as it was found.
            credential: what it says, which is told what the policy says.
            asked_ms: when it was asked, in Unix milliseconds.
            refused: whether the policy refused the request.

        Raises:
            StoreUnavailable: DynamoDB could not tell.
        """
        version = item.get(items.VERSION)
        if version is None:
            if refused and policy.version:  # by a policy that holds no more
                self.forget(home)
                return False
            return True
        named = int(version["N"])
        if credential.fault is None:
            self.saw(home, item, asked_ms=asked_ms, ends_ms=credential.expires_at_ms)
        if credential.admitted or named == policy.version:
            credential.metadata = policy.metadata
            credential.rules = policy.rules
        elif credential.fault is None:
            self.fetch(home, named)
            return False
        return True

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
            "ProjectionExpression": (
                f"metadata, credits, {ALLOWED_IPS}, {ALLOWED_ORIGINS}, #permissions"
            ),
            "ExpressionAttributeNames": {"#permissions": PERMISSIONS},
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
        kept = found["Item"].get("credits")
        self.held[home] = Policy(
            version, told, _rules(found["Item"]), None if kept is None else kept["S"]
        )

    def forget(self, home: str) -> None:
        """No policy holds for this key any more."""
        self.held.pop(home, None)
        self._seen.pop(home, None)

    def saw(
        self, home: str, item: Mapping[str, Any], *, asked_ms: int, ends_ms: int | None
    ) -> None:
        """Take note of what a home said that names a policy.

        Args:
            asked_ms: when it was asked, in Unix milliseconds.
            ends_ms: when the secret ends that it was asked about; ``None`` for never.
        """
        known = self._seen.get(home)
        if known is not None and known[2] is item:  # recalled, and not asked again
            return
        self._seen.pop(home, None)
        if len(self._seen) >= _MOST_SEEN:
            del self._seen[next(iter(self._seen))]
        until_ms = asked_ms + SEEN_MS
        if ends_ms is not None and ends_ms < until_ms:
            until_ms = ends_ms
        self._seen[home] = (asked_ms, until_ms, item)

    def look(self, home: str, *, now_ms: int) -> Mapping[str, Any] | None:
        """The home of a key that is refused anyway: as it was seen not long ago, or as it is.

        Raises:
            StoreUnavailable: DynamoDB could not tell.
        """
        seen = self._seen.get(home)
        if seen is not None and seen[0] <= now_ms < seen[1]:
            return seen[2]
        question = {
            "TableName": self._table,
            "Key": {"pk": items.s(items.credential_pk(home)), "sk": items.s(items.CREDENTIAL)},
            "ConsistentRead": True,
        }
        found = self._transport.call_encoded("GetItem", json.dumps(question).encode())
        item: Mapping[str, Any] | None = found.get("Item")
        return item


def breaks(rules: Rules | None, request: Request) -> bool:
    """Whether a key's policy refuses a request.

    The one permission that no key has unless it is written there is lacked by a key without rules
    too.
    """
    if rules is None:
        return request.permission == VERIFY_PERMISSION
    return rules.broken_by(request) is not None


def _rules(item: Mapping[str, Any]) -> Rules | None:
    """What a policy says of requests.

    Raises:
        StoreUnavailable: it cannot be read. A fault of ours is no reason to refuse the key.
    """
    kept = [
        item[name]["S"] if name in item else None
        for name in (ALLOWED_IPS, ALLOWED_ORIGINS, PERMISSIONS)
    ]
    if kept == [None] * 3:
        return None
    from chatgrid_auth.domain.rules.policy import read_rules  # noqa: PLC0415 - for keys with rules

    try:
        return read_rules(allowed_ips=kept[0], allowed_origins=kept[1], granted=kept[2])
    except ValueError:
        raise StoreUnavailable("GetItem", "UnreadablePolicy") from None
