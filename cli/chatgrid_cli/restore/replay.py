"""``chatgrid restore replay``: revocations that a restored table does not know are made again."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from chatgrid_auth.adapters.keys_table.key_inventory import KeyInventory
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.domain.audit import REVOKED, UPDATED
from chatgrid_auth.domain.errors import NotFound
from chatgrid_cli.commands import command, group
from chatgrid_cli.errors import FAULT, USAGE, CliError
from chatgrid_cli.keys.confirming import YesOption, confirm
from chatgrid_cli.keys.issuing import api_keys
from chatgrid_cli.output import Output
from chatgrid_cli.restore.events import FILTER, PastEvent, events_in, read_export
from chatgrid_cli.stacks import Stack
from chatgrid_cli.trail import OperatorTrail
from chatgrid_cli.values import read_instant

app = group("After a table was restored from a backup.")


def register(root: typer.Typer) -> None:
    """Add the group."""
    root.add_typer(app, name="restore")


@app.callback()
def restore() -> None:
    """After a table was restored from a backup."""  # keeps the one command below a command


def _since(text: str) -> int:
    try:
        return read_instant(text)
    except ValueError:
        raise typer.BadParameter("an ISO 8601 time with an offset: 2030-01-31T12:00:00Z") from None


@command(app, "replay")
def replay(
    stack: Stack,
    out: Output,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="Exported log lines; - for standard input."),
    ] = None,
    log_group: Annotated[
        str | None,
        typer.Option("--log-group", metavar="NAME", help="Read this log group in place of a file."),
    ] = None,
    since: Annotated[
        int | None,
        typer.Option(
            "--since",
            parser=_since,
            metavar="TIME",
            help="Of the log group, what came from then on: the restore point or earlier.",
        ),
    ] = None,
    table: Annotated[
        str | None,
        typer.Option(
            "--table", metavar="NAME", help="The restored table; by default the stack's own."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be done, and do nothing.")
    ] = False,
    yes: YesOption = False,
) -> None:
    """Revoke again what was revoked since the restore point, by the management function's log.

    Give it the restored table before the stack works on it. It may be called again at any time:
    what is revoked stays so. Limits that were changed since are listed, to be set by hand.
    """
    if (file is None) == (log_group is None) or (since is not None and log_group is None):
        raise CliError(
            "name either FILE or --log-group; --since goes with the latter",
            code="wrong_usage",
            exit_code=USAGE,
        )
    name = table or stack.keys_table
    events = _of_file(file) if file is not None else _of_log(stack, log_group or "", since)
    past = list(dict.fromkeys(events))  # each once, in their order
    summary = _Summary(past, KeyInventory(stack.client("dynamodb"), table=name))
    living = summary.to_revoke
    if living and not dry_run:
        confirm(
            out,
            f"{len(living)} keys that the log tells were revoked are alive in {name}",
            "Revoke them again, for good?",
            yes=yes,
        )
        store = DynamoKeyStore(
            stack.client("dynamodb"),
            table=name,
            audit_table=stack.audit_table,
            anchor=OperatorTrail(stack),
            pause=time.sleep,
        )
        service = api_keys(stack, store=store)
        for owner, key_id in living:
            try:
                service.revoke(owner, key_id)
            except NotFound:  # somebody else was faster
                continue
    _tell(out, summary, name, dry_run=dry_run)


class _Summary:
    """What the log tells beside what the table knows."""

    def __init__(self, past: list[PastEvent], inventory: KeyInventory) -> None:
        revoked = {(e.owner, e.key_id) for e in past if e.event == REVOKED}
        alive, known = set(), set()
        for owner in sorted({owner for owner, _ in revoked}):
            for stored in inventory.keys_of(owner, revoked=True):
                known.add((owner, stored.key.id))
                if stored.revoked_at_ms is None:
                    alive.add((owner, stored.key.id))
        self.to_revoke = sorted(revoked & alive)
        self.already = len(revoked & known - alive)
        self.unknown = len(revoked - known)
        changed = {(e.owner, e.key_id) for e in past if e.event == UPDATED}
        self.limits = sorted(key_id for _, key_id in changed - revoked)


def _tell(out: Output, summary: _Summary, table: str, *, dry_run: bool) -> None:
    done = "would be revoked" if dry_run else "are revoked"
    out.done(f"{len(summary.to_revoke)} keys of {table} {done} again")
    if out.as_json:
        out.document(
            "restore_replay",
            {
                "table": table,
                "dry_run": dry_run,
                "revoked": [key_id for _, key_id in summary.to_revoke],
                "already_revoked": summary.already,
                "not_in_table": summary.unknown,
                "limits_to_check": summary.limits,
            },
        )
        return
    out.text(
        f"{len(summary.to_revoke)} keys of {table} {done} again; {summary.already} were already;"
        f" {summary.unknown} are not there (made after the restore point)."
    )
    for _, key_id in summary.to_revoke:
        out.text(f"  {key_id}")
    if summary.limits:
        out.text("Limits changed since; the log does not tell to what. Look at them:")
        for key_id in summary.limits:
            out.text(f"  {key_id}")


def _of_file(file: Path) -> list[PastEvent]:
    try:
        if str(file) == "-":
            return list(read_export(sys.stdin))
        with file.open(encoding="utf-8", errors="replace") as stream:
            return list(read_export(stream))
    except ValueError:
        raise CliError(f"{file} holds no JSON", code="bad_file") from None
    except OSError as error:
        raise CliError(
            f"{file} cannot be read: {error.strerror}", code="file_error", exit_code=FAULT
        ) from None


def _of_log(stack: Stack, log_group: str, since: int | None) -> Iterator[PastEvent]:
    logs: Any = stack.client("logs")
    where: dict[str, Any] = {"logGroupName": log_group, "filterPattern": FILTER}
    if since is not None:
        where["startTime"] = since
    for page in logs.get_paginator("filter_log_events").paginate(**where):
        yield from events_in([page])
