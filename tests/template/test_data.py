"""Tables and logs: what is kept, what is not, and for how long."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.stack.templates import FUNCTIONS, deployed

TABLES = ("KeysTable", "AuditTable", "RateLimitsTable", "UsageTable", "BoardsTable")
CUSTOMERS = ("KeysTable", "AuditTable", "BoardsTable")
LOGS = [
    *(function.replace("Function", "Logs") for function in FUNCTIONS),
    "AccessLogs",
]


def written(name: str) -> dict[str, Any]:
    found: dict[str, Any] = deployed().expanded["Resources"][name]
    return found


def test_the_tables_are_those_of_the_design() -> None:
    assert set(deployed().of("AWS::DynamoDB::Table")) == set(TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_a_table_grows_with_traffic_and_needs_no_account_key(table: str) -> None:
    properties = deployed().resources[table]
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    # DynamoDB encrypts every table; a specification would mean the account's KMS key, its charges
    # and its outages.
    assert "SSESpecification" not in properties


@pytest.mark.parametrize("table", ["KeysTable", "RateLimitsTable"])
def test_a_table_is_made_ready_for_a_burst_on_request_only(table: str) -> None:
    assert "WarmThroughput" not in deployed().resources[table]
    written = deployed(**{f"{table}WarmWrites": "9000"}).resources[table]["WarmThroughput"]
    assert {name: int(units) for name, units in written.items()} == {
        "WriteUnitsPerSecond": 9000,
        "ReadUnitsPerSecond": 12000,
    }
    read = deployed(**{f"{table}WarmReads": "20000"}).resources[table]["WarmThroughput"]
    assert {name: int(units) for name, units in read.items()} == {
        "WriteUnitsPerSecond": 4000,
        "ReadUnitsPerSecond": 20000,
    }


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_no_fixed_name_that_a_kept_one_could_block(table: str) -> None:
    assert "TableName" not in deployed().resources[table]


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_no_index_for_hot_writes_to_maintain(table: str) -> None:
    assert not [name for name in deployed().resources[table] if name.endswith("Indexes")]


@pytest.mark.parametrize("table", CUSTOMERS)
def test_customers_data_outlives_the_stack_and_can_be_brought_back(table: str) -> None:
    assert written(table)["DeletionPolicy"] == "Retain"
    assert written(table)["UpdateReplacePolicy"] == "Retain"
    recovery = deployed().resources[table]["PointInTimeRecoverySpecification"]
    assert recovery == {"PointInTimeRecoveryEnabled": True}


@pytest.mark.parametrize("table", ["KeysTable", "AuditTable"])
def test_keys_and_what_was_done_to_them_cannot_be_deleted_by_accident(table: str) -> None:
    assert deployed().resources[table]["DeletionProtectionEnabled"] is True


def test_the_audit_log_never_expires_and_only_its_new_entries_are_streamed() -> None:
    table = deployed().resources["AuditTable"]
    assert "TimeToLiveSpecification" not in table
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}
    # Every decision would be in it.
    assert "StreamSpecification" not in deployed().resources["KeysTable"]


def test_what_is_left_of_revoked_keys_expires() -> None:
    assert deployed().resources["KeysTable"]["TimeToLiveSpecification"] == {
        "AttributeName": "expires_on",
        "Enabled": True,
    }


def test_counters_of_the_last_minute_expire_and_go_with_the_stack() -> None:
    assert deployed().resources["RateLimitsTable"]["TimeToLiveSpecification"] == {
        "AttributeName": "expires_on",
        "Enabled": True,
    }
    assert written("RateLimitsTable")["DeletionPolicy"] == "Delete"
    assert written("RateLimitsTable")["UpdateReplacePolicy"] == "Delete"


@pytest.mark.parametrize(
    ("table", "keys"),
    [
        ("KeysTable", [("pk", "HASH"), ("sk", "RANGE")]),
        ("AuditTable", [("pk", "HASH"), ("sk", "RANGE")]),
        ("RateLimitsTable", [("pk", "HASH")]),
        ("BoardsTable", [("pk", "HASH"), ("sk", "RANGE")]),
    ],
)
def test_a_table_is_keyed_as_its_adapter_writes(table: str, keys: list[tuple[str, str]]) -> None:
    schema = deployed().resources[table]["KeySchema"]
    assert [(part["AttributeName"], part["KeyType"]) for part in schema] == keys


def test_every_log_group_is_the_templates_own() -> None:
    assert set(deployed(AccessLog="existing-role").of("AWS::Logs::LogGroup")) == set(LOGS)


@pytest.mark.parametrize("group", LOGS)
def test_logs_are_kept_as_the_parameter_says(group: str) -> None:
    """And they go with the stack."""
    stack = deployed(LogRetentionDays="7", AccessLog="existing-role")
    assert stack.resources[group]["RetentionInDays"] == "7"
    assert written(group)["DeletionPolicy"] == "Delete"
    assert written(group)["UpdateReplacePolicy"] == "Delete"
