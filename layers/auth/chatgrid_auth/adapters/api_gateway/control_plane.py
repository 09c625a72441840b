"""API Gateway's control plane through boto3: keys and the plans that they are in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from chatgrid_auth.domain.usage_keys import (
    STACK_TAG,
    ControlPlaneConflict,
    ControlPlaneError,
    ControlPlaneRefused,
    ControlPlaneThrottled,
    ControlPlaneUnavailable,
    GatewayKey,
    KeyCeilingReached,
)

if TYPE_CHECKING:
    from types_boto3_apigateway import APIGatewayClient

#: The most that API Gateway gives in one page.
_PAGE = 500
# By code: API Gateway answers 429 to both of the first two, and only one of them ever passes.
_BY_CODE: dict[str, type[ControlPlaneError]] = {
    "TooManyRequestsException": ControlPlaneThrottled,
    "LimitExceededException": KeyCeilingReached,
    "ThrottlingException": ControlPlaneThrottled,
    "AccessDeniedException": ControlPlaneRefused,
    "BadRequestException": ControlPlaneRefused,
    "NotFoundException": ControlPlaneRefused,
}
_GONE = "NotFoundException"
_CONFLICT = "ConflictException"


class ApiGateway:
    """The control plane, as ``services.usage_plans.ports.ControlPlane`` asks for it.

    Args:
        client: boto3's API Gateway client, time-outs set and its own retries off: pacing and
            retries are the caller's, who knows how much time there is.
        stack: the stack's name, which its keys are tagged with.
    """

    def __init__(self, client: APIGatewayClient, *, stack: str) -> None:
        self._client = client
        self._stack = stack

    def find(self, name: str) -> list[GatewayKey]:
        """The keys of exactly this name. (API Gateway's own name query matches prefixes.)"""
        with _translated("GetApiKeys"):
            response = self._client.get_api_keys(nameQuery=name, includeValues=True, limit=_PAGE)
        return [key for key in map(_key, response.get("items", [])) if key.name == name]

    def create(self, name: str, *, value: str, description: str) -> GatewayKey:
        """A new, enabled key, tagged as this stack's.

        Raises:
            ControlPlaneConflict: a key with this value exists, or another change is under way.
            KeyCeilingReached: the account can hold no more.
        """
        with _translated("CreateApiKey", conflict=ControlPlaneConflict):
            response = self._client.create_api_key(
                name=name,
                value=value,
                description=description,
                enabled=True,
                tags={STACK_TAG: self._stack},
            )
        return _key(response)

    def enable(self, gateway_id: str) -> None:
        """Enable a key."""
        with _translated("UpdateApiKey"):
            self._set_enabled(gateway_id, "true")

    def disable(self, gateway_id: str) -> None:
        """Disable a key; one that is gone is disabled enough."""
        with _translated("UpdateApiKey", accepting=_GONE):
            self._set_enabled(gateway_id, "false")

    def delete(self, gateway_id: str) -> None:
        """Delete a key, and take it from its plans; one that is gone is deleted enough."""
        with _translated("DeleteApiKey", accepting=_GONE):
            self._client.delete_api_key(apiKey=gateway_id)

    def attach(self, gateway_id: str, *, plan: str) -> None:
        """Put a key into a plan.

        Raises:
            ControlPlaneConflict: it is in this plan already, or in another one of the same stage,
                or another key is being put into a plan, anywhere in the account.
        """
        with _translated("CreateUsagePlanKey", conflict=ControlPlaneConflict):
            self._client.create_usage_plan_key(
                usagePlanId=plan, keyId=gateway_id, keyType="API_KEY"
            )

    def is_in(self, gateway_id: str, *, plan: str) -> bool:
        """Whether a key is in a plan."""
        with _translated("GetUsagePlanKey"):
            try:
                self._client.get_usage_plan_key(usagePlanId=plan, keyId=gateway_id)
            except self._client.exceptions.NotFoundException:
                return False
        return True

    def plans_of(self, gateway_id: str) -> list[str]:
        """The ids of the plans that a key is in."""
        with _translated("GetUsagePlans"):
            response = self._client.get_usage_plans(keyId=gateway_id, limit=_PAGE)
        return [plan["id"] for plan in response.get("items", [])]

    def keys(self, position: str | None) -> tuple[list[GatewayKey], str | None]:
        """A page of all keys of the account, and where the next one starts."""
        with _translated("GetApiKeys"):
            response = self._client.get_api_keys(includeValues=True, limit=_PAGE, **_from(position))
        return [_key(item) for item in response.get("items", [])], response.get("position")

    def attached(self, position: str | None, *, plan: str) -> tuple[list[str], str | None]:
        """A page of the ids of a plan's keys, and where the next one starts."""
        with _translated("GetUsagePlanKeys"):
            response = self._client.get_usage_plan_keys(
                usagePlanId=plan, limit=_PAGE, **_from(position)
            )
        return [item["id"] for item in response.get("items", [])], response.get("position")

    def _set_enabled(self, gateway_id: str, value: str) -> None:
        self._client.update_api_key(
            apiKey=gateway_id,
            patchOperations=[{"op": "replace", "path": "/enabled", "value": value}],
        )


@contextmanager
def _translated(
    operation: str,
    *,
    accepting: str | None = None,
    conflict: type[ControlPlaneError] = ControlPlaneThrottled,
) -> Iterator[None]:
    """Turn boto3's errors into ours; a code that means *done already* is no error.

    A conflict is another change of the account under way, unless the operation can also mean that
    what it makes is there already.
    """
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "Unknown")
        if code == accepting:
            return
        kind = conflict if code == _CONFLICT else _BY_CODE.get(code, ControlPlaneUnavailable)
        raise kind(operation, code) from None
    except BotoCoreError as error:
        raise ControlPlaneUnavailable(operation, type(error).__name__) from None


def _from(position: str | None) -> dict[str, Any]:
    return {} if position is None else {"position": position}


def _key(item: Any) -> GatewayKey:
    return GatewayKey(
        id=item["id"],
        name=item.get("name", ""),
        value=item.get("value", ""),
        # An emulator gives a patched flag back as the text of the patch.
        enabled=str(item.get("enabled", False)).lower() == "true",
        created=_seconds(item.get("createdDate", 0)),
        description=item.get("description", ""),
    )


def _seconds(moment: Any) -> float:
    return float(moment.timestamp() if hasattr(moment, "timestamp") else moment)
