"""API Gateway's control plane: the fake that other tests rest on, and the embedded AWS, alike."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config

from chatgrid_auth.adapters.api_gateway.control_plane import ApiGateway
from chatgrid_auth.domain import usage_keys
from chatgrid_auth.domain.usage_keys import (
    ControlPlaneConflict,
    ControlPlaneError,
    ControlPlaneRefused,
    ControlPlaneThrottled,
    ControlPlaneUnavailable,
    KeyCeilingReached,
)
from chatgrid_devkit.stack.ministack import Ministack
from tests.support.aws import VARIABLES
from tests.support.control_plane import Clock, FakeControlPlane

if TYPE_CHECKING:
    from types_boto3_apigateway import APIGatewayClient

MOST_PAGES = 200


def value() -> str:
    return uuid4().hex


class Plane:
    """A control plane under test, one plan in it, and names that no other test uses."""

    def __init__(self, client: APIGatewayClient, plan: str) -> None:
        self.client = client
        self.plan = plan
        self.gateway = ApiGateway(client, stack="chatgrid")

    @staticmethod
    def name() -> str:
        return f"chatgrid-{uuid4()}"

    def names(self) -> list[str]:
        found: list[str] = []
        position: str | None = None
        for _ in range(MOST_PAGES):
            keys, position = self.gateway.keys(position)
            found += [key.name for key in keys]
            if position is None:
                return found
        raise AssertionError("the pages never end")

    def attached(self) -> list[str]:
        found: list[str] = []
        position: str | None = None
        for _ in range(MOST_PAGES):
            ids, position = self.gateway.attached(position, plan=self.plan)
            found += ids
            if position is None:
                return found
        raise AssertionError("the pages never end")


def real_client(endpoint: str) -> APIGatewayClient:
    return boto3.client(
        "apigateway",
        endpoint_url=endpoint,
        region_name=VARIABLES["AWS_REGION"],
        aws_access_key_id=VARIABLES["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=VARIABLES["AWS_SECRET_ACCESS_KEY"],
        config=Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 1}),
    )


@pytest.fixture(params=["fake", "ministack"])
def plane(request: pytest.FixtureRequest) -> Plane:
    if request.param == "fake":
        clock = Clock()
        fake = FakeControlPlane(clock)
        # The suite is not paced: each call finds the buckets full again.
        fake.before_call = lambda: clock.sleep(60)
        return Plane(fake.client(), "standard")
    ministack: Ministack = request.getfixturevalue("ministack")
    client = real_client(ministack.endpoint)
    return Plane(client, client.create_usage_plan(name=f"plan-{uuid4()}")["id"])


def test_a_created_key_is_found_under_its_name_as_it_was_made(plane: Plane) -> None:
    name, secret = plane.name(), value()
    owner = str(uuid4())

    made = plane.gateway.create(name, value=secret, description=usage_keys.description_of(owner))

    assert plane.gateway.find(name) == [made]
    assert (made.name, made.value, made.enabled, made.owner) == (name, secret, True, owner)
    assert made.created > 0
    assert secret not in repr(made)


def test_a_name_is_found_exactly_and_not_as_the_beginning_of_others(plane: Plane) -> None:
    name = plane.name()
    plane.gateway.create(f"{name}-longer", value=value(), description="")

    assert plane.gateway.find(name) == []


def test_names_are_not_unique_and_all_keys_of_one_are_found(plane: Plane) -> None:
    name = plane.name()
    both = {plane.gateway.create(name, value=value(), description="").id for _ in range(2)}

    assert {key.id for key in plane.gateway.find(name)} == both


def test_a_key_is_disabled_and_enabled_again(plane: Plane) -> None:
    name = plane.name()
    key = plane.gateway.create(name, value=value(), description="")

    plane.gateway.disable(key.id)
    assert [found.enabled for found in plane.gateway.find(name)] == [False]
    plane.gateway.enable(key.id)
    assert [found.enabled for found in plane.gateway.find(name)] == [True]


def test_deleting_and_disabling_a_key_that_is_gone_is_done_already(plane: Plane) -> None:
    name = plane.name()
    key = plane.gateway.create(name, value=value(), description="")

    plane.gateway.delete(key.id)
    plane.gateway.delete(key.id)
    plane.gateway.disable(key.id)

    assert plane.gateway.find(name) == []


def test_enabling_a_key_that_is_gone_is_refused(plane: Plane) -> None:
    with pytest.raises(ControlPlaneRefused) as refused:
        plane.gateway.enable("absent0001")

    assert (refused.value.operation, refused.value.code) == ("UpdateApiKey", "NotFoundException")


def test_a_key_is_put_into_a_plan_once_however_often(plane: Plane) -> None:
    key = plane.gateway.create(plane.name(), value=value(), description="")
    assert not plane.gateway.is_in(key.id, plan=plane.plan)

    plane.gateway.attach(key.id, plan=plane.plan)
    with contextlib.suppress(ControlPlaneConflict):  # the embedded AWS takes it twice
        plane.gateway.attach(key.id, plan=plane.plan)

    assert plane.attached().count(key.id) == 1
    assert plane.gateway.is_in(key.id, plan=plane.plan)


def test_a_created_key_bears_its_stacks_tag(plane: Plane) -> None:
    name = plane.name()
    plane.gateway.create(name, value=value(), description="")

    (listed,) = plane.client.get_api_keys(nameQuery=name, limit=500)["items"]
    assert listed["tags"] == {"chatgrid:stack": "chatgrid"}


def test_a_plan_that_does_not_exist_is_refused(plane: Plane) -> None:
    key = plane.gateway.create(plane.name(), value=value(), description="")

    with pytest.raises(ControlPlaneRefused):
        plane.gateway.attach(key.id, plan="absent")
    with pytest.raises(ControlPlaneRefused):
        plane.gateway.attached(None, plan="absent")


def test_pages_lead_to_every_key_and_every_attached_key_once(
    plane: Plane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatgrid_auth.adapters.api_gateway.control_plane._PAGE", 7)
    made = [plane.gateway.create(plane.name(), value=value(), description="") for _ in range(20)]
    for key in made:
        plane.gateway.attach(key.id, plan=plane.plan)

    names = plane.names()
    assert all(names.count(key.name) == 1 for key in made)
    assert sorted(plane.attached()) == sorted(key.id for key in made)


def test_too_short_a_value_is_refused(plane: Plane) -> None:
    with pytest.raises(ControlPlaneRefused):
        plane.gateway.create(plane.name(), value="short", description="")


# What the embedded AWS does not do, and API Gateway does


@pytest.fixture
def fake() -> FakeControlPlane:
    return FakeControlPlane(Clock())


def test_a_value_that_another_key_holds_is_refused(fake: FakeControlPlane) -> None:
    gateway = ApiGateway(fake.client(), stack="chatgrid")
    gateway.create("one", value="a" * 32, description="")

    with pytest.raises(ControlPlaneConflict):
        gateway.create("two", value="a" * 32, description="")


def test_the_ceiling_is_told_apart_from_throttling_though_both_are_429() -> None:
    gateway = ApiGateway(FakeControlPlane(Clock(), ceiling=0).client(), stack="chatgrid")

    with pytest.raises(KeyCeilingReached):
        gateway.create("one", value=value(), description="")


def test_a_key_in_another_plan_with_the_same_stage_conflicts(fake: FakeControlPlane) -> None:
    fake.plans.add("gold")
    gateway = ApiGateway(fake.client(), stack="chatgrid")
    key = gateway.create("one", value=value(), description="")
    gateway.attach(key.id, plan="gold")

    with pytest.raises(ControlPlaneConflict):
        gateway.attach(key.id, plan="standard")
    assert gateway.plans_of(key.id) == ["gold"]


def test_a_key_without_the_stacks_tag_cannot_be_changed(fake: FakeControlPlane) -> None:
    gateway = ApiGateway(fake.client(), stack="chatgrid")
    for stack in (None, "chatgrid-dev"):
        stranger = fake.put("one", value(), stack=stack)
        for change in (gateway.disable, gateway.enable, gateway.delete):
            with pytest.raises(ControlPlaneRefused):
                change(stranger.id)
        assert stranger.id in fake.keys


@pytest.mark.parametrize("operation", ["UpdateApiKey", "DeleteApiKey"])
def test_another_change_under_way_is_throttling_where_nothing_can_be_there_already(
    fake: FakeControlPlane, operation: str
) -> None:
    gateway = ApiGateway(fake.client(), stack="chatgrid")
    key = gateway.create("one", value=value(), description="")
    fake.failures[operation] = ["ConflictException"]

    with pytest.raises(ControlPlaneThrottled):
        (gateway.disable if operation == "UpdateApiKey" else gateway.delete)(key.id)


def test_five_creations_a_second_and_no_more(fake: FakeControlPlane) -> None:
    gateway = ApiGateway(fake.client(), stack="chatgrid")
    for number in range(5):
        gateway.create(f"key-{number}", value=value(), description="")

    with pytest.raises(ControlPlaneThrottled):
        gateway.create("one-too-many", value=value(), description="")
    fake.clock.sleep(0.2)
    gateway.create("in-time", value=value(), description="")


def test_the_edge_learns_of_a_key_late(fake: FakeControlPlane) -> None:
    gateway = ApiGateway(fake.client(), stack="chatgrid")
    key = gateway.create("one", value="a" * 32, description="")
    fake.clock.sleep(fake.activation_seconds)
    assert not fake.accepts("a" * 32), "not in the plan"

    gateway.attach(key.id, plan="standard")
    assert not fake.accepts("a" * 32), "not yet"
    fake.clock.sleep(fake.activation_seconds)
    assert fake.accepts("a" * 32)
    gateway.disable(key.id)
    assert not fake.accepts("a" * 32)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("TooManyRequestsException", ControlPlaneThrottled),
        ("ServiceUnavailableException", ControlPlaneUnavailable),
        ("BadRequestException", ControlPlaneRefused),
    ],
)
def test_errors_are_translated_by_their_code(
    fake: FakeControlPlane, code: str, kind: type[ControlPlaneError]
) -> None:
    fake.failures["GetApiKeys"] = [code]

    with pytest.raises(ControlPlaneError) as failed:
        ApiGateway(fake.client(), stack="chatgrid").find("one")

    assert type(failed.value) is kind
    assert str(failed.value) == f"GetApiKeys: {code}"


def test_a_control_plane_that_cannot_be_reached_is_unavailable() -> None:
    client = real_client("http://127.0.0.1:9")

    with pytest.raises(ControlPlaneUnavailable) as failed:
        ApiGateway(client, stack="chatgrid").find("one")

    assert failed.value.code == "EndpointConnectionError"
