"""What a deployment says of costs and further limits, checked at start by every function."""

from __future__ import annotations

from chatgrid_auth.domain.limits.any_length import LONGEST_SECONDS, SHORTEST_SECONDS
from chatgrid_auth.domain.limits.costs import HIGHEST_COST, MOST_COSTS
from chatgrid_auth.domain.limits.window import JWT_RATE_LIMIT
from chatgrid_auth.settings import SettingError, count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

ROUTE_COSTS, ROUTE_LIMITS, OWNER_RATE_LIMIT = "ROUTE_COSTS", "ROUTE_LIMITS", "OWNER_RATE_LIMIT"
HIGHEST_LIMIT = 60_000
#: Neither in the path of a route nor in a structured field; the last two part what is told of one.
_IN_NO_PATH = ' "\\|;'
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class RouteLimit:
    """How often a route may be called by one key, or by one user's sessions.

    Attributes:
        limit: requests in any time of that length.
        window_seconds: the length.
    """

    __slots__ = ("limit", "window_seconds")

    def __init__(self, limit: int, window_seconds: int) -> None:
        self.limit = limit
        self.window_seconds = window_seconds


class FurtherLimits:
    """All that a deployment says beyond each key's own minute.

    Attributes:
        costs: what a request of a route takes, where that is more than one.
        routes: the routes that have a limit of their own.
        owner_limit: units that all keys and sessions of one user have together in any 60 seconds; 0
            for any.
    """

    __slots__ = ("costs", "owner_limit", "routes")

    def __init__(
        self,
        *,
        costs: Mapping[str, int],
        routes: Mapping[str, RouteLimit],
        owner_limit: int,
    ) -> None:
        self.costs = costs
        self.routes = routes
        self.owner_limit = owner_limit

    @property
    def classes(self) -> tuple[int, ...]:
        """The different costs beside 1, from the least to the highest."""
        return tuple(sorted({cost for cost in self.costs.values() if cost > 1}))

    @property
    def has_windows(self) -> bool:
        """Whether there are limits beside the credentials' own."""
        return bool(self.owner_limit or self.routes)

    @property
    def dearest(self) -> int:
        """The highest cost of a request."""
        return max(self.costs.values(), default=1)


def further_limits(environ: Mapping[str, str]) -> FurtherLimits:
    """What holds for a deployment; nothing of it where nothing is said.

    Raises:
        SettingError: something said is not usable, or a limit is below the dearest cost.
    """
    limits = FurtherLimits(
        costs=_costs(environ.get(ROUTE_COSTS, "")),
        routes=_routes(environ.get(ROUTE_LIMITS, "")),
        owner_limit=count(environ, OWNER_RATE_LIMIT),
    )
    if len(limits.classes) > MOST_COSTS:
        raise _unusable(ROUTE_COSTS, f"names more than {MOST_COSTS} different costs above 1")
    if limits.owner_limit > HIGHEST_LIMIT:
        raise _unusable(OWNER_RATE_LIMIT, f"is above {HIGHEST_LIMIT}")
    if limits.dearest > JWT_RATE_LIMIT:
        raise _unusable(ROUTE_COSTS, f"names a cost above the sessions' limit of {JWT_RATE_LIMIT}")
    if 0 < limits.owner_limit < limits.dearest:
        raise _unusable(OWNER_RATE_LIMIT, f"is below the dearest cost in {ROUTE_COSTS}")
    return limits


def _costs(text: str) -> dict[str, int]:
    costs = {}
    for route, cost in _object(ROUTE_COSTS, text).items():
        if not _is_whole(cost, 1, HIGHEST_COST):
            raise _unusable(
                ROUTE_COSTS, f"has a cost that is not a number from 1 to {HIGHEST_COST}"
            )
        costs[route] = int(str(cost))
    return costs


def _routes(text: str) -> dict[str, RouteLimit]:
    routes = {}
    for route, given in _object(ROUTE_LIMITS, text).items():
        if not isinstance(given, dict) or set(given) != {"limit", "window_seconds"}:
            raise _unusable(ROUTE_LIMITS, "needs limit and window_seconds for each route")
        limit, seconds = given["limit"], given["window_seconds"]
        if not _is_whole(limit, 1, HIGHEST_LIMIT):
            raise _unusable(ROUTE_LIMITS, f"has a limit that is not from 1 to {HIGHEST_LIMIT}")
        if not _is_whole(seconds, SHORTEST_SECONDS, LONGEST_SECONDS):
            raise _unusable(
                ROUTE_LIMITS,
                f"has window_seconds that are not from {SHORTEST_SECONDS} to {LONGEST_SECONDS}",
            )
        routes[route] = RouteLimit(limit, seconds)
    return routes


def _object(name: str, text: str) -> dict[str, object]:
    """A JSON object by routes, as in ``{"POST /exports": …}``; empty for an empty text."""
    if not text.strip():
        return {}
    import json  # noqa: PLC0415 - only where something is said

    try:
        pairs = json.loads(text, object_pairs_hook=list)
    except (ValueError, RecursionError) as error:
        raise _unusable(name, "is not JSON") from error
    if not isinstance(pairs, list) or not text.lstrip().startswith("{"):
        raise _unusable(name, "is not a JSON object")
    found: dict[str, object] = {}
    for route, value in pairs:
        method, _, resource = route.partition(" ")
        if method not in METHODS or not resource.startswith("/") or not resource.isprintable():
            raise _unusable(name, 'names a route that is not like "POST /exports"')
        if not resource.isascii() or any(mark in resource for mark in _IN_NO_PATH):
            raise _unusable(name, "names a route with characters that no path has")
        if route in found:
            raise _unusable(name, "names a route twice")
        found[route] = dict(value) if isinstance(value, list) and _are_pairs(value) else value
    return found


def _are_pairs(value: list[object]) -> bool:
    return bool(value) and all(isinstance(pair, tuple) for pair in value)


def _is_whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _unusable(name: str, why: str) -> SettingError:
    return SettingError(f"the environment variable {name} {why}")
