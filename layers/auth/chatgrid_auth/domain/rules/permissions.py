"""What a key may be used for: permissions, a second condition beside the scope.

``resource:action`` is one permission, ``resource:*`` all of a resource, ``*`` all. They are exact:
``boards:write`` does not include ``boards:read``.
"""

from __future__ import annotations

from chatgrid_auth.domain.scopes import (
    EVERY_PERMISSION,
    VERIFY_PERMISSION,
    is_permission_side,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_METHODS = frozenset({"DELETE", "GET", "PATCH", "POST", "PUT"})


def is_permission(text: str) -> bool:
    """Whether a text is one permission: ``resource:action``, no wildcard."""
    resource, colon, action = text.partition(":")
    return bool(colon) and is_permission_side(resource) and is_permission_side(action)


def check_permission(text: str) -> None:
    """Make sure that a text may stand among a key's permissions.

    Raises:
        ValueError: it may not; what it says is the rule that is broken, never the text.
    """
    resource, _, action = text.partition(":")
    if (
        text == EVERY_PERMISSION
        or is_permission(text)
        or (is_permission_side(resource) and action == EVERY_PERMISSION)
    ):
        return
    raise ValueError(
        "Must be resource:action, resource:* or *, each side 1 to 64 of a-z, 0-9, _ and -"
    )


def covers(granted: Collection[str] | None, needed: str | None) -> bool:
    """Whether these permissions let somebody do what needs that one.

    Args:
        granted: a caller's permissions; ``None`` for a caller that has no such list.
        needed: a permission, or ``*`` where nothing less will do; ``None`` where none is needed.
    """
    if needed is None or needed == VERIFY_PERMISSION:
        return needed is None or (granted is not None and needed in granted)
    if granted is None or EVERY_PERMISSION in granted:
        return True
    if needed in granted:
        return True
    resource, colon, _ = needed.partition(":")
    return bool(colon) and f"{resource}:{EVERY_PERMISSION}" in granted


def within(asked: Collection[str] | None, own: Collection[str] | None) -> bool:
    """Whether somebody with these permissions may have to do with a key that has those.

    Args:
        asked: the key's permissions; ``None`` for a key without such a list, which may do all.
        own: the maker's; ``None`` for a maker without such a list.
    """
    if own is None:
        return True
    if asked is None:
        return False
    return all(covers(own, one) for one in asked)


def check_routes(mapped: Mapping[str, str]) -> None:
    """Make sure that a deployment's own permissions say what they say of real routes.

    Args:
        mapped: permissions by method and resource (``POST /exports``).

    Raises:
        ValueError: one does not; the text names the route.
    """
    for route, permission in mapped.items():
        method, _, resource = route.partition(" ")
        if method not in _METHODS or not resource.startswith("/") or " " in resource:
            raise ValueError(f"{route!r} is no route such as 'POST /exports'")
        if not is_permission(permission):
            raise ValueError(f"{route!r} needs one permission such as 'exports:write'")
