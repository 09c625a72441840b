"""Usage plans admit what throttle and quota leave, for each key by itself."""

from __future__ import annotations

import asyncio
import calendar

import pytest

from chatgrid_devkit.gateway.gateway_responses import GatewayError
from chatgrid_devkit.gateway.key_source import TemplateKeys
from chatgrid_devkit.gateway.usage_plans import UsagePlans
from chatgrid_devkit.template.description import Quota, Throttle, UsageKey, UsagePlan

NOON_MS = calendar.timegm((2026, 3, 10, 12, 0, 0)) * 1000
HOUR_MS = 3_600_000


def plans(throttle: Throttle | None = None, quota: Quota | None = None) -> UsagePlans:
    plan = UsagePlan(id="p", name="plan", throttle=throttle, quota=quota)
    return UsagePlans(
        TemplateKeys(
            [
                UsageKey(id="1", value="first", plan=plan),
                UsageKey(id="2", value="second", plan=plan),
                UsageKey(id="3", value="disabled", enabled=False, plan=plan),
                UsageKey(id="4", value="planless"),
            ]
        )
    )


def outcome(subject: UsagePlans, value: str | None = "first", *, at_ms: int = NOON_MS) -> str:
    try:
        return asyncio.run(subject.admit(value, at_ms)).id
    except GatewayError as error:
        return error.response_type


@pytest.mark.parametrize("value", [None, "", "unknown", "disabled", "planless"])
def test_a_key_that_opens_nothing_is_invalid(value: str | None) -> None:
    assert outcome(plans(), value) == "INVALID_API_KEY"


def test_a_plan_without_limits_admits_everything() -> None:
    subject = plans()
    assert [outcome(subject) for _ in range(50)] == ["1"] * 50


def test_a_burst_is_admitted_and_refilled_at_the_rate() -> None:
    subject = plans(Throttle(rate_per_second=2, burst=3))
    assert [outcome(subject) for _ in range(4)] == ["1", "1", "1", "THROTTLED"]
    assert outcome(subject, at_ms=NOON_MS + 499) == "THROTTLED"
    assert outcome(subject, at_ms=NOON_MS + 500) == "1"
    assert outcome(subject, at_ms=NOON_MS + 500) == "THROTTLED"


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    subject = plans(Throttle(rate_per_second=100, burst=2))
    outcome(subject)
    later = NOON_MS + HOUR_MS
    assert [outcome(subject, at_ms=later) for _ in range(3)] == ["1", "1", "THROTTLED"]


def test_a_clock_that_goes_back_neither_gives_nor_takes_tokens() -> None:
    subject = plans(Throttle(rate_per_second=1, burst=1))
    outcome(subject)
    assert outcome(subject, at_ms=NOON_MS - 5000) == "THROTTLED"
    assert outcome(subject, at_ms=NOON_MS + 500) == "THROTTLED"
    assert outcome(subject, at_ms=NOON_MS + 1000) == "1"


def test_each_key_has_a_bucket_of_its_own() -> None:
    subject = plans(Throttle(rate_per_second=1, burst=1))
    assert [outcome(subject, key) for key in ("first", "second", "first", "second")] == [
        "1",
        "2",
        "THROTTLED",
        "THROTTLED",
    ]


def test_a_quota_ends_with_its_period() -> None:
    subject = plans(quota=Quota(limit=2, period="DAY"))
    assert [outcome(subject) for _ in range(3)] == ["1", "1", "QUOTA_EXCEEDED"]
    assert outcome(subject, "second") == "2"
    assert outcome(subject, at_ms=NOON_MS + 12 * HOUR_MS - 1) == "QUOTA_EXCEEDED"
    assert outcome(subject, at_ms=NOON_MS + 12 * HOUR_MS) == "1"


@pytest.mark.parametrize(
    ("period", "hours_to_the_next"),
    [("WEEK", 12 + 4 * 24), ("MONTH", 12 + 21 * 24)],  # 10 March 2026 is a Tuesday
)
def test_weeks_start_on_sunday_and_months_on_the_first(period: str, hours_to_the_next: int) -> None:
    subject = plans(quota=Quota(limit=1, period=period))
    next_ms = NOON_MS + hours_to_the_next * HOUR_MS
    assert outcome(subject) == "1"
    assert outcome(subject, at_ms=next_ms - 1) == "QUOTA_EXCEEDED"
    assert outcome(subject, at_ms=next_ms) == "1"


def test_a_throttled_request_uses_no_quota() -> None:
    subject = plans(Throttle(rate_per_second=1, burst=1), Quota(limit=2, period="DAY"))
    assert [outcome(subject) for _ in range(5)] == ["1", *["THROTTLED"] * 4]
    assert outcome(subject, at_ms=NOON_MS + 1000) == "1"
    assert outcome(subject, at_ms=NOON_MS + 2000) == "QUOTA_EXCEEDED"
