"""Scopes: ``read`` < ``write`` < ``admin``, each including the ones before it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

READ = "read"
WRITE = "write"
ADMIN = "admin"
#: From the least to the most.
SCOPES = (READ, WRITE, ADMIN)
#: A scope as a number, from 1, so that a greater one includes the lesser.
LEVELS = {scope: number for number, scope in enumerate(SCOPES, start=1)}

_ADMIN_RESOURCES = ("/me/api-keys", "/me/audit-log")
_BELOW_THEM = tuple(resource + "/" for resource in _ADMIN_RESOURCES)
#: The key in one's hand, whose holder may do with it what it lets him, whatever its scopes.
_OWN_KEY = "/me/api-key"
#: The one call that is let through over its key's limit too: nobody who hammers a leaked key keeps
#: its holder from revoking it.
NEVER_LIMITED = ("DELETE", _OWN_KEY)
_READING = frozenset({"GET", "HEAD"})


def effective(granted: Iterable[str]) -> tuple[str, ...]:
    """All scopes that a grant amounts to, from the least to the most.

    Raises:
        ValueError: nothing is granted, or something that is not a scope.
    """
    return SCOPES[: level_of(granted)]


def level_of(granted: Iterable[str]) -> int:
    """The highest of ``LEVELS`` that is granted.

    Raises:
        ValueError: nothing is granted, or something that is not a scope.
    """
    try:
        return max(LEVELS[scope] for scope in granted)
    except (KeyError, ValueError):
        raise ValueError("scopes must be one or more of read, write, admin") from None


def required_scope(method: str, resource: str) -> str:
    """The scope that a call needs.

    Args:
        method: the HTTP method, in upper case.
        resource: the path *as the API declares it*, for instance ``/me/api-keys/{id}``:
            what API Gateway matched, never the path that the client spelled.
    """
    if resource in _ADMIN_RESOURCES or resource.startswith(_BELOW_THEM):
        return ADMIN
    if method in _READING or resource == _OWN_KEY or resource.startswith(_OWN_KEY + "/"):
        return READ
    return WRITE
