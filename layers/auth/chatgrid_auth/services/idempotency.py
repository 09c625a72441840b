"""A request that comes again is answered again: nothing is made twice, and no secret is kept.

What is remembered is which key a request made or changed, and the tags of the secrets that it may
have been answered with. While the last of these is the key's current one and was never used, a
repeat gets another in its place, since its client may never have seen the first. What is not known
to have been done is not answered as if it was. Whoever is at work on a request has a claim on it
that ends by itself; one that lost its claim can finish nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from chatgrid_auth.domain import audit
from chatgrid_auth.domain.actors import Actor
from chatgrid_auth.domain.audit import AuditEvent
from chatgrid_auth.domain.credentials import ApiKey, IssuedKey
from chatgrid_auth.domain.errors import ChatGridError, Fault
from chatgrid_auth.domain.key_errors import (
    KeyRotatedMeanwhile,
    NameReused,
    NotFound,
    SelfRotationNotAllowed,
    StillRunning,
)
from chatgrid_auth.domain.keys import CANARY
from chatgrid_auth.services.creations import another_secret
from chatgrid_auth.services.key_changes.policies import refuse_beyond
from chatgrid_auth.services.repeatable import (
    KEPT_MS,
    RUNS_MS,
    Claim,
    Note,
    NoteChange,
    Notes,
    Repeatable,
)
from chatgrid_auth.services.rotation import RotationStore, Standing, mint


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a request came to.

    Attributes:
        raw_key: the secret; ``None`` for a repeat when the first one's is not replaced any more.
        replayed: whether it had been answered before.
    """

    key: ApiKey
    raw_key: str | None = field(repr=False)
    replayed: bool = False


class Idempotency:
    """Answers requests that come again.

    Args:
        notes: where they are remembered.
        secrets: where keys have their secrets.
        now_ms: the clock, in Unix milliseconds.
        entropy: gives that many random bytes, from the operating system's generator.
        secrets_per_hour: how many other secrets a key may get in any hour; 0 for any number.
    """

    def __init__(
        self,
        notes: Notes,
        secrets: RotationStore,
        *,
        now_ms: Callable[[], int],
        entropy: Callable[[int], bytes],
        secrets_per_hour: int = 0,
    ) -> None:
        self._secrets_per_hour = secrets_per_hour
        self._notes = notes
        self._secrets = secrets
        self._now_ms = now_ms
        self._entropy = entropy

    def once(
        self,
        request: Repeatable | None,
        act: Callable[[Claim | None], IssuedKey],
        *,
        actor: Actor,
        by_itself: bool = False,
    ) -> Answered:
        """Do what a request asks for, or answer what it came to when it was done before.

        Args:
            request: ``None`` where its client has given it no name.
            act: does it, under a claim.
            actor: who asks.
            by_itself: whether it is a key that asks for another secret of its own.

        Raises:
            NameReused: the client gave another request the same name.
            StillRunning: somebody is at work on this one.
            SelfRotationNotAllowed: the key asks again, and may not any more.
            BeyondOwnPermissions: the key's permissions are not all within the actor's, by now.
            KeyRotatedMeanwhile: nothing came of it, and the key got another secret since.
            SecretLimitReached: the key got as many secrets in the last hour as one may.
            StoreUnavailable: the store is out; the same request again tells.
        """
        if request is None:
            issued = act(None)
            return Answered(key=issued.key, raw_key=issued.raw_key)
        claim = self._claim(request)
        if claim.note.key_id is not None:
            standing = self._secrets.standing(
                request.owner, claim.note.key_id, now_ms=self._now_ms()
            )
            # With the secret still there that was to be replaced, nothing came of it.
            if standing is None or standing.current != claim.note.base:
                done = claim.note.done or (
                    standing is not None and standing.current in claim.note.minted
                )
                if not done:
                    claim.forget()
                    raise NotFound if standing is None else KeyRotatedMeanwhile
                try:
                    return self._again(claim, standing, actor, by_itself=by_itself)
                finally:
                    claim.rest(done=True)
        try:
            issued = act(claim)
        except Fault:
            # What is not known to have come to nothing is kept, for the next to see.
            if claim.note.minted:
                claim.rest()
            else:
                claim.forget()
            raise
        except ChatGridError:
            claim.forget()
            raise
        if claim.note.minted:  # of a creation the note is at rest since
            claim.rest(done=True)
        return Answered(key=issued.key, raw_key=issued.raw_key)

    def _claim(self, request: Repeatable) -> Claim:
        now_ms = self._now_ms()
        known = self._notes.find(request)
        until_ms = now_ms + RUNS_MS
        note = Note(
            version=self._version(),
            body=request.body,
            ends_at_ms=now_ms + KEPT_MS,
            runs_until_ms=until_ms,
        )
        if known is not None and known.ends_at_ms > now_ms:
            runs = known.runs_until_ms > now_ms
            if (runs or known.minted) and known.body != request.body:
                raise NameReused
            if runs:
                raise StillRunning
            if known.minted:
                note = replace(known, version=note.version, runs_until_ms=until_ms)
        if not self._notes.change(NoteChange(request=request, seen=known, note=note)):
            raise StillRunning
        return Claim(request, note, notes=self._notes, version=self._version)

    def _again(
        self, claim: Claim, standing: Standing | None, actor: Actor, *, by_itself: bool
    ) -> Answered:
        owner, key_id = claim.request.owner, claim.note.key_id or ""
        if standing is None:
            key = self._notes.any_key(owner, key_id)
            if key is None:
                raise NotFound
            return Answered(key=key, raw_key=None, replayed=True)
        if by_itself and not standing.key.self_rotation:
            raise SelfRotationNotAllowed
        refuse_beyond(standing.key.permissions, actor=actor)
        unused = standing.current_used_at_ms is None and standing.key.kind != CANARY
        if standing.current in claim.note.minted and unused:
            now_ms = self._now_ms()
            times = another_secret(standing.minted_ms, now_ms=now_ms, most=self._secrets_per_hour)
            raw_key, secret = mint(
                standing, entropy=self._entropy, grace_until_ms=None, minted_ms=times
            )
            claim.minting(
                secret.hash, key_id=key_id, base=claim.note.base, current=standing.current
            )
            became = replace(standing.key, prefix=secret.prefix, updated_at_ms=now_ms)
            event = _reissued(standing.key, became, actor, now_ms)
            if self._secrets.reissue(standing, secret, event=event):
                return Answered(key=became, raw_key=raw_key, replayed=True)
            # Used, rotated or revoked since the look: as it stands now.
            standing = self._secrets.standing(owner, key_id, now_ms=self._now_ms())
        key = standing.key if standing else self._notes.any_key(owner, key_id)
        if key is None:
            raise NotFound
        return Answered(key=key, raw_key=None, replayed=True)

    def _version(self) -> str:
        return self._entropy(8).hex()


def _reissued(was: ApiKey, became: ApiKey, actor: Actor, at_ms: int) -> AuditEvent:
    return AuditEvent(
        action=audit.SECRET_REISSUED,
        owner=was.owner,
        target_id=was.id,
        actor=actor,
        at_ms=at_ms,
        changes={"key_prefix": {"from": was.prefix, "to": became.prefix}},
    )
