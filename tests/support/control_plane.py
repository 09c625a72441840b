"""API Gateway's control plane in memory, with the manners of the real one.

It stands where boto3's client stands, so that the adapter's own code runs in every test: the
account's limits (all operations 10 a second with a burst of 40, creations and deletions 5 a
second each), pages, unique and immutable values, names that are not unique, the ceiling of
10,000 keys, and the delay until the edge knows a key. What the adapter sends is checked against
botocore's own description of the service.

Sources: Amazon API Gateway quotas; GetApiKeys, CreateApiKey and UpdateApiKey in its API reference.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar, cast

import botocore.session
from botocore.exceptions import ClientError, ParamValidationError
from botocore.validate import ParamValidator

if TYPE_CHECKING:
    from botocore.model import ServiceModel
    from types_boto3_apigateway import APIGatewayClient

T = TypeVar("T")
#: The stack whose role makes the calls.
STACK = "chatgrid"


class NotFoundException(ClientError):
    """As boto3 makes it for the service."""


class Cut(BaseException):
    """The process ended here: nothing catches this, as nothing catches a kill."""


@dataclass
class Clock:
    """Time that passes only when somebody waits."""

    seconds: float = 1_800_000_000.0

    def now(self) -> float:
        return self.seconds

    def now_ms(self) -> int:
        return int(self.seconds * 1000)

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.seconds += seconds


def _cut() -> None:
    raise Cut


@dataclass
class Fuse:
    """Something happens at one of the process's calls to the outside: by default, its end.

    Args:
        at: number of the call, counted from 1; ``None`` never.
        after: let the call take effect first.
        then: what happens.
    """

    at: int | None = None
    after: bool = False
    then: Callable[[], object] = _cut
    calls: int = 0

    def around(self, effect: Callable[[], T]) -> T:
        self.calls += 1
        blown = self.calls == self.at
        if blown and not self.after:
            self.then()
        try:
            return effect()
        finally:
            if blown and self.after:
                self.then()


@dataclass
class Bucket:
    """A token bucket, full at first."""

    rate: float
    burst: float
    clock: Clock
    tokens: float = field(init=False)
    filled_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.tokens, self.filled_at = self.burst, self.clock.now()

    def take(self) -> bool:
        now = self.clock.now()
        self.tokens = min(self.burst, self.tokens + (now - self.filled_at) * self.rate)
        self.filled_at = now
        if self.tokens < 1 - 1e-6:
            return False
        self.tokens -= 1
        return True


@dataclass
class Key:
    """A key as the control plane keeps it, and what the edge can know of it."""

    id: str
    name: str
    value: str
    description: str
    enabled: bool
    created: float
    stack: str | None
    enabled_at: float
    attached_at: dict[str, float] = field(default_factory=dict)


@functools.cache
def _model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("apigateway")


class FakeControlPlane:
    """The control plane of one account and Region.

    Args:
        clock: its time.
        refusals: share of calls that are refused at random with 429, on top of the limits.
        ceiling: how many keys the account may hold.
        activation_seconds: how long the edge takes to learn of a key, or of a change to one.
        listing_lag_seconds: how long a new key stays out of lists (AWS promises nothing).
        seed: of the random refusals.
        fuse: cuts the caller off.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        refusals: float = 0.0,
        ceiling: float = 10_000,
        activation_seconds: float = 240.0,
        listing_lag_seconds: float = 0.0,
        seed: float = 1,
        fuse: Fuse | None = None,
    ) -> None:
        self.clock = clock
        self.refusals = refusals
        self.ceiling = ceiling
        self.activation_seconds = activation_seconds
        self.listing_lag_seconds = listing_lag_seconds
        self.fuse = fuse or Fuse()
        self.keys: dict[str, Key] = {}
        self.plans: set[str] = {"standard"}
        self.calls: list[str] = []
        #: Codes that the next calls of an operation fail with, one each; "" for one that does not.
        self.failures: dict[str, list[str]] = {}
        self.throttled_by_limits = 0
        self.before_call: Callable[[], None] = lambda: None
        self.exceptions = SimpleNamespace(NotFoundException=NotFoundException)
        self._random = random.Random(seed)
        self._serial = 0
        self._all = Bucket(10, 40, clock)
        self._few = {"CreateApiKey": Bucket(5, 5, clock), "DeleteApiKey": Bucket(5, 5, clock)}

    def client(self) -> APIGatewayClient:
        """Itself, where boto3's client is asked for."""
        return cast("APIGatewayClient", self)

    # What the edge does with a key

    def accepts(self, value: str, *, plan: str = "standard") -> bool:
        """Whether API Gateway would let a request with this usage key through."""
        settled = self.clock.now() - self.activation_seconds
        return any(
            key.value == value
            and key.enabled
            and key.enabled_at <= settled
            and key.attached_at.get(plan, settled + 1) <= settled
            for key in self.keys.values()
        )

    # The operations

    def create_api_key(self, **sent: Any) -> dict[str, Any]:
        return self._call("CreateApiKey", sent, self._create)

    def get_api_keys(self, **sent: Any) -> dict[str, Any]:
        return self._call("GetApiKeys", sent, self._list)

    def update_api_key(self, **sent: Any) -> dict[str, Any]:
        return self._call("UpdateApiKey", sent, self._update)

    def delete_api_key(self, **sent: Any) -> dict[str, Any]:
        return self._call("DeleteApiKey", sent, self._delete)

    def create_usage_plan_key(self, **sent: Any) -> dict[str, Any]:
        return self._call("CreateUsagePlanKey", sent, self._attach)

    def get_usage_plan_keys(self, **sent: Any) -> dict[str, Any]:
        return self._call("GetUsagePlanKeys", sent, self._attached)

    def get_usage_plan_key(self, **sent: Any) -> dict[str, Any]:
        return self._call("GetUsagePlanKey", sent, self._attachment)

    def get_usage_plans(self, **sent: Any) -> dict[str, Any]:
        return self._call("GetUsagePlans", sent, self._plans_of)

    def _call(
        self, operation: str, sent: dict[str, Any], effect: Callable[[dict[str, Any]], Any]
    ) -> dict[str, Any]:
        shape = _model().operation_model(operation).input_shape
        assert shape is not None
        report = ParamValidator().validate(sent, shape)
        if report.has_errors():
            raise ParamValidationError(report=report.generate_report())
        self.calls.append(operation)
        self.before_call()
        return cast(
            "dict[str, Any]", self.fuse.around(lambda: self._admit(operation, sent, effect))
        )

    def _admit(
        self, operation: str, sent: dict[str, Any], effect: Callable[[dict[str, Any]], Any]
    ) -> Any:
        code = self.failures[operation].pop(0) if self.failures.get(operation) else ""
        if code:
            raise refusal(operation, code)
        if not self._all.take() or (operation in self._few and not self._few[operation].take()):
            self.throttled_by_limits += 1
            raise refusal(operation, "TooManyRequestsException")
        if self._random.random() < self.refusals:
            raise refusal(operation, "TooManyRequestsException")
        return effect(sent)

    def _create(self, sent: dict[str, Any]) -> dict[str, Any]:
        value, name = sent["value"], sent["name"]
        if not 20 <= len(value) <= 128 or not (value.isascii() and value.isalnum()):
            raise refusal("CreateApiKey", "BadRequestException")
        if any(key.value == value for key in self.keys.values()):
            raise refusal("CreateApiKey", "ConflictException")
        if len(self.keys) >= self.ceiling:
            raise refusal("CreateApiKey", "LimitExceededException")
        return _shown(
            self.put(
                name,
                value,
                sent.get("description", ""),
                sent.get("enabled", False),
                stack=sent["tags"]["chatgrid:stack"],
            )
        )

    def put(
        self,
        name: str,
        value: str,
        description: str = "",
        enabled: bool = True,
        *,
        stack: str | None = STACK,
    ) -> Key:
        """A key that is simply there, made in the console for all we know.

        Args:
            stack: what its tag says; ``None`` for a key that bears none.
        """
        self._serial += 1
        key = Key(
            id=f"k{self._serial:09d}",
            name=name,
            value=value,
            description=description,
            enabled=enabled,
            created=self.clock.now(),
            stack=stack,
            enabled_at=self.clock.now(),
        )
        self.keys[key.id] = key
        return key

    def _list(self, sent: dict[str, Any]) -> dict[str, Any]:
        wanted = sent.get("nameQuery", "")
        listed = self.clock.now() - self.listing_lag_seconds
        found = [
            key
            for key in self.keys.values()
            if key.name.startswith(wanted) and key.created <= listed
        ]
        return _page(found, sent, lambda key: _shown(key, value=sent.get("includeValues", False)))

    def _update(self, sent: dict[str, Any]) -> dict[str, Any]:
        key = self._ours("UpdateApiKey", sent["apiKey"])
        for patch in sent["patchOperations"]:
            if (patch["op"], patch["path"]) != ("replace", "/enabled"):
                raise refusal("UpdateApiKey", "BadRequestException")  # values never change
            key.enabled = patch["value"] == "true"
            key.enabled_at = self.clock.now()
        return _shown(key)

    def _delete(self, sent: dict[str, Any]) -> dict[str, Any]:
        del self.keys[self._ours("DeleteApiKey", sent["apiKey"]).id]
        return {}

    def _attach(self, sent: dict[str, Any]) -> dict[str, Any]:
        plan = self._plan("CreateUsagePlanKey", sent)
        key = self._known("CreateUsagePlanKey", sent["keyId"])
        # Two plans with one stage bar each other, and all plans here have the one stage.
        if key.attached_at:
            raise refusal("CreateUsagePlanKey", "ConflictException")
        key.attached_at[plan] = self.clock.now()
        return {"id": key.id, "type": sent["keyType"], "name": key.name}

    def _attached(self, sent: dict[str, Any]) -> dict[str, Any]:
        plan = self._plan("GetUsagePlanKeys", sent)
        found = [key for key in self.keys.values() if plan in key.attached_at]
        return _page(found, sent, lambda key: {"id": key.id, "type": "API_KEY", "name": key.name})

    def _attachment(self, sent: dict[str, Any]) -> dict[str, Any]:
        plan = self._plan("GetUsagePlanKey", sent)
        key = self._known("GetUsagePlanKey", sent["keyId"])
        if plan not in key.attached_at:
            raise refusal("GetUsagePlanKey", "NotFoundException")
        return {"id": key.id, "type": "API_KEY", "name": key.name}

    def _plans_of(self, sent: dict[str, Any]) -> dict[str, Any]:
        key = self._known("GetUsagePlans", sent["keyId"])
        return {"items": [{"id": plan} for plan in sorted(key.attached_at)]}

    def _ours(self, operation: str, gateway_id: str) -> Key:
        """A key that the role may change: its rights hang on the stack's tag."""
        key = self._known(operation, gateway_id)
        if key.stack != STACK:
            raise refusal(operation, "AccessDeniedException")
        return key

    def _plan(self, operation: str, sent: dict[str, Any]) -> str:
        plan: str = sent["usagePlanId"]
        if plan not in self.plans:
            raise refusal(operation, "NotFoundException")
        return plan

    def _known(self, operation: str, gateway_id: str) -> Key:
        if gateway_id not in self.keys:
            raise refusal(operation, "NotFoundException")
        return self.keys[gateway_id]


