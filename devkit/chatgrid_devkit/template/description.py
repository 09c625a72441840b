"""What the local gateway knows of a deployment: plain values, with nothing left to resolve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A Lambda function: its code on disk, and the environment that the template gives it."""

    name: str
    logical_id: str
    arn: str
    handler: str
    code: Path
    layers: tuple[Path, ...]
    timeout_seconds: float
    memory_mb: int
    environment: Mapping[str, str]
    runtime: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mock:
    """A fixed answer (SAM's CORS preflight)."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one resource; `method` is `ANY` for all that are not named otherwise."""

    method: str
    resource: str
    authorizer: str | None
    key_required: bool
    function: str | None
    mock: Mock | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorizer:
    """A Lambda authorizer. `identity_headers` must all be present for it to be called."""

    function: str
    kind: str
    identity_headers: tuple[str, ...]
    validation: str | None
    ttl_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayResponse:
    """What the template sets for one type of gateway response; `None` leaves AWS's default."""

    status: int | None
    headers: Mapping[str, str]
    template: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """A token bucket: `rate_per_second` refills it, `burst` is what it holds."""

    rate_per_second: float
    burst: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """At most `limit` requests in each DAY, WEEK or MONTH (UTC)."""

    limit: int
    period: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePlan:
    """A usage plan that covers this stage."""

    id: str
    name: str
    throttle: Throttle | None = None
    quota: Quota | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageKey:
    """An API Gateway key; without a plan it opens nothing."""

    id: str
    value: str = field(repr=False)
    name: str = ""
    enabled: bool = True
    plan: UsagePlan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A DynamoDB table, with the properties that CreateTable and UpdateTimeToLive take."""

    logical_id: str
    name: str
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A secret of Secrets Manager, with what the template wants of the text that is made for it."""

    logical_id: str
    name: str
    wanted: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A function that EventBridge calls every so often."""

    function: str
    every_seconds: float
    input: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSource:
    """A queue whose messages are handed to a function."""

    queue: str
    function: str
    most_at_once: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What one function prints is handed to another.

    Attributes:
        printer: the logical id of the function that prints.
        function: the name of the one that is called.
    """

    printer: str
    function: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """A REST API with its one stage."""

    id: str
    logical_id: str
    stage: str
    key_source: str
    routes: Sequence[Route]
    authorizers: Mapping[str, Authorizer]
    responses: Mapping[str, GatewayResponse]
    binary_media_types: tuple[str, ...] = ()
    throttle: Throttle | None = None
    minimum_compression_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Everything that a template deploys, as far as a local run needs it.

    Attributes:
        functions: by name.
        plans: by logical id.
        queues: their logical ids.
        exports: what other stacks may import, by name.
    """

    name: str
    region: str
    account: str
    api: Api
    functions: Mapping[str, Function]
    plans: Mapping[str, UsagePlan]
    keys: tuple[UsageKey, ...]
    tables: tuple[Table, ...]
    schedules: tuple[Schedule, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    queues: tuple[str, ...] = ()
    queue_sources: tuple[QueueSource, ...] = ()
    secrets: tuple[Secret, ...] = ()
    root: Path = field(default_factory=Path)
    exports: Mapping[str, str] = field(default_factory=dict)
