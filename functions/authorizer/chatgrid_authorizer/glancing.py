"""A second authenticator, which judges as the first does and counts nothing: for verdicts at no
cost. Its memory of refusals is its own, so that a look leaves no trace in the first one's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatgrid_auth.adapters.keys_table.glances import KeyGlances
from chatgrid_auth.adapters.rate_limits_table.user_glances import UserGlances
from chatgrid_auth.domain.limits.window import JWT_RATE_LIMIT
from chatgrid_auth.services.gate.authenticate import Authenticator

if TYPE_CHECKING:
    from collections.abc import Callable

    from chatgrid_auth.adapters.awslite.dynamodb import DynamoDB
    from chatgrid_auth.services.gate.ports import Derived, Tokens


def glancing(
    dynamodb: DynamoDB,
    tables: tuple[str, str],
    tokens: Callable[[], Tokens],
    derived: Callable[[], Derived],
    imported_keys: bool,
    failed_attempts_per_minute: int,
) -> Authenticator:
    """The authenticator, over the same tables: that of the keys, and that of the limits."""
    keys_table, limits_table = tables
    now_ms = dynamodb.clock.now_ms
    return Authenticator(
        keys=KeyGlances(dynamodb, table=keys_table),
        users=UserGlances(dynamodb, table=limits_table, limit=JWT_RATE_LIMIT, now_ms=now_ms),
        tokens=tokens,
        derived=derived,
        key_tier="",
        jwt_tier="",
        limited_tier="",
        imported_keys=imported_keys,
        failed_attempts_per_minute=failed_attempts_per_minute,
    )
