"""A stack that refuses at the edge: a key over its limit costs no backend, and all else is so."""

from __future__ import annotations

import json
from pathlib import Path

import httpx

from tests.support.stack.api import Api
from tests.support.stack.local_stack import LocalStack

OPTIONS = ("--parameter", "EdgeRetryAfterSeconds=63")


def test_a_key_over_its_limit_is_refused_before_any_backend(tmp_path: Path) -> None:
    with (
        LocalStack(tmp_path / "state", options=OPTIONS) as stack,
        httpx.Client(base_url=stack.described["url"], timeout=30) as http,
    ):
        admin = Api(http, stack.described["admin_key"])
        key = admin.create_key(rate_limit=2)
        holder = admin.holding(key["raw_key"])
        answers = [holder.ask("GET", "/boards") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
        assert answers[1].headers["x-ratelimit-remaining"] == "0"
        for refused in answers[2:]:
            assert refused.json() == {
                "object": "error",
                "status": 429,
                "code": "rate_limit_exceeded",
                "message": "Rate limit exceeded",
            }
            assert refused.headers["retry-after"] == "63"
            assert "x-ratelimit-limit" not in refused.headers
        refill = {"amount": 5, "interval": "month"}
        broke = admin.create_key(credits={"remaining": 0, "refill": refill})
        exhausted = admin.holding(broke["raw_key"]).ask("GET", "/boards")
        assert (exhausted.status_code, exhausted.json()["code"]) == (429, "credits_exhausted")
        assert holder.ask("DELETE", "/me/api-key").status_code == 200
        lines = (stack.state / "functions.log").read_text().splitlines()
    told = [json.loads(line) for line in lines if '"resource": "/boards"' in line]
    assert ["integration_ms" in line for line in told] == [True, True, False, False, True]
