"""A function's logger, tracer and metrics: Powertools', all under one service's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger, Metrics, Tracer

from chatgrid_auth import settings

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """What a function tells of itself, and under which name.

    Attributes:
        service: the field ``service`` of its log and the dimension ``service`` of its metrics.
        namespace: where CloudWatch puts the metrics.
        level: the least level that is logged.
    """

    service: str
    namespace: str
    level: str

    def logger(self) -> Logger:
        """The function's log."""
        return Logger(service=self.service, level=self.level)

    def metrics(self) -> Metrics:
        """The function's metrics."""
        return Metrics(service=self.service, namespace=self.namespace)

    def tracer(self) -> Tracer:
        """The function's X-Ray segments: the SDK takes longer to load than the rest of it."""
        return Tracer(service=self.service, auto_patch=False)


def read_telemetry(environ: Mapping[str, str]) -> Telemetry:
    """As the variables say that Powertools reads too.

    Raises:
        SettingError: names the variable that is missing or unusable.
    """
    return Telemetry(
        service=settings.text(environ, "POWERTOOLS_SERVICE_NAME"),
        namespace=settings.text(environ, "POWERTOOLS_METRICS_NAMESPACE"),
        level=settings.log_level(environ, "POWERTOOLS_LOG_LEVEL"),
    )
