"""`chatgrid verify`: the gate's answer and the reason for it; nothing counted, nothing repeated."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.jwt import verifier as jwt_verifier
from chatgrid_auth.adapters.jwt.jwks import parse_jwks
from chatgrid_auth.adapters.jwt.key_set import KeySet
from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.rate_limits_table.counted_windows import CountedWindows
from chatgrid_auth.domain import keys
from chatgrid_auth.domain.errors import IdentityProviderUnavailable
from chatgrid_auth.domain.limits.any_length import of_seconds
from chatgrid_auth.services.gate.requests import Request
from chatgrid_cli.values import now_ms
from chatgrid_devkit.identity.issuer import LocalIssuer
from tests.support.cli import Operator

_DAILY = {"amount": 9, "interval": "day"}
PROJECT = "https://project.supabase.co"


@pytest.fixture
def issuer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalIssuer:
    """An identity provider whose keys are known without asking it."""
    found = LocalIssuer(tmp_path, PROJECT)
    published = json.dumps(found.public_jwks()).encode()
    monkeypatch.setattr(jwt_verifier, "fetch_jwks", lambda _: parse_jwks(published))
    return found


def verdict(operator: Operator, credential: str, *more: str) -> dict[str, Any]:
    """What the command says, its exit code checked, and that it repeats and writes nothing."""
    before = operator.items()
    result = operator.run("verify", "--json", *more, input=credential + "\n")
    assert operator.items() == before
    assert credential not in result.output
    assert credential[-12:] not in result.output
    data: dict[str, Any] = json.loads(result.stdout)["data"]
    expected = {"allowed": 0, "fault": 3}.get(data["outcome"], 1)
    assert result.exit_code == expected
    assert {"outcome", "status", "message", "reason", "explanation", "scope"} <= set(data)
    shown = operator.run("verify", *more, input=credential + "\n")
    assert shown.exit_code == expected
    assert data["explanation"] in shown.stdout
    return data


def test_a_good_key_is_told_to_be_good_and_is_not_counted(operator: Operator) -> None:
    issued = operator.issue(scopes=["write"], rate_limit=1, environment="test")
    for _ in range(3):
        data = verdict(operator, issued.raw_key, "--scope", "write")
        assert (data["outcome"], data["status"]) == ("allowed", 200)
        assert (data["key_id"], data["user_id"]) == (issued.key.id, issued.key.owner)
        assert (data["rate_limit"], data["rate_limit_remaining"]) == (1, 1)
        assert (data["environment"], data["scopes"]) == ("test", ["write"])
    assert operator.answer("keys", "show", issued.key.id)["data"]["last_used_at"] is None


@pytest.mark.parametrize("ending", [None, "revoked", "expired", "forbidden"])
def test_the_scopes_of_a_key_are_those_that_it_was_given(
    operator: Operator, ending: str | None
) -> None:
    granted = ["write"] if ending == "forbidden" else ["admin"]
    issued = operator.issue(
        scopes=granted, expires_at_ms=now_ms() - 1 if ending == "expired" else None
    )
    if ending == "revoked":
        operator.run("keys", "revoke", issued.key.id, "--yes")
    data = verdict(operator, issued.raw_key, "--scope", "admin")
    assert data["scopes"] == granted
    assert operator.answer("keys", "show", issued.key.id)["data"]["scopes"] == granted


def test_a_scope_that_is_missing_is_told(operator: Operator) -> None:
    data = verdict(operator, operator.issue(scopes=["read"]).raw_key, "--scope", "write")
    assert (data["outcome"], data["status"]) == ("forbidden", 403)
    assert data["message"] == "Missing required scope: write"
    assert data["explanation"] == "it is good, but does not carry the scope write"


def test_a_used_up_limit_is_reported_with_the_wait(operator: Operator) -> None:
    issued = operator.issue(rate_limit=1)
    operator.gate().admit(keys.hash_of(issued.raw_key), now_ms=now_ms(), request=Request("read"))
    data = verdict(operator, issued.raw_key)
    assert (data["outcome"], data["status"], data["rate_limit_remaining"]) == (
        "rate_limited",
        429,
        0,
    )
    assert 1 <= data["retry_after"] <= 65
    assert "its limit for these 60 seconds" in data["explanation"]


def test_credits_are_told_and_when_they_come_back(operator: Operator) -> None:
    issued = operator.issue(credits_said={"remaining": 7})
    data = verdict(operator, issued.raw_key)
    assert (data["outcome"], data["credits_remaining"]) == ("allowed", 7)
    for refill, explained in ((None, "no refill is due"), (_DAILY, "come back")):
        spent = operator.issue(credits_said={"remaining": 0, "refill": refill})
        data = verdict(operator, spent.raw_key)
        assert (data["outcome"], data["status"], data["message"], data["reason"]) == (
            "credits_exhausted",
            429,
            "Credits exhausted",
            "credits",
        )
        assert explained in data["explanation"]
        assert (data["retry_after"] is None) == (refill is None)


def test_an_owners_budget_that_is_used_up_is_told(operator: Operator) -> None:
    issued = operator.issue()
    operator.authorizer["OWNER_RATE_LIMIT"] = "1"
    assert verdict(operator, issued.raw_key)["outcome"] == "allowed"
    windows = CountedWindows(
        Boto3Transport(operator.dynamodb),
        table=operator.outputs["RateLimitsTableName"],
        now_ms=now_ms,
    )
    windows.hit(f"OWNER#{issued.key.owner}", limit=1, kind=of_seconds(60))
    data = verdict(operator, issued.raw_key)
    assert (data["outcome"], data["reason"], data["rate_limit_remaining"]) == (
        "rate_limited",
        "owner",
        0,
    )


def test_a_routes_needs_cost_and_limit_are_told(operator: Operator) -> None:
    issued = operator.issue(rate_limit=20, scopes=["write"])
    operator.authorizer["ROUTE_COSTS"] = '{"POST /exports": 15, "POST /reports": 50}'
    operator.authorizer["ROUTE_LIMITS"] = '{"POST /exports": {"limit": 1, "window_seconds": 3600}}'
    asked = ("--route", "POST /exports")
    assert verdict(operator, issued.raw_key, *asked)["outcome"] == "allowed"
    assert verdict(operator, issued.raw_key, "--route", "GET /me/api-keys")["reason"] == "scope"
    dear = verdict(operator, issued.raw_key, "--route", "POST /reports")
    assert (dear["reason"], dear["retry_after"]) == ("window", None)
    assert "more than its whole limit" in dear["explanation"]
    windows = CountedWindows(
        Boto3Transport(operator.dynamodb),
        table=operator.outputs["RateLimitsTableName"],
        now_ms=now_ms,
    )
    place = f"ROUTE#key#{issued.key.id}#POST /exports#3600"
    windows.hit(place, limit=1, kind=of_seconds(3_600))
    limited = verdict(operator, issued.raw_key, *asked)
    assert (limited["outcome"], limited["reason"]) == ("rate_limited", "route")
    assert 3_590 <= limited["retry_after"] <= 3_603
    told = operator.run("verify", "--route", "exports", input=issued.raw_key)
    assert told.exit_code == 2


@pytest.mark.parametrize(
    ("message", "reason"),
    [("API key has been revoked", "revoked"), ("API key has expired", "expired")],
)
def test_a_key_that_has_ended_is_told_with_its_id(
    operator: Operator, message: str, reason: str
) -> None:
    issued = operator.issue(expires_at_ms=now_ms() - 1 if reason == "expired" else None)
    if reason == "revoked":
        operator.run("keys", "revoke", issued.key.id, "--yes")
    data = verdict(operator, issued.raw_key)
    assert (data["status"], data["message"], data["reason"]) == (401, message, reason)
    assert data["key_id"] == issued.key.id
    told = {"revoked": "it was revoked, for good", "expired": f"it expired at {data['expires_at']}"}
    assert data["explanation"].startswith(told[reason])


@pytest.mark.parametrize(
    ("why", "told"), [("exposed", "leaked"), ("dormant", "DormantAfterDays"), ("manual", "said so")]
)
def test_a_disabled_key_is_told_with_what_disabled_it(
    operator: Operator, why: str, told: str
) -> None:
    issued = operator.issue()
    key_hash = keys.hash_of(issued.raw_key)
    operator.dynamodb.update_item(
        TableName=operator.table,
        Key={"pk": items.s(items.credential_pk(key_hash)), "sk": items.s(items.CREDENTIAL)},
        UpdateExpression="SET #off = :why REMOVE lvl",
        ExpressionAttributeNames={"#off": items.OFF},
        ExpressionAttributeValues={":why": items.s(why)},
    )
    data = verdict(operator, issued.raw_key)
    assert data["reason"] == "disabled"
    assert told in data["explanation"]


@pytest.mark.parametrize(
    ("message", "reason", "told"),
    [
        ("API key is disabled", "disabled", "enables it"),
        ("API key has been revoked", "ended", "another secret"),
    ],
)
def test_a_disabled_key_and_a_replaced_secret_are_not_called_revoked(
    operator: Operator, message: str, reason: str, told: str
) -> None:
    issued = operator.issue()
    key_hash = keys.hash_of(issued.raw_key)
    off = "SET #it = :value REMOVE lvl", {"#it": items.OFF}, items.s(items.MANUAL)
    replaced = "SET cur = :value REMOVE #it", {"#it": items.until(keys.tag_of(key_hash))}
    expression, names, value = off if reason == "disabled" else (*replaced, items.s("AAAAAA"))
    operator.dynamodb.update_item(
        TableName=operator.table,
        Key={"pk": items.s(items.credential_pk(key_hash)), "sk": items.s(items.CREDENTIAL)},
        UpdateExpression=expression,
        ExpressionAttributeNames=names,
        ExpressionAttributeValues={":value": value},
    )
    if reason == "ended":
        operator.dynamodb.update_item(
            TableName=operator.table,
            Key={"pk": items.s(items.credential_pk(key_hash)), "sk": items.s(items.CREDENTIAL)},
            UpdateExpression="SET #it = :value",
            ExpressionAttributeNames={"#it": items.until("AAAAAA")},
            ExpressionAttributeValues={":value": items.n(items.NEVER_MS)},
        )
    data = verdict(operator, issued.raw_key)
    assert (data["status"], data["message"], data["reason"]) == (401, message, reason)
    assert told in data["explanation"]


def test_an_unknown_key_is_told_from_a_mistyped_one(operator: Operator) -> None:
    raw_key = keys.generate("live", entropy=os.urandom)
    data = verdict(operator, raw_key)
    assert (data["status"], data["reason"]) == (401, "unknown")
    assert data["explanation"].startswith("no key with this hash was ever kept")
    mistyped = raw_key[:-1] + ("a" if raw_key[-1] != "a" else "b")
    data = verdict(operator, mistyped)
    assert (data["reason"], data["message"]) == ("malformed", "Missing or invalid token")
    assert "checksum is wrong" in data["explanation"]


@pytest.mark.parametrize(
    ("credential", "told"),
    [
        ("cgk_live_" + "a" * 31, "has 40 characters, not 41"),
        ("cgk_prod_" + "a" * 32, "not with cgk_live_ or cgk_test_"),
        ("cgk_live_" + "A" * 32, "lower-case letters and digits only"),
        ("sk_other_" + "a" * 32, "AllowImportedKeys"),
        ("short", "neither a key (cgk_…), a token (cgt_…) nor a JWT"),
    ],
)
def test_what_is_wrong_with_a_malformed_credential_is_told(
    operator: Operator, credential: str, told: str
) -> None:
    result = operator.run("verify", input=credential)
    assert result.exit_code == 1
    assert told in result.stdout


def test_imported_keys_are_looked_up_where_the_stack_allows_them(
    operator: Operator, tmp_path: Path
) -> None:
    raw_key = "sk_" + os.urandom(16).hex()
    line = {"hash": keys.hash_of(raw_key), "owner": str(uuid4()), "scopes": "read"}
    (tmp_path / "keys.jsonl").write_text(json.dumps(line))
    operator.run("import", str(tmp_path / "keys.jsonl"))
    assert verdict(operator, raw_key)["reason"] == "malformed"
    operator.authorizer["ALLOW_IMPORTED_KEYS"] = "true"
    assert verdict(operator, raw_key)["outcome"] == "allowed"


def test_a_good_token_is_told_to_be_good(operator: Operator, issuer: LocalIssuer) -> None:
    user = str(uuid4())
    data = verdict(operator, issuer.mint(user, now_s=int(time.time())), "--scope", "admin")
    assert (data["outcome"], data["user_id"], data["auth_mode"]) == ("allowed", user, "jwt")
    assert (data["rate_limit"], data["rate_limit_remaining"]) == (200, 200)


def test_a_refused_token_is_told_with_the_reason(
    operator: Operator, issuer: LocalIssuer, tmp_path: Path
) -> None:
    user, now_s = str(uuid4()), int(time.time())

    def told(token: str) -> str:
        data = verdict(operator, token)
        assert (data["status"], data["reason"]) == (401, "invalid_token")
        return str(data["explanation"])

    assert told(issuer.mint(user, now_s=now_s, expires_in_s=-60)).startswith("it ended at 20")
    assert "is anonymous" in told(issuer.mint(user, now_s=now_s, anonymous=True))
    assert "algorithm" in told(issuer.mint(user, now_s=now_s, alg="HS256"))
    other = LocalIssuer(tmp_path / "other", "https://other.supabase.co")
    assert f"its issuer is not {PROJECT}" in told(other.mint(user, now_s=now_s))
    forger = LocalIssuer(tmp_path / "forger", PROJECT)
    assert "signature or key" in told(forger.mint(user, now_s=now_s))
    assert "not a JWT as Supabase writes it" in operator.run("verify", input="a.b.c").stdout
    good = issuer.mint(user, now_s=now_s)
    operator.authorizer["JWT_AUDIENCE"] = "elsewhere"
    assert "its audience is not elsewhere" in told(good)
    operator.authorizer["SUPABASE_URL"] = ""
    assert "JWTs are off" in told(good)


def test_a_dead_identity_provider_is_no_bad_token(
    operator: Operator, issuer: LocalIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a fault, and told as one."""

    def out(_: str) -> KeySet:
        raise IdentityProviderUnavailable

    monkeypatch.setattr(jwt_verifier, "fetch_jwks", out)
    data = verdict(operator, issuer.mint(str(uuid4()), now_s=int(time.time())))
    assert (data["outcome"], data["status"]) == ("fault", 503)


def test_a_header_that_was_pasted_whole_is_understood(operator: Operator) -> None:
    raw_key = operator.issue().raw_key
    assert operator.run("verify", input=f"  bearer {raw_key}\r\n").exit_code == 0


def test_nothing_on_standard_input_is_wrong_usage(operator: Operator) -> None:
    for nothing in ("", "\n", "Bearer \n"):
        assert operator.answer("verify", input=nothing, exit_code=2)["code"] == "no_credential"


def test_a_credential_in_an_argument_is_refused_and_not_repeated(operator: Operator) -> None:
    raw_key = operator.issue().raw_key
    result = operator.run("verify", raw_key, input=raw_key)
    assert result.exit_code == 2
    assert "revoke it" in result.stderr
    assert raw_key not in result.output
