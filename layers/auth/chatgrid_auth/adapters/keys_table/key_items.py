"""How a key lies in DynamoDB: its two items, and the work that the usage plans are left with.

An imported key has a third, its claim to the id that it brought.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chatgrid_auth.adapters.dynamodb.transactions import update
from chatgrid_auth.adapters.keys_table import items, policy_items
from chatgrid_auth.adapters.keys_table.items import n, s
from chatgrid_auth.domain.actors import Maker
from chatgrid_auth.domain.credentials import ApiKey, Credits, PreviousSecret
from chatgrid_auth.domain.keys import CANARY, SECRET, tag_of
from chatgrid_auth.domain.limits import window
from chatgrid_auth.domain.limits.credits import parse
from chatgrid_auth.domain.scopes import level_of

#: On an owner's count: when keys were made lately.
MADE = "made"
#: On a record: when the key got other secrets lately.
MINTED = "minted"


def credential(key: ApiKey, key_hash: str, *, imported: bool) -> dict[str, Any]:
    """The item under the key's hash, with a window that has admitted nothing yet.

    Args:
        imported: another system issued it, so that its text does not tell its environment.
    """
    item = {
        "pk": s(items.credential_pk(key_hash)),
        "sk": s(items.CREDENTIAL),
        items.OWNER: items.uuid(key.owner),
        items.KEY_ID: items.uuid(key.id),
        items.LIMIT: n(key.rate_limit),
        items.until(tag_of(key_hash)): n(items.passes_until(key.expires_at_ms)),
        **window.fresh(key.rate_limit),
    }
    if key.kind == CANARY:  # no request finds it passing, nor with a level
        item[items.TRAP] = n(1)
        item[items.until(tag_of(key_hash))] = n(0)
    elif key.enabled:
        item[items.LEVEL] = n(level_of(key.scopes))
    else:
        item[items.OFF] = s(key.disabled_reason or items.MANUAL)
    if policy_items.attributes(key):
        item[items.VERSION] = n(policy_items.FIRST)
    if key.credits is not None:
        item[items.TOP] = n(key.credits.remaining)
        if key.credits.next_at_ms is not None:
            item[items.DUE] = n(key.credits.next_at_ms)
    if imported and key.environment == "test":
        item[items.ENVIRONMENT] = s(items.TEST)
    return item


def record(key: ApiKey, key_hash: str) -> dict[str, Any]:
    """The item under the key's owner."""
    item = {
        "pk": s(items.user_pk(key.owner)),
        "sk": s(items.record_sk(key.id)),
        "name": s(key.name),
        "prefix": s(key.prefix),
        "scopes": s(" ".join(key.scopes)),
        "environment": s(key.environment),
        "rate_limit": n(key.rate_limit),
        "created_at_ms": n(key.created_at_ms),
        "hash": s(key_hash),
        "made_by": s(" ".join(filter(None, (key.created_by.type, key.created_by.key_id)))),
    }
    if key.expires_at_ms is not None:
        item["expires_at_ms"] = n(key.expires_at_ms)
    if key.kind != SECRET:
        item["kind"] = s(key.kind)
    if key.self_rotation:
        item["self_rotation"] = {"BOOL": True}
    if key.metadata:
        item["metadata"] = policy_items.pairs(key.metadata)
    item |= policy_items.rules(key)
    if key.credits is not None and key.credits.refill is not None:
        item["refill"] = s(str(key.credits.refill))
    if policy_items.attributes(key):
        item[policy_items.COUNTER] = n(policy_items.FIRST)
    return item


def work(action: str, owner: str, key_id: str, key_hash: str) -> dict[str, Any]:
    """What the usage plans have to do for a key: ``provision`` or ``retire``."""
    return {
        **items.work_key(owner, key_id),
        "action": s(action),
        "owner": s(owner),
        "hash": s(key_hash),
    }


def claim(key_id: str) -> dict[str, Any]:
    """An imported key's claim to the id that it brought: gateway keys go by the id alone."""
    return {"pk": s(items.claim_pk(key_id)), "sk": s(items.CLAIM)}


