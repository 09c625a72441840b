"""A request that comes again is answered again: nothing is made twice, and no secret is kept.

What is remembered is which key a request made or changed, and the tags of the secrets that it may
have been answered with. While the last of these is the key's current one and was never used, a
repeat gets another in its place, since its client may never have seen the first. Whoever is at work
on a request has a claim on it that ends by itself; one that lost its claim can finish nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from chatgrid_auth.domain import audit
from chatgrid_auth.domain.actors import Actor
from chatgrid_auth.domain.audit import AuditEvent
from chatgrid_auth.domain.credentials import ApiKey, IssuedKey
from chatgrid_auth.domain.errors import (
    ChatGridError,
    Fault,
    NameReused,
    NotFound,
    SelfRotationNotAllowed,
    StillRunning,
)
from chatgrid_auth.domain.keys import tag_of
from chatgrid_auth.services.repeatable import KEPT_MS, RUNS_MS, Note, NoteChange, Repeatable
from chatgrid_auth.services.rotation import RotationStore, Standing, mint


class Notes(Protocol):
    """Where requests that may come again are remembered."""

    def find(self, request: Repeatable) -> Note | None:
        """What is remembered of a request, forgotten or not by now."""

    def change(self, change: NoteChange) -> bool:
        """Make a change; false, and nothing is done, if the note is another one by now."""

    def any_key(self, owner: str, key_id: str) -> ApiKey | None:
        """One of the owner's keys, a revoked one too."""


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


class Claim:
    """Being at work on a request, until that is done or the claim has run out.

    Attributes:
        note: what is remembered of the request now.
    """

    def __init__(
        self, request: Repeatable, note: Note, *, notes: Notes, version: Callable[[], str]
    ) -> None:
        self.request = request
        self.note = note
        self._notes = notes
        self._version = version

    def created(self, key_id: str, tag: str) -> NoteChange:
        """What has to be written together with a new key: that this request made it."""
        note = self.note.minting(tag, key_id=key_id, base=None, version=self._version())
        done = note.at_rest(version=note.version)
        return NoteChange(request=self.request, seen=self.note, note=done)

    def minting(self, key_hash: str, *, key_id: str, base: str | None) -> None:
        """Remember a secret before it is made: who comes after can tell then that it was.

        Raises:
            StillRunning: somebody else is at work on it by now.
        """
        note = self.note.minting(
            tag_of(key_hash), key_id=key_id, base=base, version=self._version()
        )
        self._put(note)

    def rest(self) -> None:
        """Let others at it. What does not get through runs out by itself."""
        with suppress(Fault, StillRunning):
            self._put(self.note.at_rest(version=self._version()))

    def forget(self) -> None:
        """Forget the request: it came to nothing."""
        change = NoteChange(request=self.request, seen=self.note, note=None)
        with suppress(Fault):
            self._notes.change(change)

    def _put(self, note: Note) -> None:
        if not self._notes.change(NoteChange(request=self.request, seen=self.note, note=note)):
            raise StillRunning
        self.note = note


class Idempotency:
    """Answers requests that come again.

    Args:
        notes: where they are remembered.
        secrets: where keys have their secrets.
        now_ms: the clock, in Unix milliseconds.
        entropy: gives that many random bytes, from the operating system's generator.
    """

    def __init__(
        self,
        notes: Notes,
        secrets: RotationStore,
        *,
        now_ms: Callable[[], int],
        entropy: Callable[[int], bytes],
    ) -> None:
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
                try:
                    return self._again(claim, standing, actor, by_itself=by_itself)
                finally:
                    claim.rest()
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
            claim.rest()
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
        if standing.current in claim.note.minted and standing.current_used_at_ms is None:
            raw_key, secret = mint(standing, entropy=self._entropy, grace_until_ms=None)
            claim.minting(secret.hash, key_id=key_id, base=claim.note.base)
            became = replace(standing.key, prefix=secret.prefix)
            if self._secrets.reissue(
                standing, secret, event=_reissued(standing.key, became, actor, self._now_ms())
            ):
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
