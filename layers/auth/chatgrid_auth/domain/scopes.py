"""Scopes, ``read`` < ``write`` < ``admin``, each including the ones before it; what routes need."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

READ = "read"
WRITE = "write"
ADMIN = "admin"
#: From the least to the most.
SCOPES = (READ, WRITE, ADMIN)
#: A scope as a number, from 1, so that a greater one includes the lesser.
LEVELS = {scope: number for number, scope in enumerate(SCOPES, start=1)}

#: What no key has: what needs a scope that is none is refused, whatever else holds.
NO_LEVEL = len(SCOPES) + 1

_ADMIN_RESOURCES = ("/me/api-keys", "/me/audit-log")
_BELOW_THEM = tuple(resource + "/" for resource in _ADMIN_RESOURCES)
#: The key in one's hand, whose holder may do with it what it lets him, whatever its scopes.
_OWN_KEY = "/me/api-key"
#: The one call that is let through over its key's limit too: nobody who hammers a leaked key keeps
#: its holder from revoking it.
NEVER_LIMITED = ("DELETE", _OWN_KEY)
_READING = frozenset({"GET", "HEAD"})

#: What needs this permission can be done with nothing less than all of them.
EVERY_PERMISSION = "*"
#: May ask for verdicts on other people's keys: held where it is written, included in nothing.
VERIFY_PERMISSION = "keys:verify"
_VERIFY = "/keys/verify"
#: What a permission's resource and action are made of, 1 to 64 characters each.
PERMISSION_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")
LONGEST_PERMISSION_SIDE = 64
#: The holder of a key, and what it makes of it: no permission is needed to look at one's own.
_OWN = (_OWN_KEY, "/me/tokens")
_BELOW_OWN = tuple(resource + "/" for resource in _OWN)


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
    if method in _READING or resource in _OWN or resource.startswith(_OWN_KEY + "/"):
        return READ
    if resource == _VERIFY:
        return READ
    return WRITE


def required_permission(
    method: str, resource: str, *, scope: str, mapped: Mapping[str, str]
) -> str | None:
    """The permission that a call needs of a key that has permissions; ``None`` for none.

    The first part of the resource and the scope, as in ``boards:write``, unless the deployment
    says otherwise. What makes no permission so can be done with all permissions only.

    Args:
        method: the HTTP method, in upper case.
        resource: the path *as the API declares it*.
        scope: what `required_scope` gives for the two.
        mapped: the deployment's own permissions, by method and resource (``POST /exports``);
            HEAD needs what GET needs.
    """
    if resource in _OWN or resource.startswith(_BELOW_OWN):
        return None
    if resource == _VERIFY:
        return VERIFY_PERMISSION
    permission = mapped.get(f"{'GET' if method == 'HEAD' else method} {resource}")
    if permission is not None:
        return permission
    first = resource[1:].partition("/")[0]
    return f"{first}:{scope}" if is_permission_side(first) else EVERY_PERMISSION


def is_permission_side(text: str) -> bool:
    """Whether a text may be a permission's resource or action."""
    return 1 <= len(text) <= LONGEST_PERMISSION_SIDE and PERMISSION_CHARACTERS.issuperset(text)
