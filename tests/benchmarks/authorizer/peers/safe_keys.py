"""safe-api-keys on its own SQLite store; every use is counted, none is limited: it has no limit."""

from __future__ import annotations

import os
from typing import Any

from safe_api_keys import KeyManager, SafeAPIKeysError
from safe_api_keys.stores import SQLiteStore

store = SQLiteStore(os.environ["SAFE_KEYS_DATABASE"])
manager = KeyManager(store, prefix="sk_live", pepper=b"p" * 32, touch_interval=0)


def prepare(_folder: str) -> str:
    """Make a key; the credential to send."""
    return str(manager.issue("user-1", scopes=["read"]).raw_key)


def handler(event: dict[str, Any], _context: Any) -> bool:
    """Whether the key is valid."""
    try:
        manager.verify(event["headers"]["Authorization"].removeprefix("Bearer "), scopes=["read"])
    except SafeAPIKeysError:
        return False
    return True


def store_requests(call: Any) -> int:
    """How often this call asks the store."""
    asked: list[str] = []
    original = {name: getattr(store, name) for name in ("get", "touch")}
    for name, method in original.items():

        def noting(*args: Any, _name: str = name, _method: Any = method, **named: Any) -> Any:
            asked.append(_name)
            return _method(*args, **named)

        setattr(store, name, noting)
    try:
        call()
    finally:
        for name in original:
            delattr(store, name)
    return len(asked)
