"""The usage function's composition root: the only reader of its environment."""

from __future__ import annotations

import os
import sys

from chatgrid_auth import settings
from chatgrid_auth.adapters.awslite.credential_chain import credentials_from
from chatgrid_auth.adapters.awslite.dynamodb import DynamoDB
from chatgrid_auth.adapters.usage_table.arrivals import Arrivals
from chatgrid_auth.adapters.usage_table.folding import Folding
from chatgrid_auth.domain import errors
from chatgrid_usage.counting import Counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def start(environ: Mapping[str, str] = os.environ) -> Counter:
    """The counter of this container.

    Raises:
        SettingError: an environment variable is missing or not usable.
    """
    dynamodb = DynamoDB(
        region=settings.text(environ, "AWS_REGION"),
        credentials=credentials_from(environ),
        errors=errors,
        endpoint=environ.get("AWS_ENDPOINT_URL_DYNAMODB"),
    )
    table = settings.text(environ, "USAGE_TABLE")
    audit_table = settings.text(environ, "AUDIT_TABLE")
    now_ms = dynamodb.clock.now_ms

    def tell_of_canaries(lines: Iterable[tuple[int, str]]) -> None:
        from chatgrid_auth.adapters.audit_table import canary_notices  # noqa: PLC0415 - hardly ever

        canary_notices.give(dynamodb, lines, table=audit_table)

    return Counter(
        arrivals=Arrivals(dynamodb, table=table),
        folding=Folding(dynamodb, table=table, now_ms=now_ms),
        tell_of_canaries=tell_of_canaries,
        now_ms=now_ms,
        log=_line,
    )


def _line(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
