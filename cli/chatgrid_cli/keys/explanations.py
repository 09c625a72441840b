"""Why the gate says what it says, told by what may be told of a credential: never a part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.jwt.parts import read_unverified
from chatgrid_auth.domain import keys
from chatgrid_auth.domain.limits.beyond import CREDITS, DEFAULT, OWNER, ROUTE
from chatgrid_auth.domain.tokens import format as token_format
from chatgrid_cli.values import instant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chatgrid_auth.adapters.keys_table.decisions import Credential
    from chatgrid_auth.domain.verdicts import Forbidden, Limited
    from chatgrid_auth.settings import JwtSettings

_END_OF_TIME_S = 253_402_300_800


def of_malformed(credential: str, *, imported_keys: bool) -> str:
    """Why this is neither a key nor a token."""
    if not credential.startswith(tuple(keys.SCHEMES.values())):
        if keys.could_be_imported(credential):
            return (
                "it is neither a key of ours nor a JWT; keys of other systems are refused while"
                " the parameter AllowImportedKeys is false"
            )
        return "it is neither a key (cgk_…), a token (cgt_…) nor a JWT"
    if len(credential) != keys.KEY_LENGTH:
        return f"it starts as a key, but has {len(credential)} characters, not {keys.KEY_LENGTH}"
    label = credential[4 : keys.LABEL_LENGTH - 1]
    if label not in keys.ENVIRONMENTS or credential[keys.LABEL_LENGTH - 1] != "_":
        return "it starts as a key, but not with cgk_live_ or cgk_test_"
    if not all(character in keys.ALPHABET for character in credential[keys.LABEL_LENGTH :]):
        return "a key has lower-case letters and digits only; this one has other characters"
    also = "" if imported_keys else "; if another system issued it, see AllowImportedKeys"
    return f"its checksum is wrong: mistyped, cut, or relabelled between live and test{also}"


def of_unknown() -> str:
    """Why a key that could be one is refused."""
    return "no key with this hash was ever kept in this stack: another stack's, or live for test"


def of_known(credential: Credential, *, reason: str) -> str:
    """Why a key that exists is refused."""
    if reason == "canary":
        return "it is a canary: whoever comes with it hears that it is unknown, and you of him"
    if reason == "token_ended":
        return "it is a derived token that has ended; its key was given a later end meanwhile"
    if reason == "revoked":
        return "it was revoked, for good; `chatgrid keys show` tells when"
    if reason == "ended":
        return "its key was given another secret, and the grace for this one is over"
    return f"it expired at {instant(credential.expires_at_ms)}"


def of_disabled(why: str | None) -> str:
    """Why a key is disabled that was there."""
    told = {
        "exposed": "somebody reported it as leaked; rotate it before it is enabled again",
        "dormant": "nobody used it for as long as the parameter DormantAfterDays lets it",
    }
    who = told.get(why or "", "its owner or an operator said so")
    return f"it is disabled: {who}; it works again once its owner or an operator enables it"


def of_forbidden(verdict: Forbidden) -> dict[str, str]:
    """Why a good credential may not do this: the rule, and what would keep it."""
    told = {
        "address": "it is good, but its allowed_ips hold no such source address (--source-ip)",
        "origin": "it is good, but its allowed_origins hold no such origin (--origin)",
        "permission": "it is good and has the scope, but its permissions lack the one needed",
    }
    explanation = told.get(verdict.reason)
    if explanation is not None:
        return {"reason": verdict.reason, "explanation": explanation}
    scope = verdict.reason
    explanation = f"it is good, but does not carry the scope {scope}"
    return {"reason": "scope", "explanation": explanation}


def of_limited(verdict: Limited) -> dict[str, Any]:
    """Which limit of a good credential is used up, and for how long."""
    name = DEFAULT if verdict.beyond is None else verdict.beyond.refused_by
    wait_s = verdict.retry_after_s
    told = {
        CREDITS: "it is good, but its credits are used up; "
        + ("no refill is due" if wait_s is None else "they come back by themselves"),
        OWNER: "it is good, but what all keys and sessions of its user have together is used up",
    }
    plain = "it is good, but its limit for these 60 seconds is used up"
    if name.startswith(ROUTE):
        name, told["route"] = "route", "it is good, but its limit on this route is used up"
    elif wait_s is None and name == DEFAULT:
        plain = "it is good, but the request costs more than its whole limit"
    return {
        "reason": name if name in told else "window",
        "explanation": told.get(name, plain),
        "retry_after": wait_s,
    }


def of_derived(token: str) -> str:
    """Why a derived token is refused that has no key, or none that was asked."""
    if token_format.parts_of(token) is None:
        return "it starts as a derived token, and is none: mistyped, cut, or spelled in capitals"
    return "it has ended, or another stack made it, or this one with a secret that was replaced"


def of_token(token: str, settings: JwtSettings, *, now_ms: int) -> str:
    """Why a token is refused: the first of the gate's questions that it fails."""
    if not settings.issuer:
        return "JWTs are off: the parameter SupabaseUrl is empty"
    unverified = read_unverified(token)
    if unverified is None:
        return "it is not a JWT as Supabase writes it"
    failed = [
        text
        for passes, text in _questions(unverified.algorithm, unverified.claims, settings, now_ms)
        if not passes
    ]
    return (
        failed[0]
        if failed
        else "another claim is not as Supabase writes it, or its signature or key is not the"
        " project's"
    )


def _questions(
    algorithm: str, claims: dict[str, Any], settings: JwtSettings, now_ms: int
) -> Iterator[tuple[bool, str]]:
    yield (
        algorithm in settings.algorithms,
        "its algorithm is not one that JwtAlgorithms accepts",
    )
    expiry = claims.get("exp")
    if isinstance(expiry, int) and 0 < expiry < _END_OF_TIME_S:
        ended_ms = expiry * 1000
        yield (
            now_ms < ended_ms + settings.leeway_seconds * 1000,
            f"it ended at {instant(ended_ms)}",
        )
    yield claims.get("iss") == settings.issuer, f"its issuer is not {settings.issuer}"
    audience = claims.get("aud")
    yield (
        settings.audience in (audience if isinstance(audience, list) else [audience]),
        f"its audience is not {settings.audience}",
    )
    yield (
        settings.accept_anonymous or claims.get("is_anonymous") is not True,
        "its user is anonymous, and JwtAcceptAnonymous is false",
    )
