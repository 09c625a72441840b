"""Keys that are issued over a real table, as the management function issues them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.services.api_keys import ApiKeys
from chatgrid_auth.services.key_changes.changing import KeyChanges
from tests.support.tables.stores import audit_of

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from chatgrid_auth.domain.credentials import IssuedKey


def key_service(
    client: DynamoDBClient,
    *,
    table: str,
    now_ms: Callable[[], int],
    default_rate_limit: int = 120,
    keys_per_user: int = 1_000,
    pause: Callable[[float], None] = lambda _: None,
) -> ApiKeys:
    """The service over this table, under the test's clock; it repeats without waiting."""
    return ApiKeys(
        DynamoKeyStore(
            Boto3Transport(client), table=table, audit_table=audit_of(table), pause=pause
        ),
        now_ms=now_ms,
        entropy=os.urandom,
        default_rate_limit=default_rate_limit,
        keys_per_user=keys_per_user,
    )


def change_service(
    client: DynamoDBClient,
    *,
    table: str,
    now_ms: Callable[[], int],
    default_rate_limit: int = 120,
    pause: Callable[[float], None] = lambda _: None,
) -> KeyChanges:
    """The service that changes keys of this table, under the test's clock."""
    store = DynamoKeyStore(
        Boto3Transport(client), table=table, audit_table=audit_of(table), pause=pause
    )
    return KeyChanges(store.changes, now_ms=now_ms, default_rate_limit=default_rate_limit)


def new_key(keys: ApiKeys, owner: str, **facts: Any) -> IssuedKey:
    """A key that may read and never expires, unless the facts say otherwise."""
    plain: dict[str, Any] = {
        "name": "key",
        "scopes": ["read"],
        "environment": "live",
        "rate_limit": None,
        "expires_at_ms": None,
    }
    return keys.issue(owner, **{**plain, **facts})
