"""The lean client and boto3 are one port: the same calls have the same outcomes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chatgrid_auth.adapters.awslite.credential_chain import credentials_from
from chatgrid_auth.adapters.awslite.dynamodb import DynamoDB
from chatgrid_auth.adapters.awslite.dynamodb_responses import RetryPolicy
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.domain import errors
from chatgrid_auth.domain.errors import Cancelled, ConditionFailed, StoreThrottled, StoreUnavailable
from chatgrid_devkit.stack.ministack import Ministack
from tests.support.aws import VARIABLES
from tests.support.tables.stores import dynamodb, keys_table, moto_client

Transport = Boto3Transport | DynamoDB


class Store:
    """A transport, and a table that it reaches."""

    def __init__(self, transport: Transport, table: str) -> None:
        self.transport = transport
        self.table = table

    def count(self, pk: str, **more: Any) -> dict[str, Any]:
        return {
            "TableName": self.table,
            "Key": {"pk": {"S": pk}, "sk": {"S": "#"}},
            "UpdateExpression": "SET used = if_not_exists(used, :zero) + :one",
            "ExpressionAttributeValues": {":zero": {"N": "0"}, ":one": {"N": "1"}},
            "ReturnValues": "ALL_NEW",
            **more,
        }


@pytest.fixture(params=["boto3 with moto", "boto3 with ministack", "lean with ministack"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Each transport, over each store that it can reach."""
    if request.param == "boto3 with moto":
        with moto_client() as moto:
            yield Store(Boto3Transport(moto), keys_table(moto))
        return
    ministack: Ministack = request.getfixturevalue("ministack")
    client = dynamodb(ministack.endpoint)
    table = keys_table(client)
    if request.param == "boto3 with ministack":
        yield Store(Boto3Transport(client), table)
        return
    lean = DynamoDB(
        errors=errors,
        region=VARIABLES["AWS_REGION"],
        credentials=credentials_from(VARIABLES),
        endpoint=ministack.endpoint,
        retry_policy=RetryPolicy(reply=5, budget=10),  # a slow machine is not what is tested
    )
    yield Store(lean, table)
    lean.reset()


def test_an_answer_is_dynamodbs_own_json(store: Store) -> None:
    store.transport.call("UpdateItem", store.count("é"))
    answer = store.transport.call("UpdateItem", store.count("é"))
    assert answer["Attributes"] == {"pk": {"S": "é"}, "sk": {"S": "#"}, "used": {"N": "2"}}


def test_a_request_that_is_json_already_is_the_same_request(store: Store) -> None:
    body = json.dumps(store.count("a")).encode()
    answer = store.transport.call_encoded("UpdateItem", body)
    assert answer["Attributes"]["used"] == {"N": "1"}


def test_a_failed_condition_comes_with_the_item_where_there_is_one(store: Store) -> None:
    never: dict[str, Any] = {
        "ConditionExpression": "used > :one",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    with pytest.raises(ConditionFailed) as absent:
        store.transport.call("UpdateItem", store.count("a", **never))
    assert absent.value.item is None
    store.transport.call("UpdateItem", store.count("a"))
    with pytest.raises(ConditionFailed) as present:
        store.transport.call("UpdateItem", store.count("a", **never))
    assert present.value.item == {"pk": {"S": "a"}, "sk": {"S": "#"}, "used": {"N": "1"}}


def test_a_failed_condition_brings_no_item_that_was_not_asked_for(store: Store) -> None:
    with pytest.raises(ConditionFailed) as refused:
        store.transport.call(
            "UpdateItem", store.count("a", ConditionExpression="attribute_exists(pk)")
        )
    assert refused.value.item is None


def test_a_table_that_is_not_there_is_a_fault_with_dynamodbs_code(store: Store) -> None:
    with pytest.raises(StoreUnavailable) as fault:
        store.transport.call("UpdateItem", store.count("a", TableName="absent"))
    assert (fault.value.operation, fault.value.code) == (
        "UpdateItem",
        "ResourceNotFoundException",
    )
    assert not isinstance(fault.value, StoreThrottled)


def test_a_refused_transaction_tells_which_of_its_writes_was_refused(store: Store) -> None:
    key = {"pk": {"S": "a"}, "sk": {"S": "#"}}
    writes = [
        {"Put": {"TableName": store.table, "Item": {**key, "pk": {"S": "b"}}}},
        {
            "Delete": {
                "TableName": store.table,
                "Key": key,
                "ConditionExpression": "attribute_exists(pk)",
            }
        },
    ]
    with pytest.raises(Cancelled) as cancelled:
        store.transport.call("TransactWriteItems", {"TransactItems": writes})
    assert [cancelled.value.refused(at) for at in range(3)] == [False, True, False]
    store.transport.call("TransactWriteItems", {"TransactItems": writes[:1]})


def test_bytes_are_kept_as_bytes(store: Store) -> None:
    key = {"pk": {"S": "a"}, "sk": {"S": "#"}}
    item = {**key, "h": {"B": b"\x00\xff" * 16}}
    store.transport.call("PutItem", {"TableName": store.table, "Item": item})
    kept = store.transport.call("GetItem", {"TableName": store.table, "Key": key})["Item"]
    assert items.hash_text(kept["h"]["B"]) == "00ff" * 16


def test_a_request_that_makes_no_sense_is_a_fault_with_dynamodbs_code(store: Store) -> None:
    with pytest.raises(StoreUnavailable) as fault:
        store.transport.call("UpdateItem", store.count("a", UpdateExpression="SET"))
    assert fault.value.code == "ValidationException"
