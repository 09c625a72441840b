"""What a request of the web functions asks of DynamoDB is held in counts, once a container is warm.

The bounds leave no room for another request. Times are for ``make bench``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.audit_table.trail import AuditTrail
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.adapters.usage_table.usage_reader import UsageTable
from chatgrid_auth.http_api.telemetry import Telemetry
from chatgrid_boards import wiring as boards
from chatgrid_boards.store import BoardStore
from chatgrid_management import wiring as management
from tests.support.http_api import Api, jwt_caller
from tests.support.tables.stores import audit_of, keys_table, moto_client, usage_table
from tests.support.tokens import Secrets

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


class Counted(Boto3Transport):
    """A transport that tells which operations were asked of it."""

    def __init__(self, client: DynamoDBClient) -> None:
        super().__init__(client)
        self.asked: list[str] = []

    def call(self, operation: str, payload: dict[str, Any]) -> dict[str, Any]:
        """As ever, and taken note of."""
        self.asked.append(operation)
        return super().call(operation, payload)

    def of(self, api: Api, method: str, resource: str, **request: Any) -> list[str]:
        """What one request asks, which has to succeed."""
        self.asked.clear()
        reply = api(method, resource, **request)
        assert reply.status in {200, 201}, reply.problem()
        return list(self.asked)


def telemetry() -> Telemetry:
    return Telemetry(service=f"counted-{uuid4()}", namespace="Test", level="INFO")


@pytest.fixture
def transport() -> Iterator[Counted]:
    with moto_client() as client:
        yield Counted(client)


@pytest.fixture
def keys(transport: Counted) -> Api:
    """The management function, called in a session."""
    table = keys_table(transport.client)
    settings = management.Settings(
        keys_table=table,
        audit_table=audit_of(table),
        usage_table=usage_table(transport.client),
        rate_limit_default=120,
        rate_limit_ceiling=1_000,
        keys_per_user=1_000,
        own_gateway_keys=True,
        key_creations_per_hour=0,
        revoked_retention_days=400,
        allowed_origin="*",
        telemetry=telemetry(),
    )
    store = DynamoKeyStore(
        transport,
        table=table,
        audit_table=settings.audit_table,
        pause=lambda _: None,
        anchor=lambda _: None,
        own_gateway_keys=True,
        revoked_retention_days=400,
    )
    handler = management.compose(
        settings,
        store=store,
        audit_log=lambda: AuditTrail(transport, table=settings.audit_table, most_entries=1_000),
        usage=lambda: UsageTable(transport, table=settings.usage_table),
        token_secret=Secrets(),
    )
    return Api(handler, jwt_caller())


def test_each_change_of_a_key_is_so_many_store_requests(keys: Api, transport: Counted) -> None:
    made = keys("POST", "/me/api-keys", json_body={"name": "first"}).data
    one = {"id": made["id"]}
    asked = {
        "create": transport.of(keys, "POST", "/me/api-keys", json_body={"name": "CI"}),
        "get": transport.of(keys, "GET", "/me/api-keys/{id}", **one),
        "change": transport.of(
            keys, "PATCH", "/me/api-keys/{id}", json_body={"rate_limit": 60}, **one
        ),
        "rotate": transport.of(keys, "POST", "/me/api-keys/{id}/rotate", json_body={}, **one),
        "revoke": transport.of(keys, "DELETE", "/me/api-keys/{id}", **one),
    }
    counts = {name: len(operations) for name, operations in asked.items()}
    # What changes a key leaves an intent first and an entry in the audit log's chain afterwards.
    assert counts == {"create": 2, "get": 2, "change": 9, "rotate": 10, "revoke": 8}


def test_a_list_of_a_hundred_keys_is_two_store_requests(keys: Api, transport: Counted) -> None:
    for number in range(101):
        keys("POST", "/me/api-keys", json_body={"name": f"Key {number}"})
    assert transport.of(keys, "GET", "/me/api-keys", query={"limit": ["100"]}) == [
        "Query",
        "BatchGetItem",
    ]


def test_reading_a_board_is_one_store_request(transport: Counted) -> None:
    table = keys_table(transport.client)
    settings = boards.Settings(boards_table=table, allowed_origin="*", telemetry=telemetry())
    handler = boards.compose(settings, store=BoardStore(transport, table=table))
    api = Api(handler, jwt_caller())
    made = api("POST", "/boards", json_body={"name": "Roadmap"}).data
    assert transport.of(api, "GET", "/boards/{id}", id=made["id"]) == ["GetItem"]
    assert transport.of(api, "GET", "/boards") == ["Query"]
