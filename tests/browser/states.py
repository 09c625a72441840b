"""The page's main states, each one word away: for the tests of all of them, and for pictures."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from tests.browser.dashboard import Dashboard, refusal

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
#: The narrowest phone and a wide screen, as (width, height).
SIZES = ((360, 740), (1600, 1000))


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How to bring a freshly opened browser there.

    Attributes:
        signed_in: whether somebody is, before the page is visited.
        prepare: what is done before the visit; the visit itself is not part of it.
        arrange: what is done after it.
    """

    name: str
    signed_in: bool = True
    prepare: Callable[[Dashboard], None] = lambda _: None
    arrange: Callable[[Dashboard], None] = lambda _: None


def at(**since_now: float) -> str:
    """An instant so far from now, as the API writes it."""
    instant = datetime.now(UTC) + timedelta(**since_now)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def key(number: int, name: str, **facts: Any) -> dict[str, Any]:
    """A key as the API lists it."""
    environment = facts.pop("environment", "live")
    return {
        "id": f"019a0000-0000-7000-8000-{number:012}",
        "key_prefix": f"cgk_{environment}_{number:04x}",
        "name": name,
        "scopes": ["read", "write"],
        "kind": "secret",
        "environment": environment,
        "rate_limit": 120,
        "credits": None,
        "enabled": True,
        "disabled_reason": None,
        "allowed_ips": None,
        "allowed_origins": None,
        "permissions": None,
        "metadata": {},
        "self_rotation": False,
        "previous_secret": None,
        "created_by": {"type": "jwt", "key_id": None},
        "updated_at": at(days=-3),
        "last_used_at": None,
        "created_at": at(days=-3),
        "expires_at": None,
        **facts,
    }


def answer(keys: list[dict[str, Any]], cursor: str | None = None) -> dict[str, Any]:
    """One page of a list."""
    return {"object": "list", "data": keys, "has_more": cursor is not None, "cursor": cursor}


def some_keys() -> list[dict[str, Any]]:
    """A few keys that show what a row can say."""
    return [
        key(9, "CI pipeline", last_used_at=at(seconds=-40), expires_at=at(days=87)),
        key(8, "Reporting (read only)", scopes=["read"], last_used_at=at(hours=-5), rate_limit=30),
        key(7, "Key rotation job", scopes=["admin"], created_at=at(days=-41), rate_limit=1200),
        key(
            6,
            "Staging",
            environment="test",
            created_at=at(days=-88),
            last_used_at=at(days=-2),
            expires_at=at(days=2, hours=1),
        ),
        key(
            5,
            "Laptop of the contractor, until the end of the migration project",
            created_at=at(days=-400),
            last_used_at=at(days=-33),
            expires_at=at(days=-9),
        ),
    ]


def with_keys(dashboard: Dashboard) -> None:
    """Let the API list a few keys."""
    dashboard.answer_keys("GET", 200, answer(some_keys()))


def _with_no_keys(dashboard: Dashboard) -> None:
    dashboard.answer_keys("GET", 200, answer([]))


def _never(dashboard: Dashboard) -> None:
    dashboard.page.route("**/me/api-keys**", lambda _route: None)


def _refusing(status: int, code: str, message: str, **headers: str) -> Callable[[Dashboard], None]:
    def prepare(dashboard: Dashboard) -> None:
        dashboard.answer_keys("GET", status, refusal(status, code, message), **headers)

    return prepare


def _link_sent(dashboard: Dashboard) -> None:
    dashboard.page.get_by_label("E-mail").fill("ada@example.com")
    dashboard.button("E-mail me a sign-in link").click()
    dashboard.page.get_by_role("heading", name="Check your inbox").wait_for()


def _wrong_password(dashboard: Dashboard) -> None:
    dashboard.page.get_by_label("E-mail").fill("ada@example.com")
    dashboard.page.get_by_label("Password").fill("guess")
    dashboard.button("Sign in").click()
    dashboard.page.get_by_text("E-mail or password is wrong.").wait_for()


def _create(dashboard: Dashboard) -> None:
    dialog = dashboard.open_create()
    dialog.get_by_label("Name").fill("Nightly build")


def _create_wrong(dashboard: Dashboard) -> None:
    dialog = dashboard.open_create()
    dialog.get_by_label("Requests a minute").fill("none")
    dialog.get_by_label("Expires").select_option("At an exact time…")
    dialog.get_by_label("Date and time").fill("2020-01-01T00:00")
    for scope in ("read", "write"):
        dialog.locator(f"input[value={scope}]").uncheck()
    dialog.get_by_role("button", name="Create key").click()
    dialog.get_by_text("A whole number from 1 to").wait_for()


