"""What the gate is told of a request: all that a verdict may depend on, beside the credential."""

from __future__ import annotations

from chatgrid_auth.domain.scopes import (
    EVERY_PERMISSION,
    NEVER_LIMITED,
    required_permission,
    required_scope,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

#: What no credential has: a request that needs it is refused, whatever else holds.
NO_SCOPE = "none"
_MOST_ROUTES = 1_024


class Request:
    """What is asked for, where from, and at what price.

    Attributes:
        scope: the scope that the request needs.
        permission: the permission that a key with permissions needs beside it; ``None`` for none.
        source: the address that the request came from; empty when it is not known.
        origin: the ``Origin`` header; ``None`` when there is not exactly one.
        cost: how many units of its limit the request takes.
        unlimited: whether a key is let through over its limit too; it is counted below it.
        spares_credits: whether it spends no credits, nor of its owner's budget: no use of a key may
            keep its owner from listing, disabling and revoking it.
        route: the method and the path as the API declares it, as in ``POST /boards``; empty when
            the path is as the client spelled it.
    """

    __slots__ = (
        "cost",
        "origin",
        "permission",
        "route",
        "scope",
        "source",
        "spares_credits",
        "unlimited",
    )

    def __init__(
        self,
        scope: str,
        *,
        permission: str | None = None,
        source: str = "",
        origin: str | None = None,
        cost: int = 1,
        unlimited: bool = False,
        spares_credits: bool = False,
        route: str = "",
    ) -> None:
        self.scope = scope
        self.permission = permission
        self.source = source
        self.origin = origin
        self.cost = cost
        self.unlimited = unlimited
        self.spares_credits = spares_credits
        self.route = route

    def asked(self, source: str, origin: str | None) -> Request:
        """The same request, from somewhere."""
        return Request(
            self.scope,
            permission=self.permission,
            source=source,
            origin=origin,
            cost=self.cost,
            unlimited=self.unlimited,
            spares_credits=self.spares_credits,
            route=self.route,
        )

    def refused(self) -> Request:
        """The same request, to be asked about and never admitted: no key has such a scope."""
        return self._with(NO_SCOPE)

    def limited(self) -> Request:
        """The same request, let through over no limit."""
        return self._with(self.scope)

    def _with(self, scope: str) -> Request:
        return Request(
            scope,
            permission=self.permission,
            source=self.source,
            origin=self.origin,
            cost=self.cost,
            spares_credits=self.spares_credits,
            route=self.route,
        )


class Routes:
    """What the routes of a deployment need.

    Args:
        permissions: the deployment's own, by method and resource (``POST /exports``).
        costs: what a request takes, where that is more than one, likewise. HEAD goes by GET.
    """

    def __init__(
        self, *, permissions: Mapping[str, str], costs: Mapping[str, int] | None = None
    ) -> None:
        self._permissions = permissions
        self._costs = costs or {}
        self._declared: dict[tuple[str, str], Request] = {}

    def declared(self, method: str, resource: str) -> Request:
        """What is asked of a resource as the API declares it, wherever from: one for each route.

        An API has only so many.
        """
        route = self._declared.get((method, resource))
        if route is None:
            scope = required_scope(method, resource)
            route = Request(
                scope,
                permission=required_permission(
                    method, resource, scope=scope, mapped=self._permissions
                ),
                unlimited=(method, resource) == NEVER_LIMITED,
                spares_credits=(method, resource) == NEVER_LIMITED or is_about_keys(resource),
                cost=self._costs.get(counted_as(method, resource), 1),
                route=f"{method} {resource}",
            )
            if len(self._declared) >= _MOST_ROUTES:
                self._declared.clear()
            self._declared[(method, resource)] = route
        return route

    @staticmethod
    def spelled(method: str, path: str) -> Request:
        """What is asked of a path as a client spelled it, which may not be the one that it names.

        So a key with permissions needs them all.
        """
        return Request(required_scope(method, path), permission=EVERY_PERMISSION)


def counted_as(method: str, resource: str) -> str:
    """The route whose cost and limit hold for a request: HEAD is limited like GET."""
    return f"{'GET' if method == 'HEAD' else method} {resource}"


def is_about_keys(resource: str) -> bool:
    """Whether a declared path is one by which an owner looks after its keys."""
    return resource == "/me/api-keys" or resource.startswith("/me/api-keys/")
