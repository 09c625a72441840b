"""Acts on leaked keys: each is disabled, revoked or told of, as the deployment wants, once.

A secret counts while it can be used, or could be again: the current one of a key that is not
revoked, and a former one in its grace. One whose grace is over opens nothing: nobody is disturbed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from chatgrid_auth.domain import audit
from chatgrid_auth.domain.actors import Actor
from chatgrid_auth.domain.audit import AuditEvent, Changes
from chatgrid_auth.services.leaks.reports import MOST_AT_ONCE, Sighting

#: What a deployment does with a key that was found.
LeakResponse = Literal["disable", "revoke", "report"]
LEAK_RESPONSES: tuple[LeakResponse, ...] = ("disable", "revoke", "report")
KEY_COMPROMISE = "key_compromise"
_LONGEST_URL = 2_048


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """A key of ours, one of whose secrets was reported.

    Attributes:
        tag: of the secret, by which its key tells it from others.
        counts: whether the secret can be used, or could be again; else the key was never in danger.
    """

    owner: str
    key_id: str
    secret_hash: str
    tag: str
    counts: bool


class ExposedKeys(Protocol):
    """Where keys are looked up by their secrets, and what is done to them."""

    def find(self, hashes: Iterable[str], *, now_ms: int) -> Mapping[str, Exposed]:
        """Those of up to 100 secrets that are ours, by hash."""

    def disable(self, exposed: Exposed, event: AuditEvent) -> bool:
        """Disable the key, if it is enabled; whether this call did it."""

    def note(self, exposed: Exposed, event: AuditEvent) -> bool:
        """Tell the audit log, once for each secret; whether this call did it."""

    def revoke(self, exposed: Exposed, event: AuditEvent) -> bool:
        """Revoke the key; whether this call did it."""


class Leaks:
    """Looks reported secrets up and acts on those that are ours.

    Args:
        keys: where keys are.
        response: what is done to a key that was found.
        now_ms: the clock, in Unix milliseconds.
    """

    def __init__(
        self, keys: ExposedKeys, *, response: LeakResponse, now_ms: Callable[[], int]
    ) -> None:
        self._keys = keys
        self._response = response
        self._now_ms = now_ms

    def act(self, sightings: Iterable[Sighting], *, actor: Actor) -> frozenset[str]:
        """Act on what is ours; the hashes of that, whatever became of its keys before.

        Every key is tried, also when another one fails.

        Args:
            actor: who acts. Of a report that anybody makes that is the system, and the request's
                id is all that is kept: a finder owes nobody a name.

        Raises:
            StoreUnavailable: some may be left; a repetition makes good.
        """
        by_hash = {one.secret_hash: one for one in reversed(list(sightings))}
        hashes = list(by_hash)
        ours: set[str] = set()
        fault: Exception | None = None
        for first in range(0, len(hashes), MOST_AT_ONCE):
            part = hashes[first : first + MOST_AT_ONCE]
            found = self._keys.find(part, now_ms=self._now_ms())
            ours |= found.keys()
            for key_hash, exposed in found.items():
                if not exposed.counts:
                    continue
                try:
                    self._act(exposed, self._event(exposed, by_hash[key_hash].url, actor))
                except Exception as failed:  # raised below: the other keys come first
                    fault = fault or failed
        if fault is not None:
            raise fault
        return frozenset(ours)

    def _act(self, exposed: Exposed, event: AuditEvent) -> None:
        match self._response:
            case "disable":
                if not self._keys.disable(exposed, event):
                    self._keys.note(exposed, event)
            case "report":
                self._keys.note(exposed, event)
            case "revoke":
                self._keys.revoke(exposed, _revocation(event))

    def _event(self, exposed: Exposed, url: str | None, actor: Actor) -> AuditEvent:
        told = _presentable(url)
        return AuditEvent(
            action=audit.EXPOSED,
            owner=exposed.owner,
            target_id=exposed.key_id,
            actor=actor,
            at_ms=self._now_ms(),
            changes={audit.EXPOSED_URL: {"from": None, "to": told}} if told else {},
        )


def _revocation(event: AuditEvent) -> AuditEvent:
    """The one entry of a key that is revoked; where no URL was told, it says so."""
    reason: Changes = {audit.REVOCATION_REASON: {"from": None, "to": KEY_COMPROMISE}}
    changes: Changes = {**reason, audit.EXPOSED_URL: {"from": None, "to": None}, **event.changes}
    return replace(event, action=audit.REVOKED, changes=changes)


def _presentable(url: str | None) -> str | None:
    if not url or not url.isprintable() or not url.isascii():
        return None
    return url[:_LONGEST_URL]
