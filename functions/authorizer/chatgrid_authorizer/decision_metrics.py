"""What decisions are counted as: gathered in the container, written for many of them at once.

Nothing but a decision writes: there is no thread, which Lambda would freeze in the middle of its
work. The first decision for five seconds writes what there is, itself included; so where requests
are rare, each is written at once, and where they are many, one line stands for up to a hundred.
What came within five seconds after a line waits for the next decision, and ends with a container
that gets none.

The lines are CloudWatch's embedded metric format. It takes up to 100 values of a metric, and one
time for all of them, which may lie two weeks back: values that slept in a frozen container keep
the time at which they were measured.
Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

from json.encoder import encode_basestring_ascii as _quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from chatgrid_authorizer.decision_log import Measured

SERVICE = "authorizer"
#: What each decision is counted as, by outcome, and by outcome and reason; with the units.
METRICS = {"Decisions": "Count", "DecisionMs": "Milliseconds"}
#: What decisions depend on: where there is something to tell, and for all outcomes alike.
SERVICE_METRICS = {"StoreMs": "Milliseconds", "JwksAgeSeconds": "Seconds", "ColdStart": "Count"}
#: How long after a line the next one may wait.
HELD_MS = 5_000
#: How many decisions are held: CloudWatch takes no more values of one metric in a line.
MOST_HELD = 100

_LINE = (
    '{"service":"' + SERVICE + '","outcome":%s,"reason":%s,"Decisions":%d,"DecisionMs":[%s],%s'
    '"_aws":{"Timestamp":%d,"CloudWatchMetrics":[{"Namespace":%s,'
    '"Dimensions":[["service","outcome"],["service","outcome","reason"]],"Metrics":[%s]}%s]}}'
)
_SERVICE_DIRECTIVE = ',{"Namespace":%s,"Dimensions":[["service"]],"Metrics":[%s]}'


def _declared(metrics: dict[str, str], names: Iterable[str]) -> str:
    return ",".join(f'{{"Name":"{name}","Unit":"{metrics[name]}"}}' for name in names)


_DECLARED = _declared(METRICS, METRICS)


class DecisionMetrics:
    """The metrics of one container's decisions.

    Args:
        namespace: where CloudWatch puts them.
    """

    __slots__ = (
        "_count",
        "_jwks_s",
        "_last_ms",
        "_started",
        "_store_ms",
        "_took_ms",
        "_written_ms",
        "namespace",
    )

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self._written_ms = self._last_ms = 0
        self._forget()

    def _forget(self) -> None:
        self._count = 0
        self._started = False
        self._took_ms: dict[tuple[str, str], list[float]] = {}
        self._store_ms: list[float] = []
        self._jwks_s: list[float] = []

    def record(
        self, named: tuple[str, str], measured: Measured, jwks_age_ms: int | None = None
    ) -> list[str]:
        """Count a decision.

        Args:
            named: its outcome and its reason, as in the decision's line.
            measured: when it was, and what it took.
            jwks_age_ms: how old the key set was that vouched for the caller, if one did.

        Returns:
            The lines that are to be written now; mostly none.
        """
        now_ms = measured.now_ms
        lines: list[str] = []
        # A clock that was set back makes a line due, too.
        is_due = not 0 <= now_ms - self._written_ms < HELD_MS
        if is_due and self._count and not 0 <= now_ms - self._last_ms < HELD_MS:
            lines = self._take()  # the container slept since: these have a time of their own
        self._add(named, measured, jwks_age_ms)
        if is_due or self._count >= MOST_HELD:
            lines += self._take()
            self._written_ms = now_ms
        return lines

    def _add(self, named: tuple[str, str], measured: Measured, jwks_age_ms: int | None) -> None:
        took_ms = self._took_ms.get(named)
        if took_ms is None:
            took_ms = self._took_ms[named] = []
        took_ms.append(measured.took_ms)
        if measured.store_ms:
            self._store_ms.append(measured.store_ms)
        if jwks_age_ms is not None:
            self._jwks_s.append(jwks_age_ms / 1000)
        if measured.cold_start:
            self._started = True
        self._count += 1
        self._last_ms = measured.now_ms

    def _take(self) -> list[str]:
        """A line for each outcome and reason that is held; then none is."""
        values, directive = self._of_the_service()
        lines = []
        for (outcome, reason), took_ms in self._took_ms.items():
            lines.append(
                _LINE
                % (
                    _quote(outcome),
                    _quote(reason),
                    len(took_ms),
                    _numbers(took_ms),
                    values,
                    self._last_ms,
                    _quote(self.namespace),
                    _DECLARED,
                    directive,
                )
            )
            values = directive = ""  # the first line has told them
        self._forget()
        return lines

    def _of_the_service(self) -> tuple[str, str]:
        """The values that there are of ``SERVICE_METRICS``, and the directive that names them."""
        told = {
            "StoreMs": f"[{_numbers(self._store_ms)}]" if self._store_ms else "",
            "JwksAgeSeconds": f"[{_numbers(self._jwks_s)}]" if self._jwks_s else "",
            "ColdStart": "1" if self._started else "",
        }
        there = {name: value for name, value in told.items() if value}
        if not there:  # a directive without a metric is none that CloudWatch's format has
            return "", ""
        values = "".join([f'"{name}":{value},' for name, value in there.items()])
        return values, _SERVICE_DIRECTIVE % (
            _quote(self.namespace),
            _declared(SERVICE_METRICS, there),
        )


def _numbers(values: list[float]) -> str:
    return ",".join([f"{value:.2f}" for value in values])
