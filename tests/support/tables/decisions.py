"""Events and items of one decision, for tests of the authorizer as a whole."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.domain.keys import hash_of, tag_of
from chatgrid_auth.domain.limits import window

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


def item_of(
    raw_key: str, *, used: int = 1, until_ms: int = items.NEVER_MS, **facts: dict[str, str] | None
) -> dict[str, dict[str, str]]:
    """A key's item, its first request some seconds ago; facts that are ``None`` are left out."""
    last = window.MINUTE.written(int(time.time() * 1000))
    (checkpoint,) = window.checkpoint_names(last - 5, 1)
    key_hash = hash_of(raw_key)
    item = {
        "pk": items.s(items.credential_pk(key_hash)),
        "sk": items.s(items.CREDENTIAL),
        **on_the_wire(
            {
                items.OWNER: items.uuid("7f3c9a52-0000-4000-8000-000000000000"),
                items.KEY_ID: items.uuid("0197c1f2-0000-7000-8000-000000000000"),
            }
        ),
        items.LEVEL: items.n(1),
        items.LIMIT: items.n(LIMIT),
        items.until(tag_of(key_hash)): items.n(until_ms),
        items.used_at(tag_of(key_hash)): items.n(1),
        "used": items.n(used),
        "cap": items.n(used + LIMIT),
        checkpoint: items.n(LIMIT),
        **facts,
    }
    return {name: value for name, value in item.items() if value is not None}


def on_the_wire(item: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """An item as JSON carries it: bytes in base 64."""
    return {
        name: {
            kind: b64encode(content).decode() if isinstance(content, bytes) else content
            for kind, content in value.items()
        }
        for name, value in item.items()
    }
