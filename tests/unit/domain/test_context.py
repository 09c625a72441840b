"""The context between authorizer and backend: what goes in comes out, and nothing else does."""

from __future__ import annotations

import json

import pytest

from chatgrid_auth.domain import context
from chatgrid_auth.domain.verdicts import Allowed, Caller, Forbidden, Limited, RateLimitStatus

FIGURES = RateLimitStatus(limit=120, remaining=7, more_s=1_800_000_004, reset_s=1_800_000_000)
CALLER = Caller(
    user_id="u",
    auth_mode="api-key",
    scopes=("read", "write"),
    key_id="k",
    environment="live",
    expires_at_ms=1_900_000_000_000,
    metadata='{"team":"billing"}',
    former=True,
)


def carried(values: dict[str, str | int]) -> dict[str, object]:
    """As API Gateway hands it on: every value a string."""
    return {name: str(value) for name, value in values.items()}


def facts(value: object) -> dict[str, object]:
    return {name: getattr(value, name) for name in type(value).__slots__}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "caller",
    [
        CALLER,
        Caller(user_id="u", auth_mode="jwt", scopes=("read",), email="a@b.c", anonymous=True),
        Caller(user_id="u", auth_mode="jwt", scopes=("read", "write", "admin")),
        Caller(user_id="u", auth_mode="api-key", scopes=("read",), key_id="k"),
    ],
)
def test_a_caller_arrives_as_it_was_sent(caller: Caller) -> None:
    sent = carried(context.write(Allowed(caller=caller, figures=FIGURES, usage_key="t")))
    arrived = context.read_caller(sent)
    assert arrived is not None
    assert facts(arrived) == facts(caller)
    figures = context.read_figures(sent)
    assert figures is not None
    assert facts(figures) == facts(FIGURES)


def test_a_current_secret_costs_the_context_nothing() -> None:
    current = Caller(user_id="u", auth_mode="api-key", scopes=("read",), key_id="k")
    assert "former" not in context.write(Allowed(caller=current, figures=FIGURES, usage_key="t"))


def test_values_are_flat_as_api_gateway_demands() -> None:
    values = context.write(Allowed(caller=CALLER, figures=FIGURES, usage_key="t")).values()
    assert all(isinstance(value, (str, int)) for value in values)


@pytest.mark.parametrize(
    "verdict",
    [
        Forbidden(message="Missing required scope: admin", reason="admin", figures=FIGURES),
        Limited(figures=FIGURES, retry_after_s=9, usage_key="t"),
    ],
)
def test_a_refused_request_carries_no_caller(verdict: Forbidden | Limited) -> None:
    sent = carried(context.write(verdict))
    assert context.read_caller(sent) is None
    assert "user_id" not in sent
    assert context.read_figures(sent) is not None


def test_every_allow_says_what_a_refused_gateway_key_would_mean() -> None:
    """API Gateway puts both into its 403, and escapes nothing there."""
    fault = {"code": "service_unavailable", "message": "Usage plan unavailable"}
    missing = {"code": "forbidden", "message": "Missing required scope: admin"}
    verdicts: list[tuple[Allowed | Forbidden | Limited, dict[str, str]]] = [
        (Allowed(caller=CALLER, figures=FIGURES, usage_key="t"), fault),
        (Limited(figures=FIGURES, retry_after_s=9, usage_key="t"), fault),
        (
            Forbidden(message="Missing required scope: admin", reason="admin", figures=FIGURES),
            missing,
        ),
    ]
    for verdict, expected in verdicts:
        sent = context.write(verdict)
        assert {name: sent[name] for name in ("code", "message")} == expected
        assert all(json.dumps(text) == f'"{text}"' for text in expected.values())


def test_what_api_gateway_would_say_is_no_fact_for_a_backend() -> None:
    sent = carried(context.write(Allowed(caller=CALLER, figures=FIGURES, usage_key="t")))
    without = {name: sent[name] for name in sent if name not in {"code", "message"}}
    assert facts(context.read_caller(sent)) == facts(context.read_caller(without))
    assert context.read_caller({**sent, "code": "forbidden", "message": "x"}) is not None


def test_only_an_allowed_verdict_makes_a_caller() -> None:
    sent = carried(context.write(Allowed(caller=CALLER, figures=FIGURES, usage_key="t")))
    for verdict in ("forbidden", "rate_limited", "ALLOWED", "", None):
        assert context.read_caller({**sent, "verdict": verdict}) is None
    for missing in ("verdict", "user_id", "auth_mode", "scopes"):
        assert context.read_caller({n: v for n, v in sent.items() if n != missing}) is None


def test_the_wait_of_a_limited_caller_arrives() -> None:
    sent = carried(context.write(Limited(figures=FIGURES, retry_after_s=9, usage_key="t")))
    assert context.read_retry_after_s(sent) == 9
    assert context.read_retry_after_s({"verdict": "rate_limited"}) == 1
    dear = carried(context.write(Limited(figures=FIGURES, retry_after_s=None, usage_key="t")))
    assert context.is_limited(dear)
    assert context.read_retry_after_s(dear) is None
    assert context.read_retry_after_s({"verdict": "allowed", "retry_after": "9"}) is None


def test_figures_that_are_not_whole_numbers_are_no_figures() -> None:
    assert context.read_figures({}) is None
    for odd in ("", "-1", "1.5", "\u0661", "x", None, 1.5):
        values = {"rate_limit": "1", "rate_remaining": odd, "rate_more": "1", "rate_reset": "1"}
        assert context.read_figures({**values, "rate_remaining": "1"}) is not None
        assert context.read_figures(values) is None
