"""A second gate, which judges as the first does and counts nothing: for verdicts at no cost. Its
memory of refusals is its own, so that a look leaves no trace in the first one's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatgrid_auth.adapters.keys_table.glances import KeyGlances
from chatgrid_auth.adapters.rate_limits_table.glances import UserGlances, WindowGlances
from chatgrid_auth.domain.limits.window import JWT_RATE_LIMIT
from chatgrid_auth.services.gate.authenticate import Authenticator

if TYPE_CHECKING:
    from collections.abc import Callable

    from chatgrid_auth.adapters.awslite.dynamodb import DynamoDB
    from chatgrid_auth.services.gate.metered import MeteredGate, Windows
    from chatgrid_auth.services.gate.ports import Derived, Tokens


def glancing(
    dynamodb: DynamoDB,
    tables: tuple[str, str],
    tokens: Callable[[], Tokens],
    derived: Callable[[], Derived],
    imported_keys: bool,
    failed_attempts_per_minute: int,
    metered: Callable[[Authenticator, Callable[[], Windows]], Authenticator | MeteredGate],
) -> Authenticator | MeteredGate:
    """The gate, over the same tables: that of the keys, and that of the limits.

    Args:
        metered: puts the deployment's further limits behind an authenticator, where there are some.
    """
    keys_table, limits_table = tables
    windows = WindowGlances(dynamodb, table=limits_table, now_ms=dynamodb.clock.now_ms)
    authenticator = Authenticator(
        keys=KeyGlances(dynamodb, table=keys_table),
        users=UserGlances(windows, limit=JWT_RATE_LIMIT),
        tokens=tokens,
        derived=derived,
        key_tier="",
        jwt_tier="",
        limited_tier="",
        imported_keys=imported_keys,
        failed_attempts_per_minute=failed_attempts_per_minute,
    )
    return metered(authenticator, lambda: windows)
