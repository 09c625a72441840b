"""What keeping usage plans in step works with: its values, and its ports to the outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from chatgrid_auth.domain.usage_keys import ControlPlaneError, GatewayKey, name_of

Action = Literal["provision", "retire"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """The usage plan that keys belong to, and which keys are made for it.

    Attributes:
        plan: its id.
        stack: the stack's name: its keys are tagged with it, and their names start so.
        most_keys: gateway keys that the plan may hold, the tier's shared one among them.
        own_keys: whether ChatGrid keys get gateway keys of their own at all.
    """

    plan: str
    stack: str
    most_keys: int
    own_keys: bool = True

    def name_of(self, key_id: str) -> str:
        """The name of the API Gateway key that serves this ChatGrid key."""
        return name_of(key_id, prefix=self.stack)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One ChatGrid key's entry in the queue.

    `value` is set once chosen, `ready_at_ms` once the API Gateway key is whole. Of a key of which
    nothing but the API Gateway key is left, `key_hash` is unknown and `owner` empty.
    """

    key_id: str
    action: Action
    owner: str
    key_hash: str | None
    value: str | None = field(default=None, repr=False)
    ready_at_ms: int | None = None


@dataclass(slots=True, kw_only=True)
class RunSummary:
    """What one run saw and did; a dry run counts what it would have done.

    `skipped` is 1 for a run that left everything to another one, which was under way.
    """

    created: int = 0
    activated: int = 0
    retired: int = 0
    missing: int = 0
    orphaned: int = 0
    disabled: int = 0
    detached: int = 0
    unidentified: int = 0
    held: int = 0
    ceiling: int = 0
    unfinished: int = 0
    noticed: int = 0
    dormant: int = 0
    throttled: int = 0
    failed: int = 0
    queue_depth: int = 0
    sweeps: int = 0
    skipped: int = 0
    faults: list[str] = field(default_factory=list)

    def fault(self, error: ControlPlaneError) -> None:
        """Count a fault, and keep its operation and code (never a value) for the log."""
        self.failed += 1
        self.faults.append(str(error))


class ControlPlane(Protocol):
    """API Gateway's keys and plans; each method is one call, and may raise ControlPlaneError."""

    def find(self, name: str) -> list[GatewayKey]:
        """The keys of exactly this name."""

    def create(self, name: str, *, value: str, description: str) -> GatewayKey:
        """A new, enabled key, tagged as this stack's.

        Raises:
            ControlPlaneConflict: a key with this value exists, or another change is under way.
            KeyCeilingReached: the account can hold no more.
        """

    def enable(self, gateway_id: str) -> None:
        """Enable a key."""

    def disable(self, gateway_id: str) -> None:
        """Disable a key; one that is gone is disabled enough."""

    def delete(self, gateway_id: str) -> None:
        """Delete a key, and take it from its plans; one that is gone is deleted enough."""

    def attach(self, gateway_id: str, *, plan: str) -> None:
        """Put a key into a plan.

        Raises:
            ControlPlaneConflict: it is in this plan already, or in another one of the same stage,
                or another key is being put into a plan, anywhere in the account.
        """

    def is_in(self, gateway_id: str, *, plan: str) -> bool:
        """Whether a key is in a plan."""

    def plans_of(self, gateway_id: str) -> list[str]:
        """The ids of the plans that a key is in."""

    def keys(self, position: str | None) -> tuple[list[GatewayKey], str | None]:
        """A page of all keys of the account, and where the next one starts."""

    def attached(self, position: str | None, *, plan: str) -> tuple[list[str], str | None]:
        """A page of the ids of a plan's keys, and where the next one starts."""


