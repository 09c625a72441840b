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

_ADMIN_RESOURCE = "/me/api-keys"
_ADMIN_RESOURCES = _ADMIN_RESOURCE + "/"
_READING = frozenset({"GET", "HEAD"})


def effective(granted: Iterable[str]) -> tuple[str, ...]:
    """All scopes that a grant amounts to, from the least to the most.

    Raises:
        ValueError: nothing is granted, or something that is not a scope.
    """
    try:
        highest = max(SCOPES.index(scope) for scope in granted)
    except ValueError:
        raise ValueError("scopes must be one or more of read, write, admin") from None
    return SCOPES[: highest + 1]


def required_scope(method: str, resource: str) -> str:
    """The scope that a call needs.

    Args:
        method: the HTTP method, in upper case.
        resource: the path *as the API declares it*, for instance ``/me/api-keys/{id}``:
            what API Gateway matched, never the path that the client spelled.
    """
    if resource == _ADMIN_RESOURCE or resource.startswith(_ADMIN_RESOURCES):
        return ADMIN
    return READ if method in _READING else WRITE
