"""Kinds of keys, and what belongs to each.

A publishable key stands in a page that anybody may read: it reads, and is told by its ``Origin``. A
canary is a trap: nobody has a use for it, and who comes with it has found it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chatgrid_auth.domain.keys import CANARY, KINDS, PUBLISHABLE
from chatgrid_auth.domain.scopes import READ
from chatgrid_auth.services.key_changes.policies import check_allowed_origins
from chatgrid_auth.services.key_rules import KeyProblem

if TYPE_CHECKING:
    from chatgrid_auth.domain.credentials import ApiKey

#: What may be changed of a canary: what its owner knows it by.
_OF_A_CANARY = {"name", "metadata"}
_ORIGINS, _SELF_ROTATION = "allowed_origins", "self_rotation"


def check_kind(
    kind: object,
    *,
    scopes: Sequence[object],
    allowed_origins: Sequence[str] | None,
    self_rotation: bool = False,
) -> list[KeyProblem]:
    """What of a new key is no kind, or does not belong to it.

    Args:
        scopes: as they were given.
        allowed_origins: ``None`` for none.
    """
    if kind in KINDS:
        return _of_kind(
            kind, scopes=scopes, allowed_origins=allowed_origins, self_rotation=self_rotation
        )
    *others, last = (f"'{one}'" for one in KINDS)
    return [KeyProblem("kind", "invalid_value", f"Expected {', '.join(others)} or {last}")]


def check_changes(kind: str, said: Iterable[str]) -> list[KeyProblem]:
    """What may not be changed of a key of this kind, whatever it is to become."""
    if kind != CANARY:
        return []
    rule = "A canary lets nobody in, so this cannot change"
    return [KeyProblem(name, "invalid_value", rule) for name in said if name not in _OF_A_CANARY]


def check_changed(key: ApiKey, fields: Mapping[str, Any]) -> list[KeyProblem]:
    """What of a changed key does not belong to its kind.

    Args:
        fields: what is to become of the key, by its names.
    """
    if not {"scopes", _ORIGINS, _SELF_ROTATION} & fields.keys():
        return []
    return _of_kind(
        key.kind,
        scopes=fields.get("scopes", key.scopes),
        allowed_origins=fields.get(_ORIGINS, key.allowed_origins),
        self_rotation=fields.get(_SELF_ROTATION, key.self_rotation),
    )


def _of_kind(
    kind: object,
    *,
    scopes: Sequence[object],
    allowed_origins: Sequence[str] | None,
    self_rotation: bool,
) -> list[KeyProblem]:
    if kind != PUBLISHABLE:
        if allowed_origins is None:
            return []
        return [KeyProblem(_ORIGINS, "invalid_value", "Only a publishable key has origins")]
    problems = []
    if any(scope != READ for scope in scopes):
        problems.append(KeyProblem("scopes", "invalid_value", "A publishable key may read only"))
    if self_rotation:  # whoever reads the page would have the next secret, and nobody else
        rule = "A publishable key may not rotate itself"
        problems.append(KeyProblem(_SELF_ROTATION, "invalid_value", rule))
    if allowed_origins is None:
        problems.append(KeyProblem(_ORIGINS, "required", "Required"))
    return [*problems, *check_allowed_origins(allowed_origins)]