class PlanQueue(Protocol):
    """The work that waits. Writes hold only while the entry is the one that was read.

    Raises ConditionFailed when the entry is another by now, StoreUnavailable for faults.
    """

    def pending(self, *, first_owner: str) -> list[Work]:
        """What waits, of each owner the oldest keys, up to a bound for each and for all.

        Args:
            first_owner: whose work is read first; the others' follows in the order of their ids,
                and those before this one come last.
        """

    def reserve(self, work: Work, *, value: str) -> str:
        """Write down the value for the key, unless one is written already: the one that holds."""

    def mark_ready(self, work: Work, *, value: str, ready_at_ms: int) -> None:
        """The API Gateway key is complete, and may be used from then on."""

    def add(self, work: Work) -> bool:
        """Leave work for a key unless some waits already; whether it was left."""

    def remove(self, work: Work) -> None:
        """Take the entry out."""


class RunLease(Protocol):
    """Lets one run at a time work. Raises StoreUnavailable for faults."""

    def take(self, *, now_ms: int, until_ms: int) -> bool:
        """Whether this run may work until then: nobody else's lease holds now."""

    def give_back(self, *, until_ms: int) -> None:
        """The run is over; a lease that is another's by now stays."""


class Credentials(Protocol):
    """Which API Gateway key each live credential names."""

    def assign(self, key_hash: str, *, value: str) -> bool:
        """Name this API Gateway key from now on; false when the key is not live any more."""

    def unassign(self, key_hash: str, *, value: str) -> None:
        """Name none from now on, if this one was named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveKey:
    """A ChatGrid key that is not revoked, and the API Gateway key that its credential names.

    `half_revoked`: it is refused already, and the books do not say so yet.

    Attributes:
        enabled: whether it is not disabled.
        uses: when each of its secrets was last used, by what its home calls that; ``None`` for one
            that never was.
        current: what its home calls its current secret, if it was ever rotated.
    """

    key_id: str
    owner: str
    key_hash: str
    expires_at_ms: int | None = None
    usage_key: str | None = field(default=None, repr=False)
    half_revoked: bool = False
    enabled: bool = True
    uses: Mapping[str, int | None] = field(default_factory=dict, hash=False)
    current: str | None = None

    @property
    def last_used_at_ms(self) -> int | None:
        """When it was last used, as far as its home knows, in Unix milliseconds."""
        return max((at for at in self.uses.values() if at is not None), default=None)

    @property
    def seen_alive_ms(self) -> int:
        """The last sign of life that needs no look elsewhere: a use, or its making."""
        digits = self.key_id.replace("-", "")
        # A UUIDv7 begins with the moment of its making; other ids were brought along.
        made_ms = int(digits[:12], 16) if digits[12] == "7" else 0
        return max(made_ms, self.last_used_at_ms or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a sweep has come.

    Attributes:
        cursor: the page of live keys that comes next; ``None`` for the first: nothing is known yet.
        suspects: ids that API Gateway keys are named by, of which there was no record, and which no
            live key that was seen so far has.
    """

    cursor: str | None = None
    suspects: frozenset[str] = frozenset()


class Directory(Credentials, Protocol):
    """All ChatGrid keys. Raises StoreUnavailable for faults."""

    def live(self, cursor: str | None) -> tuple[list[LiveKey], str | None]:
        """A page of live and half revoked keys, in no order, and where the next one starts."""

    def finish_revocation(self, key: LiveKey) -> None:
        """Bring the books of a half revoked key into order, and leave the work that it means."""

    def end_graces(self, now_ms: int) -> int:
        """Tell the audit log of previous secrets whose grace has run out; how many there were."""

    def look_after(
        self,
        page: Sequence[LiveKey],
        summary: RunSummary,
        *,
        now_ms: int,
        check: Callable[[], None],
    ) -> None:
        """Give these keys' notices that are due, and disable those that nobody uses."""

    def recorded(self, keys: Sequence[tuple[str, str]]) -> dict[str, LiveKey]:
        """Of up to 100 (owner, key id), those not revoked at this moment, by key id."""

    def progress(self) -> Progress | None:
        """How far the sweep under way has come; ``None`` when there is none."""

    def advance(self, progress: Progress) -> None:
        """Remember how far the sweep has come."""

    def finish(self) -> None:
        """The sweep is over."""
