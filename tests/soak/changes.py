"""Changes of keys under load: each is answered, lost or refused, and its books are kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chatgrid_auth.domain import audit
from chatgrid_auth.domain.error_table import STILL_RUNNING
from tests.soak.ledger import FAULTS, Key, Limit, Secret, State

if TYPE_CHECKING:
    import httpx

    from tests.soak.load import Client
    from tests.support.tables.admissions import Admitted

#: How long a request with a name is sent again while it meets faults: longer than whoever was
#: killed keeps others from it.
REPEATED_SECONDS = 60.0
GRACES = (0, 15, 600)
#: What a grace may end late by, and what clocks may differ by, in seconds.
SLACK_SECONDS = 3.0

#: Of one user's requests.
SHARES = {"patch": 0.12, "rotate": 0.07, "end": 0.04, "rotate_itself": 0.03, "revoke_itself": 0.02}


def patch(client: Client, key: Key) -> None:
    """Change one field; what is unsure about a key first."""
    if key.enabled is None or client.random.random() < 0.35:
        switch(client, key, on=key.enabled is not True)
        return
    field = client.random.choice(
        ["name", "scopes", "rate_limit", "expires_in_seconds", "self_rotation", "metadata"]
    )
    set_field(client, key, field, _other_value(client, key, field))


def _other_value(client: Client, key: Key, field: str) -> Any:
    is_read_only = key.shown.get("scopes") == ["read"]
    limit = client.random.choice([20, 60, 120, 10_000])
    if "rate_limit" not in key.shown:  # another one than was asked for and never answered
        limit = client.random.randint(10_002, 50_000)
    values: dict[str, Any] = {
        "name": f"soak {uuid4()}",
        "scopes": ["read", "write"] if is_read_only else ["read"],
        "rate_limit": limit if limit != key.limit else limit + 1,
        "expires_in_seconds": client.random.randint(3_600, 1_000_000),
        "self_rotation": key.shown.get("self_rotation") is not True,
        "metadata": {"turn": str(uuid4())},
    }
    return values[field]


def switch(client: Client, key: Key, *, on: bool) -> bool:
    """Enable or disable a key; whether that was answered."""
    known, action = key.enabled, audit.ENABLED if on else audit.DISABLED
    key.enabled = None
    if known is None:
        return _settled(client, key, {"enabled": on}, action)
    response, request = _patched(client, key, {"enabled": on})
    if response.status_code == 200:
        _switched(key, request, on=on)
        if known is not on:
            key.did(action)
        else:  # written all the same where another change may be on its way
            key.did(audit.UPDATED, sure=False)
        return True
    key.did(action, sure=False)
    return False


def _settled(client: Client, key: Key, body: dict[str, Any], action: str) -> bool:
    """Set what nobody can know: from the answer on it holds.

    What was asked for before and never answered may still be on its way; it comes too late then,
    also where there was nothing to do.
    """
    response, request = _patched(client, key, body)
    key.did(action, sure=False)
    key.did(audit.UPDATED, sure=False)
    if response.status_code != 200:
        return False
    key.shown |= body
    if "enabled" in body:
        _switched(key, request, on=bool(key.shown.pop("enabled")))
    return True


def _switched(key: Key, request: Admitted, *, on: bool) -> None:
    key.enabled = on
    if on:
        key.enabled_again(request.answered_at)


def set_field(client: Client, key: Key, field: str, value: Any) -> bool:
    """Set a field to a value; whether that was answered."""
    known = key.shown.pop(field, None)
    if known is None and field not in {"name", "rate_limit", "expires_in_seconds"}:
        return _settled(client, key, {field: value}, audit.UPDATED)
    limit = Limit(value, time.monotonic(), None) if field == "rate_limit" else None
    if limit is not None:
        key.limits.append(limit)
    response, request = _patched(client, key, {field: value})
    if response.status_code == 200:
        key.did(audit.UPDATED, sure=known is not None or field == "expires_in_seconds")
        if field != "expires_in_seconds":
            key.shown[field] = value
        if limit is not None:
            limit.sure_at, key.limit = request.answered_at, value
        return True
    key.did(audit.UPDATED, sure=False)
    return False


def _patched(client: Client, key: Key, body: dict[str, Any]) -> tuple[httpx.Response, Admitted]:
    response, request = client.ask(
        "patch", "PATCH", f"me/api-keys/{key.id}", client.admin, json=body
    )
    client.expect(f"patch of {next(iter(body))}", response, 200)
    key.note(f"patch of {body}", response.status_code, request)
    return response, request


def rotate(client: Client, key: Key) -> None:
    """Give a key another secret, half of the times by a request that can be repeated."""
    settling = key.unsure
    body = {
        "grace_period_seconds": 0 if settling else client.random.choice(GRACES),
        "force": settling or client.random.random() < 0.5,
    }
    rotated(client, key, body, named=client.random.random() < 0.5)


def rotated(client: Client, key: Key, body: dict[str, Any], *, named: bool) -> bool:
    """Rotate as told; whether a secret was given for it."""
    path, before = f"me/api-keys/{key.id}/rotate", list(key.secrets)
    may_conflict = key.enabled is not True or (not body["force"] and _may_have_former(key))
    began = time.monotonic()
    wanted = [200, 409] if may_conflict else [200]
    if named:
        data, request, asked = repeated(client, "rotate", path, body, wanted=wanted)
        key.note(f"rotate {body}, sent {asked} times", 200 if data else 409, request)
    else:
        response, request = client.ask("rotate", "POST", path, client.admin, json=body)
        client.expect("rotate", response, *wanted)
        key.note(f"rotate {body}", response.status_code, request)
        data, asked = data_of(response), 1
    if data is None:
        if asked:  # nobody can know whether it was done
            _shake(key, before)
            key.did(audit.ROTATED, sure=False)
            key.deeds[audit.SECRET_REISSUED][1] += asked
        return False
    key.did(audit.ROTATED)
    key.deeds[audit.SECRET_REISSUED][1] += asked - 1
    _follow(key, before, data["raw_key"], body, began=began, answered=request.answered_at)
    return True


def data_of(response: httpx.Response) -> dict[str, Any] | None:
    """The key in an answer that gives a secret."""
    data: dict[str, Any] | None = response.json()["data"] if response.is_success else None
    return data if data and data["raw_key"] else None


def repeated(
    client: Client, what: str, path: str, body: dict[str, Any], *, wanted: list[int]
) -> tuple[dict[str, Any] | None, Admitted, int]:
    """Send a request under a name until it is answered, and now and then once more.

    Returns:
        The key with the last secret that was given, the last request, and how often the request
        may have been carried out; 0 where it was certainly refused.
    """
    headers, data = {"Idempotency-Key": str(uuid4())}, None
    asked, lost, more = 0, False, client.random.random() < 0.3
    deadline = time.monotonic() + REPEATED_SECONDS
    while True:
        response, request = client.ask(what, "POST", path, client.admin, json=body, headers=headers)
        if response.status_code == 409 and STILL_RUNNING.message in response.text and lost:
            time.sleep(0.5)
        elif response.status_code in FAULTS:
            asked, lost, data = asked + 1, True, None
        elif not client.expect(f"{what} with a name", response, *wanted):
            return None, request, asked + 1
        elif response.status_code == 409:
            return None, request, asked
        else:
            if asked and not lost and response.headers.get("Idempotency-Replayed") != "true":
                client.ledger.broke(f"a repeated {what} does not say that it is one")
            asked, data = asked + 1, data_of(response)
            if data is None:
                client.ledger.broke(f"a repeated {what} has no secret, and none was ever used")
            if not more:
                return data, request, asked
            more = False
        if time.monotonic() > deadline:
            return None, request, asked


def _may_have_former(key: Key) -> bool:
    now = time.monotonic()
    return (
        any(
            secret.passes is not False and (secret.over_by is None or now < secret.over_by)
            for secret in key.secrets[:-1]
        )
        or key.secrets[-1].passes is None
    )


def _follow(
    key: Key, before: list[Secret], raw: str, body: dict[str, Any], *, began: float, answered: float
) -> None:
    """What holds of the former secrets once another was given."""
    grace = body["grace_period_seconds"]
    *older, current = before
    for secret in older:
        secret.passes = False
    if grace == 0:
        current.passes = False
    else:
        current.sure_until = began + grace - SLACK_SECONDS
        current.over_by = answered + grace + SLACK_SECONDS
    key.given(raw)


def _shake(key: Key, secrets: list[Secret]) -> None:
    """Nobody can know any more which of these pass."""
    for secret in secrets:
        if secret.passes:
            secret.passes = None


def end(client: Client, key: Key) -> None:
    """End a grace."""
    path = f"me/api-keys/{key.id}/previous-secret"
    former, sent_at = key.secrets[:-1], time.monotonic()
    sure = key.enabled is True and any(
        s.passes and s.sure_until is not None and sent_at < s.sure_until - 30 for s in former
    )
    response, request = client.ask("end", "DELETE", path, client.admin)
    key.note("end", response.status_code, request)
    client.expect("end of a grace", response, *([200] if sure else [200, 404, 409]))
    if response.status_code == 200:
        if any(s.passes is None for s in key.secrets):
            key.did(audit.PREVIOUS_SECRET_ENDED)
            return  # of a rotation whose answer was lost, perhaps
        for secret in former:
            secret.passes = False
        key.did(audit.PREVIOUS_SECRET_ENDED)
    elif response.status_code in FAULTS:
        _shake(key, former)
        key.did(audit.PREVIOUS_SECRET_ENDED, sure=False)


def rotate_itself(client: Client, key: Key) -> None:
    """Let the holder of a key rotate it, by the current secret or by a former one."""
    by = client.random.choice(key.secrets[-2:])
    is_current, may = by is key.secrets[-1], key.shown.get("self_rotation")
    before, began = list(key.secrets), time.monotonic()
    body = {"grace_period_seconds": client.random.choice(GRACES), "force": True}
    response, request = client.ask("rotate itself", "POST", "me/api-key/rotate", by.raw, json=body)
    key.note(f"rotate itself {body}", response.status_code, request)
    passes = key.enabled and by.during(request)
    if passes and is_current and may is True:
        wanted = [200, 429]
    elif passes is False:
        wanted = [401, 429]
    elif passes and (not is_current or may is False):
        wanted = [403, 429]
    else:
        wanted = [200, 401, 403, 429] if is_current else [401, 403, 429]
    client.expect("rotation of itself", response, *wanted)
    if response.status_code == 200:
        client.ledger.admitted(key, request)
        key.did(audit.ROTATED)
        _follow(
            key,
            before,
            response.json()["data"]["raw_key"],
            body,
            began=began,
            answered=request.answered_at,
        )
    elif response.status_code in FAULTS and is_current:
        _shake(key, before)
        key.did(audit.ROTATED, sure=False)


def revoke_itself(client: Client, key: Key) -> None:
    """Let the holder of a key revoke it: that waits for no limit."""
    by = key.secrets[-1]
    key.state = State.REVOKING
    response, request = client.ask("revoke itself", "DELETE", "me/api-key", by.raw)
    passes = key.enabled and by.during(request)
    wanted = [200] if passes else [401] if passes is False else [200, 401]
    client.expect("revocation of itself", response, *wanted)
    if response.status_code == 200:
        key.state, key.revoked_at = State.REVOKED, time.monotonic()
        key.did(audit.REVOKED)
    elif response.status_code in FAULTS:
        key.did(audit.REVOKED, sure=False)
    else:
        key.state = State.LIVE


CHANGES: dict[str, Callable[[Client, Key], None]] = {
    "patch": patch,
    "rotate": rotate,
    "end": end,
    "rotate_itself": rotate_itself,
    "revoke_itself": revoke_itself,
}


def settle(client: Client, key: Key) -> bool:
    """Bring a key to where everybody knows how it stands; whether that is so."""
    if not switch(client, key, on=True):
        return False
    return rotated(client, key, {"grace_period_seconds": 0, "force": True}, named=False)
