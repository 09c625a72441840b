"""What a sweep compares with: this stack's API Gateway keys, told apart from everybody else's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from chatgrid_auth.domain import usage_keys
from chatgrid_auth.domain.usage_keys import GatewayKey

Finding = Literal["missing", "disabled", "detached"]


class Inventory:
    """This stack's API Gateway keys, as they were when the account was read.

    Attributes:
        total: how many keys the account holds, those of others included.
        by_key: this stack's keys by the ChatGrid key that they serve.
        attached: ids of the keys in the plan.
    """

    def __init__(self, found: Sequence[GatewayKey], *, attached: Iterable[str], stack: str) -> None:
        self.total = len(found)
        self.by_key: dict[str, list[GatewayKey]] = {}
        self.attached = frozenset(attached)
        for key in found:
            key_id = usage_keys.key_id_of(key.name, prefix=stack)
            if key_id is not None:
                self.by_key.setdefault(key_id, []).append(key)

    def owner_of(self, key_id: str) -> str | None:
        """Whom the API Gateway key of this ChatGrid key says it was made for, if there is one."""
        found = self.by_key.get(key_id, [])
        return next((key.owner for key in found if key.owner is not None), None)

    def finding(self, key: GatewayKey | None, *, usage_key: str | None) -> Finding | None:
        """What is wrong with the API Gateway key of a live ChatGrid key, if anything."""
        if key is None:
            return "missing"
        if not key.enabled:
            return "disabled"
        if key.id not in self.attached:
            return "detached"
        return None if key.value == usage_key else "missing"
