"""Requests that a client may send again: what names them, and what is remembered of the first.

What is remembered holds no secret, nor anything from which one follows: tags tell the secrets of
one key apart, and are names in its item anyway.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

from chatgrid_auth.domain.errors import Fault
from chatgrid_auth.domain.key_errors import StillRunning
from chatgrid_auth.domain.keys import tag_of

if TYPE_CHECKING:
    from chatgrid_auth.domain.credentials import ApiKey

#: How long a repeat is known as one, from the first request on.
KEPT_MS = 86_400_000
#: How long the first may be at work: no function of ours lives longer than one request's time-out.
RUNS_MS = 15_000
LONGEST_NAME = 255

_NAME = re.compile(rf"[!#-~][!-~]{{0,{LONGEST_NAME - 1}}}", re.ASCII)
_QUOTED = re.compile(rf'"((?:[!#-\[\]-~]|\\["\\]){{1,{LONGEST_NAME}}})"', re.ASCII)
#: Both forms, for the API's description.
PATTERN = f"^({_NAME.pattern}|{_QUOTED.pattern.replace('?:', '')})$"


def name_of(header: str) -> str | None:
    """What an ``Idempotency-Key`` names a request by; ``None`` if it is no such key.

    1 to 255 visible ASCII characters, bare, or quoted as RFC 8941 has strings (with ``\\"`` and
    ``\\\\`` for these two): ``"abc"`` and ``abc`` are the same.
    """
    quoted = _QUOTED.fullmatch(header)
    if quoted:
        return re.sub(r"\\(.)", r"\1", quoted[1])
    return header if _NAME.fullmatch(header) else None


def body_hash(body: object) -> str:
    """The same for bodies that are the same JSON, whatever the order of names or the spacing."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeatable:
    """A request that its client has named, so that it may send it again.

    Attributes:
        owner: the user for whom it is.
        route: method and path, so that a name means one thing for each.
        name: the client's own.
        body: the ``body_hash`` of what it asks for.
    """

    owner: str
    route: str
    name: str
    body: str

    @property
    def place(self) -> str:
        """What it is remembered under: of a fixed length, and telling nothing of the name."""
        return sha256(f"{self.route}\n{self.name}".encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What is remembered of a request that may come again.

    Attributes:
        version: another one for each writing of the note.
        body: what it asked for.
        ends_at_ms: from when on it is forgotten, in Unix milliseconds.
        runs_until_ms: until when somebody is at work on it; 0 for nobody.
        key_id: the key that it made or changed, once it did.
        minted: the tags of the secrets of which one may be the key's current one by this request:
            the one that was, and the one that was to take its place.
        base: the tag of the secret that the first of them was to take the place of.
        done: whether it is known to have been done.
    """

    version: str
    body: str
    ends_at_ms: int
    runs_until_ms: int = 0
    key_id: str | None = None
    minted: tuple[str, ...] = ()
    base: str | None = None
    done: bool = False

    def minting(
        self, tag: str, *, key_id: str, base: str | None, current: str | None, version: str
    ) -> Note:
        """The note while a secret of this key is being made for it, in place of the current one."""
        minted = (*(known for known in self.minted if known == current), tag)
        return replace(self, version=version, key_id=key_id, minted=minted, base=base)

    def at_rest(self, *, version: str, done: bool = False) -> Note:
        """The note when nobody is at work on it any more."""
        return replace(self, version=version, runs_until_ms=0, done=done or self.done)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteChange:
    """One note put in place of another, if that is still the one that is kept.

    Attributes:
        seen: the note as it was read; ``None`` when there was none.
        note: what takes its place; ``None`` to forget it.
    """

    request: Repeatable
    seen: Note | None
    note: Note | None


class Notes(Protocol):
    """Where requests that may come again are remembered."""

    def find(self, request: Repeatable) -> Note | None:
        """What is remembered of a request, forgotten or not by now."""

    def change(self, change: NoteChange) -> bool:
        """Make a change; false, and nothing is done, if the note is another one by now."""

    def any_key(self, owner: str, key_id: str) -> ApiKey | None:
        """One of the owner's keys, a revoked one too."""


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
        note = self.note.minting(
            tag, key_id=key_id, base=None, current=None, version=self._version()
        )
        done = note.at_rest(version=note.version, done=True)
        return NoteChange(request=self.request, seen=self.note, note=done)

    def minting(self, key_hash: str, *, key_id: str, base: str | None, current: str) -> None:
        """Remember a secret before it is made: who comes after can tell then that it was.

        Args:
            base: the tag of the secret that the request's first was to take the place of.
            current: the tag of the one that this is to take the place of.

        Raises:
            StillRunning: somebody else is at work on it by now.
        """
        note = self.note.minting(
            tag_of(key_hash), key_id=key_id, base=base, current=current, version=self._version()
        )
        self._put(note)

    def rest(self, *, done: bool = False) -> None:
        """Let others at it. What does not get through runs out by itself.

        Args:
            done: whether the request is known to have been done.
        """
        with suppress(Fault, StillRunning):
            self._put(self.note.at_rest(version=self._version(), done=done))

    def forget(self) -> None:
        """Forget the request: it came to nothing."""
        change = NoteChange(request=self.request, seen=self.note, note=None)
        with suppress(Fault):
            self._notes.change(change)

    def _put(self, note: Note) -> None:
        if not self._notes.change(NoteChange(request=self.request, seen=self.note, note=note)):
            raise StillRunning
        self.note = note
