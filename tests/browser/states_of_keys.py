"""The states of what can be done with keys: for the tests of all states, and for pictures."""

from __future__ import annotations

from typing import Any

from tests.browser.dashboard import Dashboard, refusal
from tests.browser.played import play_key
from tests.browser.states import State, at, key, with_keys


def _known() -> dict[str, Any]:
    refill = {"amount": 50_000, "interval": "month", "next_at": at(days=12)}
    return key(
        9,
        "CI pipeline",
        last_used_at=at(seconds=-40),
        expires_at=at(days=87),
        allowed_ips=["192.0.2.0/24", "2001:db8::/32"],
        permissions=["boards:read", "exports:*"],
        credits={"remaining": 12_345, "refill": refill},
        metadata={"team": "core", "runbook": "https://wiki.example.com/ci"},
        previous_secret={
            "key_prefix": "cgk_live_a1b2",
            "expires_at": at(hours=20),
            "last_used_at": at(minutes=-7),
        },
    )


def _with_one(dashboard: Dashboard) -> None:
    with_keys(dashboard)
    play_key(dashboard, _known())


def _key(dashboard: Dashboard) -> None:
    dashboard.open_key("CI pipeline")


def _change(dashboard: Dashboard) -> None:
    _key(dashboard)
    dashboard.button("Change").click()
    _unfold(dashboard)


def _unfold(dashboard: Dashboard) -> None:
    dashboard.page.locator("dialog[open] details").evaluate_all(
        "folds => folds.forEach((fold) => { fold.open = true; })"
    )


def _numbers(dashboard: Dashboard) -> None:
    _key(dashboard)
    dashboard.page.get_by_text("The same numbers in a table").click()


def _rotate(dashboard: Dashboard) -> None:
    _key(dashboard)
    dashboard.button("Rotate").click()
    dashboard.dialog("Rotate this key?").wait_for()


def _activity(dashboard: Dashboard) -> None:
    dashboard.page.get_by_role("link", name="Activity").click()
    dashboard.page.get_by_role("heading", level=1, name="Activity").wait_for()
    dashboard.settle()


def _publishable_wrong(dashboard: Dashboard) -> None:
    dialog = dashboard.open_create()
    dialog.get_by_label("Name").fill("Shop window")
    dialog.get_by_label("Kind").select_option("Publishable")
    _unfold(dashboard)
    for field in ("Addresses", "Permissions", "Credits left", "Your own notes"):
        dialog.get_by_label(field).fill("nonsense!")
    dialog.get_by_label("New credits").select_option("Each week")
    dialog.get_by_role("button", name="Create key").click()
    dialog.get_by_text("Name at least one").wait_for()


def _selected(dashboard: Dashboard) -> None:
    for name in ("Staging", "Key rotation job", "Laptop of the contractor"):
        dashboard.page.get_by_role("checkbox", name=f"Select {name}").check()


def _several(dashboard: Dashboard) -> None:
    _selected(dashboard)
    dashboard.button("Revoke these").click()
    dialog = dashboard.dialog("Revoke 3 keys?")
    dialog.get_by_role("button", name="Revoke keys").click()
    dialog.get_by_text("Type 3, the number of keys.").wait_for()


def _several_done(dashboard: Dashboard) -> None:
    limited = refusal(429, "rate_limit_exceeded", "Rate limit exceeded")
    told = {"object": "api_key_revoked", "data": {"id": "", "revoked": True}}
    dashboard.page.route("**/*-000000000007?**", lambda route: route.fulfill(json=told))
    dashboard.page.route(
        "**/*-000000000006?**", lambda route: route.fulfill(status=429, json=limited)
    )
    _selected(dashboard)
    dashboard.button("Revoke these").click()
    dialog = dashboard.dialog("Revoke 3 keys?")
    dialog.get_by_label("Type 3 to confirm").fill("3")
    dialog.get_by_role("button", name="Revoke keys").click()
    dialog.get_by_role("button", name="Close").wait_for()


KEY_STATES = (
    State(name="key", prepare=_with_one, arrange=_key),
    State(name="numbers", prepare=_with_one, arrange=_numbers),
    State(name="rotate", prepare=_with_one, arrange=_rotate),
    State(name="change", prepare=_with_one, arrange=_change),
    State(name="activity", prepare=_with_one, arrange=_activity),
    State(name="publishable-refused", prepare=with_keys, arrange=_publishable_wrong),
    State(name="selected", prepare=with_keys, arrange=_selected),
    State(name="several", prepare=with_keys, arrange=_several),
    State(name="several-done", prepare=with_keys, arrange=_several_done),
)
