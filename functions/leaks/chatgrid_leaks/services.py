"""What the leak routes work with, put together by ``wiring`` and held by the app."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Depends, Request

from chatgrid_auth.services.leaks.acting import Leaks


class Signatures(Protocol):
    """Tells reports of GitHub's from others."""

    def hold(self, body: bytes, *, key_id: str | None, signature: str | None, now_ms: int) -> bool:
        """Whether GitHub signed this body. Raises IdentityProviderUnavailable."""


class ReportQueue(Protocol):
    """Where reports wait that nobody waits for."""

    def put(self, hashes: list[str], *, request_id: str | None) -> None:
        """Leave a report. Raises StoreUnavailable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporting:
    """The services behind the routes.

    Attributes:
        queue: takes what anybody reports, to be acted upon when the response is out.
        github: makes what tells GitHub's reports from others, when the first one comes.
        leaks: acts.
        imported: whether keys that another system issued are looked up.
        now_ms: the clock, in Unix milliseconds.
    """

    queue: ReportQueue
    github: Callable[[], Signatures]
    leaks: Leaks
    imported: bool
    now_ms: Callable[[], int]


async def _reporting(request: Request) -> Reporting:
    services: Reporting = request.app.state.reporting
    return services


async def _request_id(request: Request) -> str | None:
    told: str | None = request.scope["aws.event"]["requestContext"].get("requestId")
    return told


Services = Annotated[Reporting, Depends(_reporting)]
RequestId = Annotated[str | None, Depends(_request_id)]
