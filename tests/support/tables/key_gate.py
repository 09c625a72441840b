"""A gate that decides on keys and on their tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatgrid_auth.services.gate.authenticate import Authenticator
from tests.support.tokens import derived

if TYPE_CHECKING:
    from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions


def key_gate(keys: KeyDecisions, **more: Any) -> Authenticator:
    """One container's, without memory and without sessions; ``more`` is the authenticator's."""
    return Authenticator(
        keys=keys,
        users=None,  # type: ignore[arg-type]  # keys only
        tokens=None,  # type: ignore[arg-type]
        derived=derived,
        key_tier="tier",
        jwt_tier="tier",
        limited_tier="limited",
        **more,
    )
