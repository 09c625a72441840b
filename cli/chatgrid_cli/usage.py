"""``chatgrid usage``: how often a key, a user's keys and sessions, or everybody's were used."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.usage_table.usage_reader import UsageTable
from chatgrid_auth.services.instants import iso_instant
from chatgrid_auth.services.usage.buckets import LENGTH_MS
from chatgrid_auth.services.usage.reports import BadSpan, Report, report, span_of
from chatgrid_cli.commands import command
from chatgrid_cli.output import Output
from chatgrid_cli.stacks import Stack
from chatgrid_cli.values import Since, now_ms, uuid

_BAR = 24
_EIGHTHS = " ▏▎▍▌▋▊▉█"
#: The longest time that is told by the minute, and by the hour, where nobody says by what.
_BY_THE_MINUTE_MS, _BY_THE_HOUR_MS = 2 * LENGTH_MS["hour"], 2 * LENGTH_MS["day"]


def register(root: typer.Typer) -> None:
    """Add the command."""
    command(root, "usage")(usage)


def usage(
    stack: Stack,
    out: Output,
    key_id: Annotated[
        str | None,
        typer.Argument(parser=uuid, metavar="[KEY_ID]", help="One key's, by its id."),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option("--user", parser=uuid, metavar="UUID", help="One user's keys and sessions."),
    ] = None,
    since: Since = None,
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="LENGTH", help="minute, hour or day; by default as it fits."),
    ] = None,
) -> None:
    """Show how often a key, a user or the whole deployment was used, and on which routes."""
    if key_id is not None and user is not None:
        raise typer.BadParameter("a key or a user, not both", param_hint="'--user'")
    told = _told(stack, key_id, user, since=since, by=by)
    if out.as_json:
        out.document("usage", _document(told))
        return
    busy = [bucket for bucket in told.buckets if any(bucket.counts.values())]
    if not busy:
        out.text("No requests in this time. What is told is up to three minutes behind.")
        return
    most = max(_requests(bucket.counts) for bucket in told.buckets)
    out.listing(
        [
            {
                "at": iso_instant(bucket.start_ms).replace(":00.000Z", "Z"),
                **bucket.counts,
                "requests": _bar(_requests(bucket.counts), most),
            }
            for bucket in told.buckets
        ]
    )
    out.text("")
    out.listing([{"route": route, **counts} for route, counts in told.routes])


def _told(
    stack: Stack, key_id: str | None, user: str | None, *, since: int | None, by: str | None
) -> Report:
    moment = now_ms()
    if by is not None and by not in LENGTH_MS:
        raise typer.BadParameter("minute, hour or day", param_hint="'--by'")
    length_ms = LENGTH_MS["day"] if since is None else moment - since
    granularity = by or (
        "minute"
        if length_ms <= _BY_THE_MINUTE_MS
        else "hour"
        if length_ms <= _BY_THE_HOUR_MS
        else "day"
    )
    try:
        span = span_of(granularity=granularity, from_ms=since, to_ms=None, now_ms=moment)
    except BadSpan as bad:
        raise typer.BadParameter(
            str(bad)[0].lower() + str(bad)[1:], param_hint="'--since'"
        ) from None
    table = UsageTable(
        Boto3Transport(stack.client("dynamodb")), table=stack.output("UsageTableName")
    )
    asked: dict[str, Any] = {
        "granularity": span.granularity,
        "from_ms": span.from_ms,
        "to_ms": span.to_ms,
    }
    if key_id is not None:
        found = table.of_key(key_id, **asked)
    elif user is not None:
        found = table.of_owner(user, **asked)
    else:
        found = table.of_all(**asked)
    return report(found, span)


def _document(told: Report) -> dict[str, object]:
    return {
        "granularity": told.span.granularity,
        "from": iso_instant(told.span.from_ms),
        "to": iso_instant(told.span.to_ms),
        "buckets": [
            {"at": iso_instant(bucket.start_ms), **bucket.counts} for bucket in told.buckets
        ],
        "routes": [{"route": route, **counts} for route, counts in told.routes],
    }


def _requests(counts: Any) -> int:
    return int(counts["allowed"] + counts["refused"])


def _bar(requests: int, most: int) -> str:
    """A bar as long as the number is, in eighths of a character."""
    eighths = -(-requests * _BAR * 8 // most)  # what is there is seen
    return _EIGHTHS[8] * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
