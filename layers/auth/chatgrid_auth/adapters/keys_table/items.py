"""The names under which things lie in the keys table, and how values are written there.

Standard library only: the authorizer reads this too.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: The sort key of a credential item: there is one under each hash.
CREDENTIAL = "#"
#: The sort key of the item that counts an owner's keys.
COUNT = "COUNT"
#: The partition in which work for the usage plans waits.
PLANS = "PLANS"

#: The sort key of an imported key's claim to its id: there is one under each.
CLAIM = "#"

ACTIVE = "active"
REVOKED = "revoked"
#: On what is left of a revoked key: when DynamoDB disposes of it, in Unix seconds.
EXPIRES_ON = "expires_on"
#: On a credential: the tokens of changes that are committed and may not be in the books yet.
MARKS = "m"

#: On the credential of an imported key, whose text may not tell its environment: ``TEST`` there
#: means test, its absence live. One letter each: a full window leaves three bytes of a write unit.
ENVIRONMENT = "e"
TEST = "t"


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


def work_key(owner: str, key_id: str) -> dict[str, Any]:
    """Where the work for the usage plans waits that a key has left."""
    return {"pk": s(PLANS), "sk": s(f"{owner}#{key_id}")}


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
