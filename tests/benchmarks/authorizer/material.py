"""What every subject of the benchmark is given: keys, tokens, events, a store's items.

Made anew for each run; no key and no token is ever stored.
"""

from __future__ import annotations

import json
import time
from base64 import b64decode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.domain import keys
from chatgrid_auth.domain.limits import window
from tests.support.tables.decisions import on_the_wire
from tests.vectors.jwt.forge import Forge, new_private_jwks, public_jwk

ROOT = Path(__file__).parents[3]
USER = "7f3c9a52-0000-4000-8000-000000000000"
KEYS_TABLE = "chatgrid-keys"
RATE_LIMITS_TABLE = "chatgrid-rate-limits"
LIMIT = 1_000_000
USERS_LIMIT = 200
USED = 1021
CHECKPOINTS = 20
"""How many checkpoints an item carries: a caller's of one request every three seconds."""

Item = dict[str, dict[str, str]]


def raw_key(number: int) -> str:
    """The key of this number: always the same, so that the stub and a subject agree on it."""
    seed = sha256(b"benchmark %d" % number).digest()
    return keys.generate("live", entropy=lambda count: seed[:count])


def mistyped(key: str) -> str:
    """The key with its last character wrong."""
    return key[:-1] + ("0" if key[-1] != "0" else "1")


def credential(key_hash: str) -> Item:
    """A credential item as the authorizer meets it, its window left out."""
    return {
        "pk": {"S": f"KEY#{key_hash}"},
        "sk": {"S": "#"},
        **on_the_wire(
            {
                items.OWNER: items.uuid(USER),
                items.KEY_ID: items.uuid("0197c1f2-0000-7000-8000-000000000000"),
            }
        ),
        items.LEVEL: {"N": "2"},
        items.LIMIT: {"N": str(LIMIT)},
        items.until(keys.tag_of(key_hash)): {"N": str(items.NEVER_MS)},
        items.used_at(keys.tag_of(key_hash)): {"N": "1800000000000"},
    }


#: What the usual authorizer reads of the same key.
USUAL: Item = {
    "owner": {"S": USER},
    "scopes": {"S": "read write"},
    "state": {"S": "active"},
    "limit": {"N": str(LIMIT)},
}


def window_attributes(second: int, limit: int) -> Item:
    """The window of an item that was used every third second until this one."""
    last = window.MINUTE.written(second * 1_000)
    names = [window.checkpoint_names(last - 3 * back, 1)[0] for back in range(CHECKPOINTS)]
    return {
        "used": {"N": str(USED)},
        "cap": {"N": str(USED + limit)},
        **{name: {"N": str(limit + 1000)} for name in names},
    }


def size_bytes(item: Item) -> int:
    """DynamoDB's size of an item: names and values, numbers at two digits a byte."""
    size = 0
    for name, typed in item.items():
        ((kind, value),) = typed.items()
        match kind:
            case "S":
                size += len(name) + len(value)
            case "B":
                size += len(name) + len(b64decode(value))
            case _:
                size += len(name) + (len(value) + 1) // 2 + 1
    return size


class Issuer:
    """An identity provider of the moment, with one ES256 key; the stub publishes it."""

    def __init__(self) -> None:
        self._private = [jwk for jwk in new_private_jwks() if jwk["alg"] == "ES256"]
        self.public = {"keys": [public_jwk(jwk) for jwk in self._private]}

    def tokens(self, base_url: str) -> Iterator[str]:
        """Tokens of one user, as the provider at this URL issues them; each is different."""
        forge = Forge(
            private_jwks=self._private,
            secret="",
            issuer=f"{base_url}/auth/v1",
            audience="authenticated",
            now_s=int(time.time()),
        )
        number = 0
        while True:
            yield forge.token({"claims": {"session_id": f"session-{number:012}"}})
            number += 1


def event(credential_text: str) -> dict[str, Any]:
    """API Gateway's event for ``GET /v1/boards`` with this credential."""
    text = (ROOT / "events" / "authorizer" / "allowed-get-boards.json").read_text("utf-8")
    made: dict[str, Any] = json.loads(text)
    value = f"Bearer {credential_text}"
    made["headers"]["Authorization"] = value
    made["multiValueHeaders"]["Authorization"] = [value]
    return made
