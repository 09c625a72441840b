"""From an ``Authorization`` header to a verdict. The authorizer does this, and nothing else.

A refused credential is a value, an unreachable store an exception: an outage can never read as
a bad key. The allow verdict is built last.
"""

from __future__ import annotations

from chatgrid_auth.domain import keys
from chatgrid_auth.domain.scopes import SCOPES, VERIFY_PERMISSION
from chatgrid_auth.domain.verdicts import (
    API_KEY,
    DISABLED,
    EXPIRED,
    INVALID_TOKEN,
    JWT,
    MISSING_PERMISSION,
    REVOKED,
    Allowed,
    Caller,
    Forbidden,
    Limited,
    Refused,
    Verdict,
)
from chatgrid_auth.services.gate.refusals import FixedRefusal, Refusals, UsedUp, forbidden

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from chatgrid_auth.services.gate.ports import Derived, Keys, KnownKey, Tokens, Users
    from chatgrid_auth.services.gate.ports import Presented as Shown
    from chatgrid_auth.services.gate.requests import Request
    from chatgrid_auth.services.gate.throttle import Throttle


#: No request of a longer credential is looked at (API Gateway takes 10,240 bytes of headers).
LONGEST_CREDENTIAL = 8_192
_REMEMBERED = 2_048
_LABELLED = tuple(keys.SCHEMES.values())

_MALFORMED = Refused(message=INVALID_TOKEN, reason="malformed")
_UNKNOWN = Refused(message=INVALID_TOKEN, reason="unknown")
_INVALID_TOKEN = Refused(message=INVALID_TOKEN, reason="invalid_token")
#: No session has the one permission that is written out where it is held; none is counted for it.
_NEVER_A_SESSION = Forbidden(
    message=MISSING_PERMISSION.format(permission=VERIFY_PERMISSION),
    reason="permission",
    figures=None,
)
#: What a secret is told that is refused whatever it is used for.
_FAULTS = {"revoked": REVOKED, "disabled": DISABLED, "expired": EXPIRED, "ended": REVOKED}
_FAULTS["token_ended"] = INVALID_TOKEN


def bearer_credential(authorization: str | None) -> str | None:
    """The one credential of an ``Authorization: Bearer`` header; ``None`` if it holds none.

    The scheme is matched without regard to case (RFC 9110, section 11.1).
    """
    if authorization is None or len(authorization) > LONGEST_CREDENTIAL:
        return None
    scheme, credential = authorization[:7], authorization[7:]
    if scheme != "Bearer " and scheme.lower() != "bearer ":  # as most spell it, and as one may
        return None
    if " " in credential:
        credential = credential.strip(" ")
        if " " in credential:
            return None
    return credential or None


