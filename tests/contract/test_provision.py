"""What a local stack finds in the embedded AWS follows the template, also on an old state."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.domain.keys import hash_of, tag_of
from chatgrid_devkit.gateway.key_source import read_plan
from chatgrid_devkit.stack.ministack import Ministack
from chatgrid_devkit.stack.provision import first_admin, make_plans
from chatgrid_devkit.template.description import Quota, Throttle, UsagePlan
from tests.support.tables.stores import audit_of, keys_table

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

SLOW = Throttle(rate_per_second=0.5, burst=2)
FAST = Throttle(rate_per_second=7, burst=14)
FEW = Quota(limit=9, period="DAY")
MANY = Quota(limit=90_000, period="MONTH")


@pytest.fixture
def gateway(ministack: Ministack) -> Any:
    return ministack.client("apigateway")


@pytest.fixture
def name() -> str:
    return f"plan-{secrets.token_hex(4)}"


def made(gateway: Any, plan: UsagePlan) -> UsagePlan:
    """Make a plan as a start does; what the embedded AWS then tells of it."""
    plan_id = make_plans(gateway, {"Plan": plan})["Plan"]
    return read_plan(gateway.get_usage_plan(usagePlanId=plan_id))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((SLOW, FEW), (FAST, MANY)),
        ((SLOW, FEW), (SLOW, None)),
        ((SLOW, FEW), (None, FEW)),
        ((None, None), (FAST, FEW)),
        ((SLOW, FEW), (SLOW, FEW)),
    ],
)
def test_a_plan_that_is_there_takes_the_limits_that_are_wanted_now(
    gateway: Any,
    name: str,
    before: tuple[Throttle | None, Quota | None],
    after: tuple[Throttle | None, Quota | None],
) -> None:
    first, second = (
        made(gateway, UsagePlan(id="", name=name, throttle=throttle, quota=quota))
        for throttle, quota in (before, after)
    )
    assert (first.throttle, first.quota) == before
    assert (second.throttle, second.quota) == after
    assert second.id == first.id


def test_a_plan_keeps_its_keys_when_its_limits_change(gateway: Any, name: str) -> None:
    plan = made(gateway, UsagePlan(id="", name=name, throttle=SLOW))
    key = gateway.create_api_key(name=name, value=secrets.token_hex(16), enabled=True)
    gateway.create_usage_plan_key(usagePlanId=plan.id, keyId=key["id"], keyType="API_KEY")
    made(gateway, UsagePlan(id="", name=name, throttle=FAST))
    (kept,) = gateway.get_usage_plan_keys(usagePlanId=plan.id)["items"]
    assert kept["id"] == key["id"]


def makes_keys(table: str, *, own_gateway_keys: str = "true") -> dict[str, str]:
    """The environment of a function that makes keys in this table."""
    return {
        "KEYS_TABLE": table,
        "AUDIT_TABLE": audit_of(table),
        "OWN_GATEWAY_KEYS": own_gateway_keys,
    }


@pytest.mark.parametrize("own_gateway_keys", ["true", "false"])
def test_the_first_admin_key_leaves_work_only_where_keys_get_gateway_keys(
    client: DynamoDBClient, own_gateway_keys: str
) -> None:
    table = keys_table(client)
    first_admin(client, makes_keys(table, own_gateway_keys=own_gateway_keys), known=None)
    left = [item for item in client.scan(TableName=table)["Items"] if "action" in item]
    assert len(left) == (own_gateway_keys == "true")


def test_the_known_admin_is_kept_while_its_key_is_good(client: DynamoDBClient) -> None:
    table = keys_table(client)
    first = first_admin(client, makes_keys(table), known=None)
    kept = first_admin(client, makes_keys(table), known=first) == first
    assert kept


@pytest.mark.parametrize("change", ["revoked", "expired", "gone"])
def test_an_admin_whose_key_is_no_longer_good_gets_another_one(
    client: DynamoDBClient, change: str
) -> None:
    table = keys_table(client)
    first = first_admin(client, makes_keys(table), known=None)
    key = {"pk": items.s(items.credential_pk(hash_of(first.key))), "sk": items.s(items.CREDENTIAL)}
    match change:
        case "revoked":
            client.put_item(TableName=table, Item={**key, items.OFF: items.s(items.REVOKED)})
        case "expired":
            item = client.get_item(TableName=table, Key=key)["Item"]
            until = items.until(tag_of(hash_of(first.key)))
            client.put_item(TableName=table, Item={**item, until: items.n(1)})
        case "gone":
            client.delete_item(TableName=table, Key=key)
    second = first_admin(client, makes_keys(table), known=first)
    assert second.user_id == first.user_id
    replaced = second.key != first.key  # not compared in the assertion, which would show both
    assert replaced