def _reveal(dashboard: Dashboard) -> None:
    # The documentation's example: its checksum is wrong on purpose.
    shown = "cgk_live_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6"
    made = {**key(10, "Nightly build", expires_at=at(days=90)), "raw_key": shown}
    dashboard.answer_keys("POST", 201, {"object": "api_key", "data": made})
    dialog = dashboard.open_create()
    dialog.get_by_label("Name").fill("Nightly build")
    dialog.get_by_role("button", name="Create key").click()
    dashboard.dialog("Store this key now").wait_for()


def _revoke(dashboard: Dashboard) -> None:
    dashboard.revoke("Staging", typed="Stagging").get_by_text("not this key's name").wait_for()


def _limited_in_dialog(dashboard: Dashboard) -> None:
    limited = refusal(429, "rate_limit_exceeded", "Rate limit exceeded")
    dashboard.answer_keys("POST", 429, limited, **{"Retry-After": "30"})
    _create(dashboard)
    dashboard.button("Create key").last.click()
    dashboard.page.get_by_text("Too many requests.").wait_for()


def _no_match(dashboard: Dashboard) -> None:
    dashboard.page.get_by_label("Filter by name").fill("deploy")
    dashboard.page.get_by_role("heading", name="No key by that name").wait_for()


def _exact_times(dashboard: Dashboard) -> None:
    dashboard.button("Exact times").click()


def _offline(dashboard: Dashboard) -> None:
    dashboard.as_before()
    dashboard.page.context.set_offline(True)
    dashboard.button("Refresh").click()
    dashboard.page.get_by_role("heading", name="You are offline").wait_for()


def _notice(title: str) -> Callable[[Dashboard], None]:
    return lambda dashboard: dashboard.page.get_by_role("heading", name=title).wait_for()


STATES = (
    State(name="sign-in", signed_in=False),
    State(name="sign-in-refused", signed_in=False, arrange=_wrong_password),
    State(name="link-sent", signed_in=False, arrange=_link_sent),
    State(name="loading", prepare=_never),
    State(name="empty", prepare=_with_no_keys),
    State(name="keys", prepare=with_keys),
    State(name="keys-exact", prepare=with_keys, arrange=_exact_times),
    State(name="no-match", prepare=with_keys, arrange=_no_match),
    State(name="create", prepare=with_keys, arrange=_create),
    State(name="create-refused", prepare=with_keys, arrange=_create_wrong),
    State(name="create-limited", prepare=with_keys, arrange=_limited_in_dialog),
    State(name="reveal", prepare=with_keys, arrange=_reveal),
    State(name="revoke", prepare=with_keys, arrange=_revoke),
    State(name="offline", prepare=with_keys, arrange=_offline),
    State(
        name="forbidden",
        prepare=_refusing(403, "forbidden", "Missing required scope: admin"),
        arrange=_notice("This account may not manage keys"),
    ),
    State(
        name="limited",
        prepare=_refusing(
            429, "rate_limit_exceeded", "Rate limit exceeded", **{"Retry-After": "42"}
        ),
        arrange=_notice("Too many requests"),
    ),
    State(
        name="unavailable",
        prepare=_refusing(
            503, "service_unavailable", "Service unavailable", **{"Retry-After": "30"}
        ),
        arrange=_notice("ChatGrid is unavailable for a moment"),
    ),
    State(
        name="fault",
        prepare=_refusing(
            500,
            "internal_error",
            "Internal server error",
            **{"x-amzn-RequestId": "c4a760d1-86f9-4e0c-9d29-1f2b7d0f6a55"},
        ),
        arrange=_notice("Something went wrong on our side"),
    ),
)


def bring(dashboard: Dashboard, state: State) -> None:
    """Bring a fresh browser into a state."""
    state.prepare(dashboard)
    dashboard.page.goto(dashboard.address)
    dashboard.page.locator("#starting").wait_for(state="hidden")
    if state.signed_in:
        dashboard.keys_heading.wait_for()
        if state.prepare is not _never:
            dashboard.settle()
    else:
        dashboard.button("Sign in as the developer").wait_for()
    state.arrange(dashboard)


def session_of_ada() -> dict[str, Any]:
    """A session for states in which the API is played: good enough for the page to go on."""
    return {
        "access_token": "played",
        "token_type": "bearer",
        "expires_in": 3600,
        "expires_at": int(datetime.now(UTC).timestamp()) + 3600,
        "refresh_token": "played",
        "user": {"id": "00000000-0000-4000-8000-00000000ada0", "email": "ada@example.com"},
    }


def storage_of(state: State, origin: str) -> dict[str, Any] | None:
    """The storage of a browser in that state, in Playwright's format."""
    if not state.signed_in:
        return None
    kept = [{"name": "chatgrid-dashboard", "value": json.dumps(session_of_ada())}]
    return {"cookies": [], "origins": [{"origin": origin, "localStorage": kept}]}