class Authenticator:
    """Gives every request exactly one verdict, with at most one store request.

    Args:
        keys: decides about API keys.
        users: counts the requests of JWT users.
        tokens: makes the verifier of JWTs; called when the first JWT arrives, so that a
            process which sees none never loads what it needs.
        derived: makes what reads derived tokens; called when the first one arrives.
        key_tier: the API Gateway key of keys that have none of their own yet.
        jwt_tier: the API Gateway key that all JWT users are counted on.
        limited_tier: the API Gateway key that all requests over a limit are counted on, so that
            they spend no quota of their own key, nor of its tier's.
        imported_keys: whether keys that another system issued are looked up too. They have no
            checksum of ours, so each wrong one costs a store request then.
        failed_attempts_per_minute: how many an address has before it is throttled; 0 for any.
    """

    def __init__(  # noqa: PLR0913 - what a deployment sets
        self,
        *,
        keys: Keys,
        users: Users,
        tokens: Callable[[], Tokens],
        derived: Callable[[], Derived],
        key_tier: str,
        jwt_tier: str,
        limited_tier: str,
        imported_keys: bool = False,
        failed_attempts_per_minute: int = 0,
    ) -> None:
        self._keys = keys
        self._users = users
        self._make_tokens = tokens
        self._tokens: Tokens | None = None
        self._make_derived = derived
        self._derived: Derived | None = None
        self._key_tier = key_tier
        self._jwt_tier = jwt_tier
        self._limited_tier = limited_tier
        self._imported_keys = imported_keys
        self._refusals = Refusals(capacity=_REMEMBERED)
        self._failed_attempts_per_minute = failed_attempts_per_minute
        self._throttle: Throttle | None = None

    def decide(self, authorization: str | None, *, request: Request, now_ms: int) -> Verdict:
        """The verdict on a request.

        Args:
            authorization: the header's value; ``None`` when there is not exactly one.
            request: what it is a request for.
            now_ms: Unix time in milliseconds.

        Raises:
            StoreUnavailable: the store could not decide, or refused for no reason that is known
                here.
            IdentityProviderUnavailable: a JWT came, and its keys cannot be known.
            TokenSecretUnavailable: a derived token came, and cannot be told from a forged one.
        """
        verdict = self._judge(authorization, request=request, now_ms=now_ms)
        if isinstance(verdict, Refused) and self._failed_attempts_per_minute:
            if self._throttle is None:
                from chatgrid_auth.services.gate.throttle import Throttle  # noqa: PLC0415 - seldom

                self._throttle = Throttle(per_minute=self._failed_attempts_per_minute)
            self._throttle.count(request.source, now_ms=now_ms)
        return verdict

    def _judge(self, authorization: str | None, *, request: Request, now_ms: int) -> Verdict:
        credential = bearer_credential(authorization)
        if credential is None:
            return _MALFORMED
        labelled = credential.startswith(_LABELLED)
        ours = labelled and keys.is_well_formed(credential)
        if not ours:
            if credential.startswith("cgt_"):
                return self._decide_derived(credential, request=request, now_ms=now_ms)
            if not labelled and credential.count(".") == 2:
                return self._decide_token(credential, request=request, now_ms=now_ms)
            if not (self._imported_keys and keys.could_be_imported(credential)):
                return _MALFORMED
        return self._decide_key(credential, ours, request=request, now_ms=now_ms, derived=None)

    def _decide_key(
        self, raw_key: str, ours: bool, *, request: Request, now_ms: int, derived: Shown | None
    ) -> Verdict:
        key_hash = keys.hash_of(raw_key)
        # What is refused to a dear request may be there for a cheap one.
        name = key_hash if request.cost == 1 else f"{key_hash} {request.cost}"
        refusal = self._refusals.recall(name, now_ms=now_ms)
        if refusal is None and self._throttle is not None:  # somebody has failed before
            refusal = self._throttle.recall(request.source, key_hash, now_ms=now_ms)
        if refusal is not None and not (request.unlimited and isinstance(refusal, UsedUp)):
            return refusal.verdict(request, now_ms=now_ms)
        if derived is None:
            known = self._keys.admit(key_hash, now_ms=now_ms, request=request)
        else:
            known = derived.admit(self._keys, now_ms=now_ms, request=request)
        if known is None or known.fault == "canary":
            return self._refuse_unknown(key_hash, known, now_ms=now_ms, source=request.source)
        if not known.admitted:
            refused = self._why_not(name, known, request=request, now_ms=now_ms)
            if not (request.unlimited and isinstance(refused, Limited)):
                return refused
        return Allowed(
            caller=Caller(
                user_id=known.owner,
                auth_mode=API_KEY,
                scopes=known.scopes,
                key_id=known.key_id,
                environment=keys.environment_of(raw_key) if ours else known.environment,
                expires_at_ms=known.expires_at_ms,
                metadata=known.metadata,
                permissions=None if known.rules is None else known.rules.permissions,
                former=known.former,
                short_user_id=known.short_owner,
                token=None if derived is None else derived.facts,
            ),
            figures=known.reading,
            usage_key=known.usage_key or self._key_tier,
            beyond=None if known.credits is None else known.credits.told(),
        )

    def _why_not(self, name: str, known: KnownKey, *, request: Request, now_ms: int) -> Verdict:
        """Why the store refused: the first that does not hold of secret, scope and window."""
        if known.fault is not None:
            refused = Refused(
                message=_FAULTS[known.fault],
                reason=known.fault,
                key_id=known.key_id,
                user_id=known.owner,
            )
            # A secret that was replaced never passes again; only its key's own end is told instead.
            ended = known.fault == "ended"
            self._refusals.remember(
                name,
                FixedRefusal(refused),
                asked_ms=now_ms,
                until_ms=known.expires_at_ms if ended else None,
                final=ended,
            )
            return refused
        unfit = forbidden(
            request,
            scopes=known.scopes,
            rules=known.rules,
            figures=known.reading,
            key_id=known.key_id,
            user_id=known.owner,
        )
        if unfit is not None:
            return unfit
        if known.credits is None:
            used_up = UsedUp.of(known, self._limited_tier, cost=request.cost)
        else:
            from chatgrid_auth.services.gate.spending import UsedUpWithCredits  # noqa: PLC0415 - seldom

            used_up = UsedUpWithCredits(known, known.credits, self._limited_tier, cost=request.cost)
        # An expiry that comes before its limit is free again is asked for when it has come.
        until_ms = used_up.until_ms(now_ms)
        if known.expires_at_ms is not None:
            until_ms = min(until_ms, known.expires_at_ms)
        self._refusals.remember(name, used_up, asked_ms=now_ms, until_ms=until_ms)
        return used_up.verdict(request, now_ms=now_ms)

    def _decide_derived(self, token: str, *, request: Request, now_ms: int) -> Verdict:
        if self._derived is None:
            self._derived = self._make_derived()
        derived = self._derived.read(token, now_ms=now_ms)
        if derived is None:
            return _INVALID_TOKEN
        # No token is let through over its key's limit: what that is for, it cannot do.
        asked = request.limited() if request.unlimited else request
        return self._decide_key(token, False, request=asked, now_ms=now_ms, derived=derived)

    def _decide_token(self, token: str, *, request: Request, now_ms: int) -> Verdict:
        if self._tokens is None:
            self._tokens = self._make_tokens()
        claims = self._tokens.verify(token, now_ms=now_ms)
        if claims is None:
            return _INVALID_TOKEN
        name = claims.user_id if request.cost == 1 else f"{claims.user_id} {request.cost}"
        refusal = self._refusals.recall(name, now_ms=now_ms)
        if refusal is not None:
            return refusal.verdict(request, now_ms=now_ms)
        if request.permission == VERIFY_PERMISSION:
            return _NEVER_A_SESSION
        admitted, reading = self._users.admit(claims.user_id, cost=request.cost)
        if not admitted:
            used_up = UsedUp(
                reading,
                SCOPES,
                self._limited_tier,
                user_id=claims.user_id,
                never=request.cost > reading.limit,
            )
            self._refusals.remember(
                name, used_up, asked_ms=now_ms, until_ms=used_up.until_ms(now_ms)
            )
            return used_up.verdict(request, now_ms=now_ms)
        return Allowed(
            caller=Caller(
                user_id=claims.user_id,
                auth_mode=JWT,
                scopes=SCOPES,
                email=claims.email,
                anonymous=claims.anonymous,
                expires_at_ms=claims.expires_at_ms,
            ),
            figures=reading,
            usage_key=self._jwt_tier,
            jwks_age_ms=self._tokens.jwks_age_ms(now_ms),
        )

    def _refuse_unknown(
        self, key_hash: str, canary: KnownKey | None, *, now_ms: int, source: str
    ) -> Refused:
        """Remembered for longer only where nothing is forgotten by it: no owner has such a key.

        A canary is refused alike in all but what the log is told.
        """
        unknown = FixedRefusal(_UNKNOWN) if canary is None else FixedRefusal.of_canary(canary)
        throttle = self._throttle
        if throttle is None or not throttle.remember(source, key_hash, unknown, now_ms=now_ms):
            self._refusals.remember(key_hash, unknown, asked_ms=now_ms)
        return unknown.refused
