"""All that answering one event takes, built once by ``wiring``."""

from __future__ import annotations

from chatgrid_authorizer.decision_metrics import DecisionMetrics

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from chatgrid_auth.services.gate.authenticate import Authenticator
    from chatgrid_auth.services.gate.metered import MeteredGate
    from chatgrid_auth.services.gate.requests import Routes
    from chatgrid_authorizer.edge import ClosedPlan
    from chatgrid_authorizer.event import SourceRule


class Gate:
    """All that the handler works with.

    Attributes:
        authenticator: gives the verdicts.
        now_ms: the clock, in Unix milliseconds.
        elapsed_ms: a clock that only goes forward, for durations.
        store_waited_ms: how long this container has waited for the store until now, in all.
        log: writes one line.
        metrics: what the decisions are counted as.
        routes: what the routes of the API need.
        source_of: which address counts behind trusted proxies; ``None`` without any.
        dearest: the highest cost of a request in this deployment.
        glances: gives what gives the same verdicts and counts nothing.
        closed: what API Gateway refuses by itself of requests over a limit; ``None`` for nothing.
        cold: whether no request was decided yet.
    """

    __slots__ = (
        "authenticator",
        "closed",
        "cold",
        "dearest",
        "elapsed_ms",
        "glances",
        "log",
        "metrics",
        "now_ms",
        "routes",
        "source_of",
        "store_waited_ms",
    )

    def __init__(  # noqa: PLR0913 - all that the handler works with
        self,
        *,
        authenticator: Authenticator | MeteredGate,
        now_ms: Callable[[], int],
        elapsed_ms: Callable[[], float],
        store_waited_ms: Callable[[], float],
        log: Callable[[str], None],
        metrics_namespace: str,
        routes: Routes,
        source_of: SourceRule | None = None,
        dearest: int = 1,
        glances: Callable[[], Authenticator | MeteredGate] | None = None,
        closed: ClosedPlan | None = None,
    ) -> None:
        self.authenticator = authenticator
        self.now_ms = now_ms
        self.elapsed_ms = elapsed_ms
        self.store_waited_ms = store_waited_ms
        self.log = log
        self.metrics = DecisionMetrics(metrics_namespace)
        self.routes = routes
        self.source_of = source_of
        self.dearest = dearest
        self.glances = glances
        self.closed = closed
        self.cold = True
