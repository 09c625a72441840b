"""Keys that a rule tightened since they were made would not let through today."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from chatgrid_auth import settings
from chatgrid_auth.adapters.keys_table.key_inventory import KeyInventory
from chatgrid_auth.domain.credentials import ApiKey
from chatgrid_auth.domain.keys import CANARY, SCHEMES
from chatgrid_auth.domain.rules.permissions import covers
from chatgrid_auth.domain.scopes import effective, required_permission, required_scope
from chatgrid_auth.limit_settings import further_limits
from chatgrid_cli.checks.findings import Finding, ok, skipped, warn
from chatgrid_cli.stacks import Stack
from chatgrid_cli.values import now_ms

_CHECK = "rules of keys"
#: So many keys are looked at, and so many of one finding are named.
MOST_KEYS = 1_000
_NAMED = 5
_NONE: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """What a key breaks, if it does, and what to do."""

    broken_by: Callable[[ApiKey], bool]
    text: str
    advice: str


def look_at_keys(stack: Stack) -> Iterator[Finding]:
    """The rules of the deployment against the keys that are there, canaries left out."""
    try:
        rules = list(_rules(stack))
        most = settings.positive_integer(stack.environment("ManagementFunction"), "KEYS_PER_USER")
    except settings.SettingError as error:
        yield skipped(_CHECK, f"could not be looked at: {error}")
        return
    inventory = KeyInventory(stack.client("dynamodb"), table=stack.keys_table)
    some = [stored.key for stored in islice(inventory.every_key(), MOST_KEYS + 1)]
    keys = [key for key in some[:MOST_KEYS] if key.kind != CANARY]
    yield ok(_CHECK, f"{_many(len(some))} looked at")
    for rule in rules:
        broken = [key.id for key in keys if rule.broken_by(key)]
        if broken:
            yield warn(_CHECK, f"{_named(broken)} {rule.text}", rule.advice)
    owners = [owner for owner, held in Counter(key.owner for key in some).items() if held > most]
    if owners:
        text = f"users with more than the {most} keys of KeysPerUser: {_named(owners)}"
        yield warn(_CHECK, text, "they can make no more; `chatgrid keys list --user USER`")


def _many(found: int) -> str:
    return f"the first {MOST_KEYS} keys (there are more)" if found > MOST_KEYS else f"{found} keys"


def _named(ids: list[str]) -> str:
    shown = ", ".join(ids[:_NAMED])
    more = len(ids) - _NAMED
    return f"{shown} and {more} more" if more > 0 else shown


def _rules(stack: Stack) -> Iterator[_Rule]:
    environ = stack.environment("ManagementFunction")
    ceiling = settings.positive_integer(environ, "RATE_LIMIT_CEILING")
    yield _Rule(
        broken_by=lambda key: key.rate_limit > ceiling,
        text=f"may do more requests than RateLimitCeiling lets a user ask for ({ceiling})",
        advice="`chatgrid keys set-limit KEY_ID N`, unless an operator meant it so",
    )
    longest = settings.count(environ, "KEY_LIFETIME_CEILING_SECONDS")
    latest_ms = now_ms() + longest * 1_000
    if longest:
        yield _Rule(
            broken_by=lambda key: key.expires_at_ms is None or key.expires_at_ms > latest_ms,
            text=f"live longer than KeyLifetimeCeilingSeconds lets a user ask for ({longest} s)",
            advice="`chatgrid keys update KEY_ID --expires TIME`, unless an operator meant it so",
        )
    dearest = further_limits(environ).dearest
    yield _Rule(
        broken_by=lambda key: key.rate_limit < dearest,
        text=f"can never do the dearest request of RouteCosts, which costs {dearest}: always 429",
        advice=f"`chatgrid keys set-limit KEY_ID {dearest}` or more, if they are to do it",
    )
    mapped = settings.texts_by_name(environ, "ROUTE_PERMISSIONS")
    yield _Rule(
        broken_by=lambda key: any(_is_locked_out(key, route, mapped) for route in mapped),
        text="have the usual permission of a route, and not the one RoutePermissions asks for: 403",
        advice="`chatgrid keys update KEY_ID --permission …` with all that it is to have",
    )
    if not settings.flag(stack.environment("AuthorizerFunction"), "ALLOW_IMPORTED_KEYS"):
        ours = tuple(SCHEMES.values())
        yield _Rule(
            broken_by=lambda key: not key.prefix.startswith(ours),
            text="are imported ones, which are refused while AllowImportedKeys is false",
            advice="set AllowImportedKeys to true, or give their holders keys of this stack",
        )


def _is_locked_out(key: ApiKey, route: str, mapped: Mapping[str, str]) -> bool:
    """Whether a key would get through to a route, were it not for the deployment's own mapping."""
    method, _, resource = route.partition(" ")
    scope = required_scope(method, resource)
    if key.permissions is None or scope not in effective(key.scopes):
        return False
    usual, needed = (
        required_permission(method, resource, scope=scope, mapped=one) for one in (_NONE, mapped)
    )
    return covers(key.permissions, usual) and not covers(key.permissions, needed)
