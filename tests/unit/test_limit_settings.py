"""Costs and further limits: what a deployment may say, and what it is told about the rest."""

from __future__ import annotations

import pytest

from chatgrid_auth.limit_settings import further_limits
from chatgrid_auth.settings import SettingError


def test_nothing_said_means_no_costs_and_no_further_limits() -> None:
    limits = further_limits({})
    assert (limits.classes, limits.dearest, limits.owner_limit) == ((), 1, 0)
    assert not limits.routes


def test_costs_and_limits_are_read_by_route() -> None:
    limits = further_limits(
        {
            "ROUTE_COSTS": '{"POST /exports": 10, "GET /reports/{id}": 50, "GET /boards": 1}',
            "ROUTE_LIMITS": '{"POST /exports": {"limit": 10, "window_seconds": 3600}}',
            "OWNER_RATE_LIMIT": "500",
        }
    )
    assert (limits.classes, limits.dearest, limits.owner_limit) == ((10, 50), 50, 500)
    route = limits.routes["POST /exports"]
    assert (route.limit, route.window_seconds) == (10, 3_600)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("ROUTE_COSTS", "{", "is not JSON"),
        ("ROUTE_COSTS", "[]", "is not a JSON object"),
        ("ROUTE_COSTS", '[["POST /a", 5]]', "is not a JSON object"),
        ("ROUTE_COSTS", "7", "is not a JSON object"),
        ("ROUTE_COSTS", '{"POST /a": 0}', "from 1 to 999"),
        ("ROUTE_COSTS", '{"POST /a": 1000}', "from 1 to 999"),
        ("ROUTE_COSTS", '{"POST /a": true}', "from 1 to 999"),
        ("ROUTE_COSTS", '{"POST /a": 2.5}', "from 1 to 999"),
        ("ROUTE_COSTS", '{"POST /a": 2, "POST /a": 3}', "names a route twice"),
        ("ROUTE_COSTS", '{"/a": 2}', 'like "POST /exports"'),
        ("ROUTE_COSTS", '{"HEAD /a": 2}', 'like "POST /exports"'),
        ("ROUTE_COSTS", '{"post /a": 2}', 'like "POST /exports"'),
        ("ROUTE_COSTS", '{"POST /a b": 2}', "characters that no path has"),
        ("ROUTE_COSTS", '{"POST /a;b": 2}', "characters that no path has"),
        ("ROUTE_COSTS", '{"POST /a|b": 2}', "characters that no path has"),
        ("ROUTE_COSTS", '{"POST /a": 201}', "above the sessions' limit of 200"),
        ("ROUTE_COSTS", '{"GET /a":2,"GET /b":3,"GET /c":4,"GET /d":5}', "more than 3"),
        ("ROUTE_LIMITS", '{"POST /a": 5}', "needs limit and window_seconds"),
        ("ROUTE_LIMITS", '{"POST /a": {"limit": 5}}', "needs limit and window_seconds"),
        ("ROUTE_LIMITS", '{"POST /a": {"limit": 0, "window_seconds": 1}}', "from 1 to 60000"),
        ("ROUTE_LIMITS", '{"POST /a": {"limit": 1, "window_seconds": 86401}}', "1 to 86400"),
        ("OWNER_RATE_LIMIT", "60001", "is above 60000"),
        ("OWNER_RATE_LIMIT", "many", "is not a whole number"),
    ],
)
def test_what_is_not_usable_is_named_with_the_rule(name: str, value: str, why: str) -> None:
    with pytest.raises(SettingError, match=why) as refused:
        further_limits({name: value})
    assert name in str(refused.value)


def test_an_owner_limit_below_the_dearest_cost_is_refused() -> None:
    with pytest.raises(SettingError, match="OWNER_RATE_LIMIT is below the dearest cost"):
        further_limits({"ROUTE_COSTS": '{"POST /a": 10}', "OWNER_RATE_LIMIT": "9"})
