"""The gate of a deployment with owners' budgets or limits of routes.

In front of the ``Authenticator``, and loaded only where there are some: any other deployment
decides as if this did not exist. The order is: the credential's own limit, the owner's, the
route's. What a later one refuses may have cost an earlier one a slot, and never credits.
"""

from __future__ import annotations

from hashlib import sha256

from chatgrid_auth.domain.errors import StoreUnavailable
from chatgrid_auth.domain.limits import window
from chatgrid_auth.domain.limits.any_length import of_seconds
from chatgrid_auth.domain.limits.beyond import DEFAULT, OWNER, ROUTE, AppliedLimit, Beyond
from chatgrid_auth.domain.verdicts import Allowed, Limited
from chatgrid_auth.services.gate.refusals import Refusals
from chatgrid_auth.services.gate.requests import counted_as

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from chatgrid_auth.domain.limits.any_length import AnyLength
    from chatgrid_auth.domain.verdicts import Caller, Told, Verdict
    from chatgrid_auth.services.gate.authenticate import Authenticator
    from chatgrid_auth.services.gate.requests import Request

    class Windows(Protocol):
        """Counts requests on windows that lie apart, one store request each."""

        def hit(
            self, place: str, *, limit: int, kind: AnyLength, cost: int = 1
        ) -> tuple[bool, window.WindowState]: ...

    class RouteLimit(Protocol):
        """How often a route may be called."""

        limit: int
        window_seconds: int


_MINUTE_SECONDS = window.MINUTE.length_ms // 1_000
_REMEMBERED = 1_024


class _Limit:
    """A limit beside the credential's own."""

    __slots__ = ("kind", "limit", "name", "seconds")

    def __init__(self, name: str, limit: int, seconds: int) -> None:
        self.name = name
        self.limit = limit
        self.seconds = seconds
        self.kind = of_seconds(seconds)

    def place(self, caller: Caller) -> str:
        """Where it is counted: another length is another item."""
        if self.name == OWNER:
            return f"OWNER#{caller.user_id}"
        whose = f"user#{caller.user_id}" if caller.key_id is None else f"key#{caller.key_id}"
        return f"ROUTE#{whose}#{self.name[len(ROUTE) :]}#{self.seconds}"


class MeteredGate:
    """Gives every request its verdict, with a store request more for each further limit.

    Args:
        authenticator: decides about the credential and its own limit.
        windows: counts the others.
        owner_limit: units that all keys and sessions of a user have together; 0 for any.
        routes: the routes that have a limit of their own. HEAD is limited like GET.
        limited_tier: the API Gateway key that requests over a limit are counted on.
    """

    def __init__(
        self,
        authenticator: Authenticator,
        *,
        windows: Windows,
        owner_limit: int,
        routes: Mapping[str, RouteLimit],
        limited_tier: str,
    ) -> None:
        self._authenticator = authenticator
        self._windows = windows
        self._limited_tier = limited_tier
        self._owner = _Limit(OWNER, owner_limit, _MINUTE_SECONDS) if owner_limit else None
        self._routes = {
            route: _Limit(ROUTE + route, given.limit, given.window_seconds)
            for route, given in routes.items()
        }
        self._refusals = Refusals(capacity=_REMEMBERED)

    def decide(self, authorization: str | None, *, request: Request, now_ms: int) -> Verdict:
        """The verdict on a request.

        Raises:
            StoreUnavailable, IdentityProviderUnavailable: as the ``Authenticator`` does.
        """
        further = self._applying(request)
        if not further:
            return self._authenticator.decide(authorization, request=request, now_ms=now_ms)
        # All that a verdict may depend on, so that who would hear something else is asked about.
        asked = (request.route, request.scope, request.permission, request.source, request.origin)
        # Nothing has looked at the header yet: it may hold what UTF-8 has no bytes for.
        presented = sha256((authorization or "").encode(errors="surrogatepass")).hexdigest()
        name = f"{presented} {request.cost} {asked}"
        refusal = self._refusals.recall(name, now_ms=now_ms)
        if refusal is not None:
            return refusal.verdict(request, now_ms=now_ms)
        verdict = self._authenticator.decide(authorization, request=request, now_ms=now_ms)
        if isinstance(verdict, Allowed):
            return self._go_on(verdict, further, name, request=request, now_ms=now_ms)
        if isinstance(verdict, Limited):
            before = verdict.beyond or Beyond(refused_by=DEFAULT)
            own = AppliedLimit(DEFAULT, verdict.figures.limit, _MINUTE_SECONDS, verdict.figures)
            before.limits = [own, *(AppliedLimit(x.name, x.limit, x.seconds) for x in further)]
            verdict.beyond = before
        return verdict

    def _applying(self, request: Request) -> Sequence[_Limit]:
        if request.unlimited:
            return ()
        found = []
        if self._owner is not None and not request.spares_credits:
            found.append(self._owner)
        method, _, resource = request.route.partition(" ")
        route = self._routes.get(counted_as(method, resource))
        if route is not None:
            found.append(route)
        return found

    def _go_on(
        self,
        verdict: Allowed,
        further: Sequence[_Limit],
        name: str,
        *,
        request: Request,
        now_ms: int,
    ) -> Verdict:
        beyond = verdict.beyond or Beyond()
        own = AppliedLimit(DEFAULT, verdict.figures.limit, _MINUTE_SECONDS, verdict.figures)
        limits = [own, *(AppliedLimit(x.name, x.limit, x.seconds) for x in further)]
        beyond.limits = limits
        for applied, limit in zip(limits[1:], further, strict=True):
            # Routes count requests, whatever they cost.
            cost = request.cost if limit.name == OWNER else 1
            place = limit.place(verdict.caller)
            try:
                admitted, state = self._windows.hit(
                    place, limit=limit.limit, kind=limit.kind, cost=cost
                )
            except StoreUnavailable:
                _give_back(beyond)
                raise
            applied.status = state
            if not admitted:
                _give_back(beyond)
                refused = _Refused(verdict, state, limit, beyond, self._limited_tier)
                until_ms = state.blocked_until_ms or now_ms
                self._refusals.remember(name, refused, asked_ms=now_ms, until_ms=until_ms)
                return refused.verdict(request, now_ms=now_ms)
        verdict.beyond = beyond
        verdict.figures = beyond.closest() or verdict.figures
        return verdict


def _give_back(beyond: Told) -> None:
    if beyond.give_back is None:
        return
    beyond.give_back()
    beyond.give_back = None
    beyond.credits_left = (beyond.credits_left or 0) + beyond.spent
    beyond.spent = 0


class _Refused:
    """A further limit that is used up until a known moment."""

    def __init__(
        self,
        allowed: Allowed,
        state: window.WindowState,
        limit: _Limit,
        beyond: Told,
        usage_key: str,
    ) -> None:
        self._caller = allowed.caller
        self._figures = beyond.closest() or allowed.figures
        self._state = state
        self._kind = limit.kind
        self._usage_key = usage_key
        self._beyond = beyond
        beyond.refused_by = limit.name

    def verdict(self, request: Request, *, now_ms: int) -> Limited:  # noqa: ARG002 - see Refusal
        """The refusal, with the wait from now on."""
        retry_at_ms = self._state.retry_at_ms or now_ms
        return Limited(
            figures=self._figures,
            retry_after_s=self._kind.wait_s(retry_at_ms, now_ms=now_ms),
            usage_key=self._usage_key,
            key_id=self._caller.key_id,
            user_id=self._caller.user_id,
            beyond=self._beyond,
        )
