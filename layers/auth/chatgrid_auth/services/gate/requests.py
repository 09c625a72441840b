"""What the gate is told of a request: all that a verdict may depend on, beside the credential."""

from __future__ import annotations


class Request:
    """What is asked for, where from, and at what price.

    Attributes:
        scope: the scope that the request needs.
        permission: the permission that a key with permissions needs beside it; ``None`` for none.
        source: the address that the request came from; empty when it is not known.
        origin: the ``Origin`` header; ``None`` when there is not exactly one.
        cost: how many units of its limit the request takes.
        unlimited: whether a key is let through over its limit too; it is counted below it.
        route: the method and the path as the API declares it, as in ``POST /boards``; empty when
            the path is as the client spelled it.
    """

    __slots__ = ("cost", "origin", "permission", "route", "scope", "source", "unlimited")

    def __init__(
        self,
        scope: str,
        *,
        permission: str | None = None,
        source: str = "",
        origin: str | None = None,
        cost: int = 1,
        unlimited: bool = False,
        route: str = "",
    ) -> None:
        self.scope = scope
        self.permission = permission
        self.source = source
        self.origin = origin
        self.cost = cost
        self.unlimited = unlimited
        self.route = route
