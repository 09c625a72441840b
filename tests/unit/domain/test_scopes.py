"""Scopes: what includes what, and what a call needs."""

from __future__ import annotations

import pytest

from chatgrid_auth.domain.scopes import effective, required_scope


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
