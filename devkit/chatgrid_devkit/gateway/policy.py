"""An authorizer's answer, checked and evaluated as API Gateway does.

Source: "Output from an API Gateway Lambda authorizer", API Gateway developer guide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_ACTION = "execute-api:Invoke"
_RESOURCE_LIMIT = 512
_STATEMENT_KEYS = {"Sid", "Effect", "Action", "Resource"}


class AuthorizerOutputInvalid(Exception):
    """The authorizer's answer is not one that API Gateway takes; the text names the part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A checked authorizer answer.

    Attributes:
        context: all values as text, as `$context.authorizer` and the backend see them.
        usage_key: value of the API Gateway key that the request counts on.
    """

    principal: str
    statements: tuple[Mapping[str, Any], ...]
    context: dict[str, str]
    usage_key: str | None


def read_output(output: Any) -> Grant:
    """The answer's parts.

    Raises:
        AuthorizerOutputInvalid: API Gateway would answer 500.
    """
    if not isinstance(output, dict):
        raise AuthorizerOutputInvalid("the answer is no object")
    principal = output.get("principalId")
    if not isinstance(principal, str) or not principal:
        raise AuthorizerOutputInvalid("principalId is missing")
    usage_key = output.get("usageIdentifierKey")
    if usage_key is not None and not isinstance(usage_key, str):
        raise AuthorizerOutputInvalid("usageIdentifierKey is no string")
    return Grant(
        principal=principal,
        statements=_statements(output.get("policyDocument")),
        context=_context(output.get("context")),
        usage_key=usage_key or None,
    )


def allows(grant: Grant, arn: str) -> bool:
    """Whether the policy lets the method be called: a Deny wins, and silence is a Deny."""
    effects = {
        statement["Effect"]
        for statement in grant.statements
        if _any_matches(statement["Action"], _ACTION, ignore_case=True)
        and _any_matches(statement["Resource"], arn, ignore_case=False)
    }
    return effects == {"Allow"}


def explicitly_denies(grant: Grant, arn: str) -> bool:
    """Whether a Deny names the method (AWS words the refusal differently then)."""
    return not allows(grant, arn) and any(
        statement["Effect"] == "Deny"
        and _any_matches(statement["Action"], _ACTION, ignore_case=True)
        and _any_matches(statement["Resource"], arn, ignore_case=False)
        for statement in grant.statements
    )


def _statements(policy: Any) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(policy, dict):
        raise AuthorizerOutputInvalid("policyDocument is missing")
    statements = policy.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        raise AuthorizerOutputInvalid("policyDocument has no Statement")
    for statement in statements:
        if not isinstance(statement, dict) or not set(statement) <= _STATEMENT_KEYS:
            raise AuthorizerOutputInvalid("a Statement has parts that are not evaluated locally")
        if statement.get("Effect") not in {"Allow", "Deny"}:
            raise AuthorizerOutputInvalid("a Statement's Effect is neither Allow nor Deny")
        for part in ("Action", "Resource"):
            if not _patterns(statement.get(part)):
                raise AuthorizerOutputInvalid(f"a Statement has no {part}")
        if any(len(resource) > _RESOURCE_LIMIT for resource in _patterns(statement["Resource"])):
            raise AuthorizerOutputInvalid("a Statement's Resource is too long")
    return tuple(statements)


def _context(context: Any) -> dict[str, str]:
    if context is None:
        return {}
    if not isinstance(context, dict):
        raise AuthorizerOutputInvalid("context is no object")
    return {str(name): _text(name, value) for name, value in context.items()}


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise AuthorizerOutputInvalid(f"context value {name} is no string, number or boolean")


def _patterns(value: Any) -> list[str]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(item, str) for item in values):
        return []
    return values


def _any_matches(patterns: Any, text: str, *, ignore_case: bool) -> bool:
    return any(_matcher(p, ignore_case).fullmatch(text) for p in _patterns(patterns))


@lru_cache(maxsize=256)
def _matcher(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    """`*` is any text, `?` one character, everything else itself."""
    parts = {"*": ".*", "?": "."}
    expression = "".join(parts.get(character) or re.escape(character) for character in pattern)
    return re.compile(expression, re.DOTALL | (re.IGNORECASE if ignore_case else 0))
