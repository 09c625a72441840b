"""The names under which things lie in the keys table, and how values are written there.

Standard library only: the authorizer reads this too.
"""

from __future__ import annotations

from binascii import a2b_base64

from chatgrid_auth.domain.keys import tag_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: How long what is left of a revoked key is kept: long enough for a yearly look at who held what.
RETENTION_DAYS = 400
#: The sort key of a credential item: there is one under each hash.
CREDENTIAL = "#"
#: The sort key of the item that counts an owner's keys.
COUNT = "COUNT"
#: The partition in which work for the usage plans waits.
PLANS = "PLANS"

#: The sort key of an imported key's claim to its id: there is one under each.
CLAIM = "#"

# The attributes of a credential item: short names, since each byte of them is written each time.
#: Whose the key is, and its id: the 16 bytes of a UUID.
OWNER, KEY_ID = "own", "id"
#: The highest scope as a number (``domain.scopes.LEVELS``): there only while the key is active.
LEVEL = "lvl"
#: Why it is not active: one of the four below. A reserved word: ``#off``.
OFF = "off"
REVOKED, MANUAL, DORMANT, EXPOSED = "revoked", "manual", "dormant", "exposed"
#: What holds of a key that is not revoked; ``#off`` and ``:revoked`` have to be given.
NOT_REVOKED = "(attribute_not_exists(#off) OR #off <> :revoked)"
#: There only on a canary, whatever becomes of it: it is answered like what was never there.
TRAP = "trap"
#: The limit that the key was given; its window's ``cap`` follows it.
LIMIT = "lim"
#: The API Gateway key of this key's own.
GATEWAY_KEY = "gw"
#: Which policy holds for the key; only keys that have one name it.
VERSION = "v"
#: The tag of the current secret; only keys that were rotated name it.
CURRENT = "cur"
#: Credits as a ceiling (`used` and what is left), when they are refilled (Unix milliseconds), and
#: the costs whose shadows of `used` are in step (``domain.limits.costs``).
TOP, DUE, GENERATION = "top", "due", "g"
#: On an item under a later secret's hash: the hash that the key's home lies under, 32 bytes.
HOME = "h"
#: On the credential of an imported key, whose text may not tell its environment: ``TEST`` there
#: means test, its absence live.
ENVIRONMENT = "e"
TEST = "t"
#: What ``until`` puts before a tag.
UNTIL = "x"
#: Until when a secret passes that never ends by itself, in Unix milliseconds.
NEVER_MS = 10**15

#: On what is left of a revoked key: when DynamoDB disposes of it, in Unix seconds.
EXPIRES_ON = "expires_on"
#: How many changes were committed: on a credential, and on the record those that it shows.
CHANGES = "c"
#: On a record: when it was enabled again, in Unix milliseconds.
ENABLED_AT = "enabled_at_ms"
#: On a credential: the tokens of changes that are committed and may not be in the books yet.
MARKS = "m"


def until(tag: str) -> str:
    """The attribute that says until when the secret with this tag passes: Unix milliseconds."""
    return UNTIL + tag


def passes_until(expires_at_ms: int | None) -> int:
    """What that attribute holds for a key with this expiry: that, or what no clock reaches."""
    return NEVER_MS if expires_at_ms is None else expires_at_ms


def used_at(tag: str) -> str:
    """The attribute that says when the secret with this tag was last used: Unix milliseconds."""
    return "s" + tag[:2]


def is_until(name: str) -> bool:
    """Whether an attribute of a credential is the end of some secret."""
    return len(name) == 7 and name[0] == "x"


def is_used_at(name: str) -> bool:
    """Whether an attribute of a credential is some secret's last use."""
    return len(name) == 3 and name[0] == "s"


def credential_pk(key_hash: str) -> str:
    """The partition of the credential with this SHA-256 (hex)."""
    return "KEY#" + key_hash


def user_pk(user_id: str) -> str:
    """The partition of all that belongs to a user."""
    return "USER#" + user_id


def record_sk(key_id: str) -> str:
    """The sort key of a non-revoked key's record."""
    return "KEY#" + key_id


def revoked_sk(key_id: str) -> str:
    """The sort key of a revoked key's record."""
    return "REVOKED#" + key_id


def repeat_sk(place: str) -> str:
    """The sort key of what is remembered of a request that may come again."""
    return "REPEAT#" + place


def work_key(owner: str, key_id: str) -> dict[str, Any]:
    """Where the work for the usage plans waits that a key has left."""
    return {"pk": s(PLANS), "sk": s(f"{owner}#{key_id}")}


def policy_sk(version: int) -> str:
    """The sort key, in the home's partition, of a key's policy of this version."""
    return f"P#{version}"


def past_work_of(owner: str) -> str:
    """A sort key behind all work of an owner, and before the next one's."""
    return owner + "$"


def claim_pk(key_id: str) -> str:
    """The partition of an imported key's claim to its id, which no other may bring."""
    return "ID#" + key_id


def s(value: str) -> dict[str, Any]:
    """A string in DynamoDB JSON."""
    return {"S": value}


def n(value: int) -> dict[str, Any]:
    """A whole number in DynamoDB JSON."""
    return {"N": str(value)}


def is_revoked(credential: Mapping[str, Any]) -> bool:
    """Whether a credential says that its key is revoked, wherever its record lies."""
    return credential.get(OFF) == _REVOKED


def uuid(text: str) -> dict[str, Any]:
    """A UUID as its 16 bytes, in the form that boto3 takes."""
    return {"B": bytes.fromhex(text.replace("-", ""))}


def passes_until_ms(item: Mapping[str, Any], tag: str) -> int | None:
    """Until when the secret with this tag passes, in Unix milliseconds; ``None`` for ever.

    A secret that the item does not name has passed until the beginning of time.
    """
    until = item.get(UNTIL + tag)
    if until is None:
        return 0
    until_ms = int(until["N"])
    return None if until_ms >= NEVER_MS else until_ms


def current_tag(item: Mapping[str, Any]) -> str:
    """The tag of a key's current secret."""
    current = item.get(CURRENT)
    if current is not None:
        tag: str = current["S"]
        return tag
    return tag_of(item["pk"]["S"].removeprefix(credential_pk("")))


_REVOKED = {"S": REVOKED}


def hash_text(value: str | bytes) -> str:
    """A hash that was kept as its bytes, in hex."""
    return (value if isinstance(value, bytes) else a2b_base64(value)).hex()


_MOST_TEXTS = 4_096
_texts: dict[str | bytes, str] = {}


def uuid_text(value: str | bytes) -> str:
    """A UUID that was kept as its 16 bytes, as boto3 gives it, or JSON in base 64."""
    text = _texts.get(value)
    if text is None:
        digits = (value if isinstance(value, bytes) else a2b_base64(value)).hex()
        parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
        if len(_texts) >= _MOST_TEXTS:
            _texts.clear()
        text = _texts[value] = "-".join(parts)
    return text
