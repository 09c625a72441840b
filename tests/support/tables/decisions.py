"""Events and items of one decision, for tests of the authorizer as a whole."""

from __future__ import annotations

import time
from typing import Any

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.domain import window
from chatgrid_auth.domain.keys import hash_of

LIMIT = 120


class NoTokens:
    """An identity provider that knows nobody."""

    def verify(self, token: str, *, now_ms: int) -> None:
        return None

    def jwks_age_ms(self, now_ms: int) -> None:
        return None


def request_with(credential: str) -> dict[str, Any]:
    """API Gateway's question about ``GET /v1/boards`` with this credential."""
    return {
        "type": "REQUEST",
        "methodArn": "arn:aws:execute-api:eu-central-1:111122223333:abcdef/v1/GET/boards",
        "resource": "/boards",
        "multiValueHeaders": {"Authorization": [f"Bearer {credential}"]},
        "requestContext": {"requestId": "r"},
    }


def item_of(raw_key: str, *, used: int = 1, **facts: dict[str, str]) -> dict[str, dict[str, str]]:
    """A key's item, its first request some seconds ago."""
    last = window.bucket(int(time.time() * 1000)) + window.SPAN
    (checkpoint,) = window.checkpoint_names(last - 5, 1)
    return {
        "pk": items.s(items.credential_pk(hash_of(raw_key))),
        "sk": items.s(items.CREDENTIAL),
        "owner": items.s("7f3c9a52-0000-4000-8000-000000000000"),
        "id": items.s("0197c1f2-0000-7000-8000-000000000000"),
        "scopes": items.s("read"),
        "state": items.s(items.ACTIVE),
        "limit": items.n(LIMIT),
        "used": items.n(used),
        "cap": items.n(used + LIMIT),
        checkpoint: items.n(LIMIT),
        **facts,
    }