def api_key(item: Mapping[str, Any], credential: Mapping[str, Any]) -> ApiKey:
    """The key of a record, revoked or not, with the last use and the limit of its credential."""
    expires, ended = item.get("expires_at_ms"), item.get("revoked_at_ms")
    updated, noted = item.get("updated_at_ms"), item.get("metadata", {"M": {}})["M"]
    maker, _, maker_id = item["made_by"]["S"].partition(" ")
    return ApiKey(
        id=item["sk"]["S"].partition("#")[2],
        owner=item["pk"]["S"].partition("#")[2],
        name=item["name"]["S"],
        prefix=item["prefix"]["S"],
        scopes=tuple(item["scopes"]["S"].split()),
        environment=item["environment"]["S"],
        kind=item.get("kind", s(SECRET))["S"],
        rate_limit=int(credential.get(items.LIMIT, item["rate_limit"])["N"]),
        created_at_ms=int(item["created_at_ms"]["N"]),
        expires_at_ms=None if expires is None else int(expires["N"]),
        last_used_at_ms=_latest(last_used_at_ms(credential), item.get("used_before_ms")),
        created_by=Maker(type=maker, key_id=maker_id or None),
        disabled_reason=_disabled_reason(credential),
        self_rotation="self_rotation" in item,
        metadata={name: value["S"] for name, value in noted.items()},
        **policy_items.rules_of(item),
        credits=_credits(item, credential),
        updated_at_ms=None if updated is None else int(updated["N"]),
        revoked_at_ms=None if ended is None else int(ended["N"]),
        revocation_reason=None if ended is None else item["revocation_reason"]["S"],
        previous_secret=_previous_secret(item, credential),
    )


def revoked(item: Mapping[str, Any], *, at_ms: int, reason: str) -> dict[str, Any]:
    """The record of a key that was revoked then, and why."""
    return {**item, "revoked_at_ms": n(at_ms), "revocation_reason": s(reason)}


def last_used_at_ms(credential: Mapping[str, Any]) -> int | None:
    """When a key was last used, by any of its secrets, in Unix milliseconds."""
    uses = [int(value["N"]) for name, value in credential.items() if items.is_used_at(name)]
    return max(uses, default=None)


def _credits(item: Mapping[str, Any], credential: Mapping[str, Any]) -> Credits | None:
    """What is left by the credential, and how it comes back by the record."""
    if items.TOP not in credential:
        return None
    remaining = int(credential[items.TOP]["N"]) - int(credential["used"]["N"])
    if items.DUE not in credential or "refill" not in item:
        return Credits(remaining=remaining)
    refill, next_at_ms = parse(item["refill"]["S"]), int(credential[items.DUE]["N"])
    return Credits(remaining=remaining, refill=refill, next_at_ms=next_at_ms)


def _disabled_reason(credential: Mapping[str, Any]) -> str | None:
    """Why a key that is not revoked is off."""
    off = credential.get(items.OFF)
    return None if off is None or items.is_revoked(credential) else str(off["S"])


def _latest(used_ms: int | None, earlier: Mapping[str, Any] | None) -> int | None:
    """The last use, with those of secrets that the credential tells nothing of any more."""
    if earlier is None:
        return used_ms
    return max(used_ms or 0, int(earlier["N"]))


def _previous_secret(
    item: Mapping[str, Any], credential: Mapping[str, Any]
) -> PreviousSecret | None:
    """The former secret of a record, if its credential knows it still; it may have run out."""
    if "previous_hash" not in item:
        return None
    tag = tag_of(item["previous_hash"]["S"])
    until, used = credential.get(items.until(tag)), credential.get(items.used_at(tag))
    if until is None:
        return None
    return PreviousSecret(
        prefix=item["previous"]["S"],
        expires_at_ms=int(until["N"]),
        last_used_at_ms=None if used is None else int(used["N"]),
    )


def one_more(
    table: str,
    place: tuple[str, str],
    *,
    most: int,
    times: Sequence[int] | None = None,
    known: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The write, for a transaction, that counts one more key of an owner.

    Args:
        place: partition and sort key of the count.
        most: how many keys the owner may hold.
        times: when keys were made in the last hour, this one included; ``None`` to leave them.
        known: the times as they were read; the write is refused when they are others by now.
    """
    expression, values = "ADD active :one", {":one": n(1), ":most": n(most)}
    condition = "(attribute_not_exists(active) OR active < :most)"
    if times is not None:
        expression = f"SET {MADE} = :made {expression}"
        values[":made"] = {"L": [n(time) for time in times]}
        if known is None:
            condition += f" AND attribute_not_exists({MADE})"
        else:
            condition += f" AND {MADE} = :known"
            values[":known"] = dict(known)
    return update(table, place, expression, values, condition=condition)