def refusal(operation: str, code: str) -> ClientError:
    """The error that boto3 raises for this code of API Gateway."""
    status = {
        "TooManyRequestsException": 429,
        "LimitExceededException": 429,
        "ConflictException": 409,
        "NotFoundException": 404,
        "BadRequestException": 400,
        "AccessDeniedException": 403,
        "ServiceUnavailableException": 503,
    }[code]
    kind = NotFoundException if code == "NotFoundException" else ClientError
    answer = {
        "Error": {"Code": code, "Message": code},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return kind(cast("Any", answer), operation)


def _shown(key: Key, *, value: bool = True) -> dict[str, Any]:
    shown = {
        "id": key.id,
        "name": key.name,
        "description": key.description,
        "enabled": key.enabled,
        "createdDate": key.created,
        "tags": {} if key.stack is None else {"chatgrid:stack": key.stack},
    }
    return {**shown, "value": key.value} if value else shown


def _page(
    found: list[Key], sent: dict[str, Any], show: Callable[[Key], dict[str, Any]]
) -> dict[str, Any]:
    limit = sent.get("limit", 25)
    assert 1 <= limit <= 500
    behind = sent.get("position", "")
    left = sorted((key for key in found if key.id > behind), key=lambda key: key.id)
    page: dict[str, Any] = {"items": [show(key) for key in left[:limit]]}
    return {**page, "position": left[limit - 1].id} if len(left) > limit else page
