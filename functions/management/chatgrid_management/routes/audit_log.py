"""What was done to the caller's keys, and whether the record of it is whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends
from pydantic import Field, ValidationError

from chatgrid_auth.http_api.edge import router as new_router
from chatgrid_auth.http_api.fields import Identifier, Instant
from chatgrid_auth.http_api.pagination import Paging, encode_cursor
from chatgrid_auth.http_api.responses import ListResponse, Response
from chatgrid_management.services import CurrentCaller, Services

router = new_router("audit-log")

#: Ten digits with the one that follows it: more entries than one user's keys will ever leave.
_LAST_PLACE = 10**10 - 2
_Hash = Annotated[str, Field(json_schema_extra={"pattern": "^[0-9a-f]{64}$"})]


class ActorData(Response):
    """Who did it."""

    type: Literal["user", "api_key", "operator", "system"]
    id: Annotated[str | None, Field(description="The user; an operator's IAM ARN.")]
    key_id: Annotated[str | None, Field(description="The key that acted.")]
    source_ip: str | None


class TargetData(Response):
    """What it was done to."""

    type: Literal["api_key"]
    id: Identifier


class ChangeData(Response):
    """A field before and after."""

    from_: Annotated[Any, Field(alias="from")]
    to: Any


class AuditEntryData(Response):
    """One thing that was done to one key."""

    id: Identifier
    seq: Annotated[int, Field(description="From 1 for each user, without gaps.")]
    action: Annotated[str, Field(examples=["api_key.created"])]
    actor: ActorData
    target: TargetData
    changes: dict[str, ChangeData]
    request_id: str | None
    created_at: Instant
    previous_hash: _Hash | None
    hash: Annotated[
        _Hash, Field(description="SHA-256 of this entry's RFC 8785 form without `hash`.")
    ]


class AuditLogPage(ListResponse[AuditEntryData]):
    """One page of entries."""


class AuditVerificationData(Response):
    """Whether the entries follow upon each other, each as it was written."""

    status: Literal["ok", "broken"]
    entries: int
    first_broken_seq: Annotated[
        int | None, Field(description="The first number at which they do not.")
    ]


class AuditVerificationResponse(Response):
    """What a verification found."""

    object: Literal["audit_verification"] = "audit_verification"
    data: AuditVerificationData


async def _after(page: Paging) -> int | None:
    """The number that the page before ended with: a cursor carries it in place of an id.

    A cursor that the log never gave is a place too, at its end at the furthest.
    """
    return None if page.after is None else min(UUID(page.after).int, _LAST_PLACE)


@router.get("/me/audit-log", operation_id="listAuditLog", summary="Read the audit log")
async def list_audit_log(
    page: Paging,
    after: Annotated[int | None, Depends(_after)],
    caller: CurrentCaller,
    services: Services,
) -> AuditLogPage:
    """Who did what to the caller's keys, an entry for each key that was changed."""
    found = services.audit_log().page(
        caller.user_id, limit=page.limit, after=after, descending=page.descending
    )
    more = found.has_more and found.last_seq is not None
    return AuditLogPage(
        data=[entry for stored in found.items if (entry := _readable(stored)) is not None],
        has_more=more,
        cursor=encode_cursor(str(UUID(int=found.last_seq))) if more else None,
    )


def _readable(stored: Mapping[str, Any]) -> AuditEntryData | None:
    """An entry; none where somebody has spoiled it, which the verification tells."""
    try:
        return AuditEntryData.model_validate(stored)
    except ValidationError:
        return None


@router.get("/me/audit-log/verify", operation_id="verifyAuditLog", summary="Verify the audit log")
async def verify_audit_log(caller: CurrentCaller, services: Services) -> AuditVerificationResponse:
    """Read every entry and tell whether any was changed, removed or moved.

    Of a log of more than 50,000 entries nothing is said: 503. Its pages can be verified one by one.
    """
    found = services.audit_log().verify(caller.user_id)
    return AuditVerificationResponse(
        data=AuditVerificationData(
            status="ok" if found.first_broken_seq is None else "broken",
            entries=found.entries,
            first_broken_seq=found.first_broken_seq,
        )
    )
