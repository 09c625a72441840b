"""What the rules of a key take, and what is said of them beside the key."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from chatgrid_auth.domain.actors import Actor
from chatgrid_auth.domain.credentials import ApiKey
from chatgrid_auth.http_api.responses import Response
from chatgrid_auth.services.key_changes.policies import (
    MOST_ADDRESSES,
    MOST_PERMISSIONS,
    shuts_out,
)

# Shapes only, and the rules for the description: `services.key_changes.policies` checks them.
GivenAddresses: TypeAlias = Annotated[
    list[str] | None,
    Field(
        description=f"1 to {MOST_ADDRESSES} IPv4 or IPv6 addresses, or networks in CIDR notation "
        "without host bits; `null` for anywhere.",
        json_schema_extra={"minItems": 1, "maxItems": MOST_ADDRESSES},
        examples=[["192.0.2.0/24", "2001:db8::/32"]],
    ),
]
GivenPermissions: TypeAlias = Annotated[
    list[str] | None,
    Field(
        description=f"1 to {MOST_PERMISSIONS} of `resource:action`, `resource:*` or `*`; `null` "
        "for all that the scopes let do. A new key has its maker's own when they are left out.",
        json_schema_extra={"minItems": 1, "maxItems": MOST_PERMISSIONS},
        examples=[["boards:read", "exports:*"]],
    ),
]


class Warning(Response):  # noqa: A001 - what the API calls it
    """Something that holds, and that the caller may not have meant."""

    code: Literal["source_address_not_allowed"]
    path: Literal["allowed_ips"]
    message: str


Warnings: TypeAlias = Annotated[
    list[Warning], Field(description="What holds, and may not have been meant; mostly nothing.")
]


def warnings_of(key: ApiKey, actor: Actor) -> list[Warning]:
    """What a caller should know of a key that it made or changed."""
    if not shuts_out(key.allowed_ips, actor.source_ip):
        return []
    message = "Your own source address is not among them"
    return [Warning(code="source_address_not_allowed", path="allowed_ips", message=message)]
