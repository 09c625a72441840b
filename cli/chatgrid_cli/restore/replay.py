"""``chatgrid restore replay``: what a restored table does not know is done again.

Revocations, and changes of settings; a key that was given another secret is listed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from chatgrid_auth.adapters.audit_table.inventory import AuditInventory
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.key_inventory import KeyInventory
from chatgrid_auth.domain.audit import CREATED, REVOKED, UPDATED, Entry
from chatgrid_auth.domain.identifiers import canonical_id
from chatgrid_auth.domain.key_errors import NotFound
from chatgrid_auth.services.instants import instant_ms
from chatgrid_auth.services.key_rules import InvalidKey
from chatgrid_cli.commands import command, group
from chatgrid_cli.keys.confirming import YesOption, confirm
from chatgrid_cli.keys.issuing import api_keys, key_changes, key_store
from chatgrid_cli.output import Output
from chatgrid_cli.restore.changes import OF_SETTINGS, make_again, missing, told_of
from chatgrid_cli.stacks import Stack
from chatgrid_cli.store_clock import store_clock
from chatgrid_cli.values import read_instant

#: What a restored table knows of by itself, or is told of here.
_MADE_OR_GONE = {CREATED, REVOKED}

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
    since: Annotated[
        int | None,
        typer.Option(
            "--since",
            parser=_since,
            metavar="TIME",
            help="What was done from then on: the restore point or earlier.",
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
    """Revoke and change again what was revoked and changed since, by the audit log.

    Give it the restored table before the stack works on it. It may be called again at any time:
    what is done stays so. Keys that got another secret since are listed, to be looked at.
    """
    name = table or stack.keys_table
    client = stack.client("dynamodb")
    audit = AuditInventory(Boto3Transport(client), table=stack.audit_table)
    summary = _Summary(audit.every_entry(), KeyInventory(client, table=name), since=since)
    living, changed = summary.to_revoke, summary.to_change
    if (living or changed) and not dry_run:
        confirm(
            out,
            f"{len(living)} keys that the audit log tells were revoked are alive in {name},"
            f" and {len(changed)} are not as they were changed",
            "Revoke them again, for good, and change them again?",
            yes=yes,
        )
        service = api_keys(stack, store=key_store(stack, table=name))
        for owner, key_id in living:
            try:
                service.revoke(owner, key_id)
            except NotFound:  # somebody else was faster
                continue
        with store_clock(client) as clock:
            changes = key_changes(stack, clock=clock, table=name)
            for key, wanted in changed:
                try:
                    make_again(changes, key, wanted)
                except (InvalidKey, NotFound):
                    summary.changed.append((key.id, UPDATED))
    _tell(out, summary, name, dry_run=dry_run)


class _Summary:
    """What the audit log tells beside what the table knows."""

    def __init__(
        self, entries: Iterable[Entry], inventory: KeyInventory, *, since: int | None
    ) -> None:
        past = [told for entry in entries if (told := _told_since(entry, since)) is not None]
        revoked = {(owner, key_id) for owner, key_id, action, _ in past if action == REVOKED}
        alive, known = set(), set()
        for owner in sorted({owner for owner, _ in revoked}):
            for stored in inventory.keys_of(owner, revoked=True):
                known.add((owner, stored.key.id))
                if stored.revoked_at_ms is None:
                    alive.add((owner, stored.key.id))
        self.to_revoke = sorted(revoked & alive)
        self.already = len(revoked & known - alive)
        self.unknown = len(revoked - known)
        settled: dict[tuple[str, str], dict[str, Any]] = {}
        changed = set()
        for owner, key_id, action, entry in past:
            found = told_of(entry.document) if action in OF_SETTINGS else None
            if (owner, key_id) in revoked or action in _MADE_OR_GONE:
                continue
            if found is None:
                changed.add((key_id, action))
            else:
                settled.setdefault((owner, key_id), {}).update(found)
        self.to_change = [
            (stored.key, wanted)
            for owner in sorted({owner for owner, _ in settled})
            for stored in inventory.keys_of(owner)
            if (wanted := missing(stored.key, settled.get((owner, stored.key.id), {})))
        ]
        self.changed = sorted(changed)


def _told_since(entry: Entry, since: int | None) -> tuple[str, str, str, Entry] | None:
    """Owner, key and action of an entry from then on; nothing of one that somebody has spoiled."""
    told = entry.document
    try:
        at_ms, key_id = instant_ms(told["created_at"]), canonical_id(told["target"]["id"])
        action = str(told["action"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    if key_id is None or (since is not None and at_ms < since):
        return None
    return entry.owner, key_id, action, entry


def _tell(out: Output, summary: _Summary, table: str, *, dry_run: bool) -> None:
    done = "would be revoked" if dry_run else "are revoked"
    changed = "would be changed" if dry_run else "are changed"
    counts = (
        f"{len(summary.to_revoke)} keys of {table} {done} again, {len(summary.to_change)} {changed}"
    )
    out.done(counts)
    if out.as_json:
        out.document(
            "restore_replay",
            {
                "table": table,
                "dry_run": dry_run,
                "revoked": [key_id for _, key_id in summary.to_revoke],
                "changed": [
                    {"id": key.id, "fields": sorted(wanted)} for key, wanted in summary.to_change
                ],
                "already_revoked": summary.already,
                "not_in_table": summary.unknown,
                "changes_to_check": [
                    {"id": key_id, "action": action} for key_id, action in summary.changed
                ],
            },
        )
        return
    out.text(
        f"{counts}; {summary.already} were revoked already;"
        f" {summary.unknown} are not there (made after the restore point)."
    )
    for _, key_id in summary.to_revoke:
        out.text(f"  {key_id}")
    for key, wanted in summary.to_change:
        out.text(f"  {key.id}  {', '.join(sorted(wanted))}")
    if summary.changed:
        out.text("Changed since otherwise; `chatgrid audit list` tells how. Look at them:")
        for key_id, action in summary.changed:
            out.text(f"  {key_id}  {action}")
