"""The local gateway finds the usage-plan keys that the embedded AWS holds."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

import pytest

from chatgrid_devkit.gateway.key_source import ControlPlaneKeys, control_plane_reader
from chatgrid_devkit.stack.deployment import read_deployment
from chatgrid_devkit.stack.ministack import Ministack

ROOT = Path(__file__).parents[2]


@pytest.fixture
def keys(ministack: Ministack) -> ControlPlaneKeys:
    """The keys, read in pages of three."""
    deployment = read_deployment(ROOT / "template.yaml")
    client = ministack.client("apigateway")
    api_id = deployment.api.id
    return ControlPlaneKeys(control_plane_reader(client, deployment, api_id=api_id, page_size=3))


def test_a_key_is_found_with_its_plan_and_its_state(
    ministack: Ministack, keys: ControlPlaneKeys
) -> None:
    client = ministack.client("apigateway")
    plan = client.create_usage_plan(
        name=f"plan-{secrets.token_hex(4)}",
        throttle={"rateLimit": 3.0, "burstLimit": 4},
        quota={"limit": 5, "period": "MONTH"},
    )
    values = {name: secrets.token_hex(16) for name in ("good", "disabled", "planless")}
    for name, value in values.items():
        made = client.create_api_key(name=name, value=value, enabled=name != "disabled")
        if name != "planless":
            client.create_usage_plan_key(
                usagePlanId=plan["id"], keyId=made["id"], keyType="API_KEY"
            )

    async def find() -> list[tuple[bool, str | None]]:
        found = []
        for value in values.values():
            key = await keys.find(value)
            assert key is not None
            found.append((key.enabled, key.plan.id if key.plan else None))
        good = await keys.find(values["good"])
        assert good is not None
        assert good.plan is not None
        assert good.plan.throttle is not None
        assert good.plan.quota is not None
        assert (good.plan.throttle.burst, good.plan.quota.limit) == (4, 5)
        assert await keys.find("no-such-key") is None
        return found

    assert asyncio.run(find()) == [(True, plan["id"]), (False, plan["id"]), (True, None)]


def test_keys_beyond_the_first_page_are_found(ministack: Ministack, keys: ControlPlaneKeys) -> None:
    client = ministack.client("apigateway")
    plan = client.create_usage_plan(name=f"plan-{secrets.token_hex(4)}")
    value = ""
    for number in range(8):
        value = secrets.token_hex(16)
        made = client.create_api_key(name=f"many-{number}", value=value, enabled=True)
        client.create_usage_plan_key(usagePlanId=plan["id"], keyId=made["id"], keyType="API_KEY")
    key = asyncio.run(keys.find(value))
    assert key is not None
    assert key.plan is not None
    assert key.plan.id == plan["id"]
