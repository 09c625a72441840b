"""Scopes: what includes what, and what a call needs."""

from __future__ import annotations

import pytest

from chatgrid_auth.domain.scopes import effective, required_permission, required_scope


@pytest.mark.parametrize(
    ("granted", "amounts_to"),
    [
        (["read"], ("read",)),
        (["write"], ("read", "write")),
        (["admin"], ("read", "write", "admin")),
        (["admin", "read"], ("read", "write", "admin")),
        (("write", "read"), ("read", "write")),
    ],
)
def test_a_scope_includes_the_lesser_ones(granted: list[str], amounts_to: tuple[str, ...]) -> None:
    assert effective(granted) == amounts_to


@pytest.mark.parametrize("granted", [[], ["root"], ["read", "Read"], [""]])
def test_what_is_no_scope_grants_nothing(granted: list[str]) -> None:
    with pytest.raises(ValueError, match="read, write, admin"):
        effective(granted)


@pytest.mark.parametrize(
    ("method", "resource", "scope"),
    [
        ("GET", "/boards", "read"),
        ("HEAD", "/boards/{id}", "read"),
        ("POST", "/boards", "write"),
        ("PUT", "/boards/{id}", "write"),
        ("PATCH", "/boards/{id}", "write"),
        ("DELETE", "/boards/{id}", "write"),
        ("GET", "/me", "read"),
        ("GET", "/me/api-keys", "admin"),
        ("HEAD", "/me/api-keys", "admin"),
        ("POST", "/me/api-keys", "admin"),
        ("DELETE", "/me/api-keys/{id}", "admin"),
        ("GET", "/me/api-keys/{id}", "admin"),
        ("GET", "/me/api-keys-of-mine", "read"),
        ("POST", "/me/api-keys/{id}/rotate", "admin"),
        ("DELETE", "/me/api-keys/{id}/previous-secret", "admin"),
        ("GET", "/me/api-key", "read"),
        ("DELETE", "/me/api-key", "read"),
        ("POST", "/me/api-key/rotate", "read"),
        ("POST", "/me/api-keyring", "write"),
        ("GET", "/me/audit-log", "admin"),
        ("GET", "/me/audit-log/verify", "admin"),
        ("GET", "/me/audit-logs", "read"),
        ("get", "/boards", "write"),
        ("TRACE", "/boards", "write"),
        ("", "", "write"),
    ],
)
def test_every_call_needs_the_scope_of_the_contract(method: str, resource: str, scope: str) -> None:
    assert required_scope(method, resource) == scope


@pytest.mark.parametrize(
    ("method", "resource", "permission"),
    [
        ("GET", "/boards", "boards:read"),
        ("HEAD", "/boards/{id}", "boards:read"),
        ("DELETE", "/boards/{id}", "boards:write"),
        ("POST", "/exports", "exports:run"),
        ("GET", "/reports", "exports:see"),
        ("HEAD", "/reports", "exports:see"),
        ("GET", "/exports", "exports:read"),
        ("POST", "/exports/{id}", "exports:write"),
        ("GET", "/me", "me:read"),
        ("GET", "/me/api-keys", "me:admin"),
        ("DELETE", "/me/api-keys/{id}", "me:admin"),
        ("GET", "/me/api-keyring", "me:read"),
        ("GET", "/me/api-key", None),
        ("POST", "/me/api-key/rotate", None),
        ("POST", "/me/tokens", None),
        ("POST", "/keys/verify", "keys:verify"),
        ("GET", "/", "*"),
        ("GET", "", "*"),
        ("GET", "/{proxy+}", "*"),
        ("GET", "/Boards", "*"),
        ("GET", "/boards:read/x", "*"),
        ("GET", "//boards", "*"),
        ("GET", "/b%6fards", "*"),
        ("GET", "/" + "b" * 65, "*"),
    ],
)
def test_a_route_needs_the_permission_of_its_resource_and_scope(
    method: str, resource: str, permission: str | None
) -> None:
    """Or the one that the deployment names; what makes none needs all of them."""
    mapped = {
        "POST /exports": "exports:run",
        "GET /reports": "exports:see",
        "GET /me/api-key": "x:y",
    }
    scope = required_scope(method, resource)
    assert required_permission(method, resource, scope=scope, mapped=mapped) == permission
