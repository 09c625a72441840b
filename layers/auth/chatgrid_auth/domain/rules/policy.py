"""What a key's policy says of a request, in the order of refusals: address, origin, permission.

The authorizer loads this for the first key that has such rules, and for no other.
"""

from __future__ import annotations

from chatgrid_auth.domain.rules import addresses, origins, permissions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Protocol

    from chatgrid_auth.domain.rules.addresses import Network

    class Asked(Protocol):
        """What rules look at of a request."""

        source: str
        origin: str | None
        permission: str | None


ADDRESS, ORIGIN, PERMISSION = "address", "origin", "permission"


class Rules:
    """The rules of a key. Each is absent, or it holds of every request.

    Attributes:
        networks: where it may be used from; ``None`` for anywhere.
        origins: by which pages; ``None`` for any, and for what is no page.
        permissions: what for; ``None`` for all that its scopes let it do.
    """

    __slots__ = ("networks", "origins", "permissions")

    def __init__(
        self,
        *,
        networks: Collection[Network] | None = None,
        origins: Collection[str] | None = None,
        permissions: tuple[str, ...] | None = None,
    ) -> None:
        self.networks = networks
        self.origins = origins
        self.permissions = permissions

    def broken_by(self, request: Asked) -> str | None:
        """The first rule that a request breaks; ``None`` when it breaks none."""
        if self.networks is not None and not addresses.holds(self.networks, request.source):
            return ADDRESS
        if self.origins is not None and not origins.allows(self.origins, request.origin):
            return ORIGIN
        if not permissions.covers(self.permissions, request.permission):
            return PERMISSION
        return None


def read_rules(
    *, allowed_ips: str | None, allowed_origins: str | None, granted: str | None
) -> Rules:
    """The rules as they are kept: texts with a space between one and the next.

    Raises:
        ValueError: they are not what is ever kept.
    """
    return Rules(
        networks=None
        if allowed_ips is None
        else tuple(addresses.read_network(one) for one in allowed_ips.split()),
        origins=None if allowed_origins is None else frozenset(allowed_origins.split()),
        permissions=None if granted is None else tuple(granted.split()),
    )
