"""What may be said of a key's rules: where it is used from, by which pages, what for, and by whom.

No key beyond its maker: whoever has permissions has to do with keys within them, and no others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from chatgrid_auth.domain.actors import OPERATOR
from chatgrid_auth.domain.key_errors import BeyondOwnPermissions
from chatgrid_auth.domain.rules import addresses, origins, permissions
from chatgrid_auth.domain.scopes import VERIFY_PERMISSION
from chatgrid_auth.services.key_rules import KeyProblem, Unsaid

if TYPE_CHECKING:
    from chatgrid_auth.domain.actors import Actor

    Given = Sequence[str] | None

MOST_ADDRESSES = 20
MOST_ORIGINS = 20
MOST_PERMISSIONS = 50


def check_allowed_ips(given: Given) -> list[KeyProblem]:
    """What is wrong with addresses and networks; ``None`` stands for any."""
    return _check("allowed_ips", given, most=MOST_ADDRESSES, check=addresses.read_network)


def check_allowed_origins(given: Given) -> list[KeyProblem]:
    """What is wrong with origins; ``None`` stands for any."""
    return _check("allowed_origins", given, most=MOST_ORIGINS, check=origins.check_origin)


def check_permissions(given: Given | Unsaid, *, actor: Actor) -> list[KeyProblem]:
    """What is wrong with permissions; ``None`` stands for all that the scopes let do.

    Args:
        actor: who gives them: one of them is an operator's to give.
    """
    if isinstance(given, Unsaid):
        return []
    problems = _check(
        "permissions", given, most=MOST_PERMISSIONS, check=permissions.check_permission
    )
    if actor.type == OPERATOR or given is None:
        return problems
    return problems + [
        KeyProblem(f"permissions.{place}", "invalid_value", "Only an operator may grant this")
        for place, one in enumerate(given)
        if one == VERIFY_PERMISSION
    ]


def permissions_of_new(given: Given | Unsaid, *, actor: Actor) -> tuple[str, ...] | None:
    """The permissions of a key that is made: where nothing is said of them, its maker's own.

    Raises:
        BeyondOwnPermissions: they are not all within its maker's.
    """
    if isinstance(given, Unsaid):
        own = actor.permissions
        given = own if own is None else [one for one in own if one != VERIFY_PERMISSION]
    made = None if given is None else tuple(given)
    if made == ():
        raise BeyondOwnPermissions
    refuse_beyond(made, actor=actor)
    return made


def refuse_beyond(held: Given, *, actor: Actor) -> None:
    """Make sure that somebody may have to do with a key that has these permissions.

    Raises:
        BeyondOwnPermissions: they are not all within the actor's own.
    """
    if not permissions.within(held, actor.permissions):
        raise BeyondOwnPermissions


def shuts_out(allowed_ips: Given, source: str | None) -> bool:
    """Whether a key with these addresses could not be used from this one."""
    if allowed_ips is None:
        return False
    return not addresses.holds(map(addresses.read_network, allowed_ips), source or "")


def _check(
    path: str, given: Given, *, most: int, check: Callable[[str], object]
) -> list[KeyProblem]:
    if given is None:
        return []
    if not given:
        return [KeyProblem(path, "too_small", "Must contain at least 1 item(s)")]
    if len(given) > most:
        return [KeyProblem(path, "too_big", f"Must contain at most {most} item(s)")]
    problems = []
    for place, one in enumerate(given):
        try:
            check(one)
        except ValueError as broken:
            problems.append(KeyProblem(f"{path}.{place}", "invalid_value", str(broken)))
    return problems
