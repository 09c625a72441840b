"""``chatgrid audit list|verify|export``: the entries of one user or of all, read and checked."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from chatgrid_auth.adapters.audit_table.inventory import AuditInventory
from chatgrid_auth.adapters.audit_table.trail import AuditTrail
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.domain.audit import Entry
from chatgrid_cli.audit.anchors import Anchor, read_anchors
from chatgrid_cli.commands import command, group
from chatgrid_cli.errors import FAULT, CliError
from chatgrid_cli.files import create_private, unwritable
from chatgrid_cli.output import Output, counted
from chatgrid_cli.stacks import Stack

app = group("Who did what to keys, and whether the record of it is whole.")

MaybeOwner = Annotated[
    str | None, typer.Option("--owner", metavar="USER", help="One user's; else those of all.")
]


def register(root: typer.Typer) -> None:
    """Add the group."""
    root.add_typer(app, name="audit")


@command(app, "list")
def list_entries(
    stack: Stack,
    out: Output,
    owner: MaybeOwner = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=1_000_000, help="How many at most.")
    ] = 100,
) -> None:
    """List entries: one user's the newest first, or those of all users.

    All users come in no order, the entries of each together, the oldest first.
    """
    found = list(islice(_newest(stack, owner), limit + 1))
    shown = found[:limit]
    if out.as_json:
        data = [{**entry.document, "owner": entry.owner} for entry in shown]
        out.document("list", data, has_more=len(found) > limit)
    elif not shown:
        out.text("No entries.")
    else:
        out.listing([_row(entry) for entry in shown])
        if len(found) > limit:
            out.note(f"There are more: --limit shows more than {limit}.")


@command(app, "verify")
def verify(
    stack: Stack,
    out: Output,
    owner: MaybeOwner = None,
    anchors: Annotated[
        Path | None,
        typer.Option(
            "--anchors",
            metavar="FILE",
            help="Exported lines of the functions' logs: each hash there has to be in the table.",
        ),
    ] = None,
) -> None:
    """Read every entry, and name the first of each user at which the chain does not hold.

    Exit code 1 if there is one. A chain that was written anew as a whole holds in itself: --anchors
    compares it with what the logs have kept, and tells how many entries they kept. A file without
    an anchor is refused.
    """
    transport = Boto3Transport(stack.client("dynamodb"))
    trail = AuditTrail(transport, table=stack.audit_table)
    known = _anchors(anchors, owner) if anchors is not None else []
    inventory = AuditInventory(transport, table=stack.audit_table)
    everybody = {*inventory.owners(), *(anchor.owner for anchor in known)}
    owners = [owner] if owner is not None else sorted(everybody)
    entries, anchored, broken = 0, 0, {}
    for one in owners:
        found = trail.verify(one)
        entries += found.entries
        agreed, contradicted = _compared(trail, one, known)
        anchored += len(agreed)
        suspects = [found.first_broken_seq, *contradicted]
        numbers = [number for number in suspects if number is not None]
        if numbers:
            broken[one] = min(numbers)
    _tell(
        out,
        entries=entries,
        owners=len(owners),
        broken=broken,
        anchored=anchored if anchors is not None else None,
    )
    if broken:
        raise typer.Exit(1)


@command(app, "export")
def export(
    stack: Stack,
    out: Output,
    owner: MaybeOwner = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            dir_okay=False,
            help="Into this new file (mode 0600) instead of standard output.",
        ),
    ] = None,
) -> None:
    """Export entries as JSON Lines, each as it was hashed, with its owner beside it."""
    lines = (
        json.dumps({"owner": entry.owner, "entry": entry.document}, ensure_ascii=False)
        for entry in _entries(stack, owner)
    )
    if file is None:
        with out.answering() as stream:
            written = sum(stream.write(f"{line}\n") > 0 for line in lines)
    else:
        descriptor = create_private(file)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                written = sum(stream.write(f"{line}\n") > 0 for line in lines)
        except OSError as error:
            raise unwritable(file, error) from None
        except BaseException:
            with contextlib.suppress(OSError):
                file.unlink()
            raise
    out.note(f"{counted(written, 'entry', 'entries')} exported.")


def _entries(stack: Stack, owner: str | None) -> Iterator[Entry]:
    transport = Boto3Transport(stack.client("dynamodb"))
    if owner is not None:
        return AuditTrail(transport, table=stack.audit_table).entries(owner)
    return AuditInventory(transport, table=stack.audit_table).every_entry()


def _newest(stack: Stack, owner: str | None) -> Iterable[Entry]:
    if owner is None:
        return _entries(stack, None)
    transport = Boto3Transport(stack.client("dynamodb"))
    return AuditTrail(transport, table=stack.audit_table).entries(owner, descending=True)


def _row(entry: Entry) -> dict[str, object]:
    told: Any = entry.document
    actor = told.get("actor") or {}
    return {
        "owner": entry.owner,
        "seq": told.get("seq", "?"),
        "action": told.get("action", "not an entry"),
        "key": (told.get("target") or {}).get("id", ""),
        "by": " ".join(filter(None, (actor.get("type"), actor.get("key_id") or actor.get("id")))),
        "from": actor.get("source_ip") or "",
        "at": told.get("created_at", ""),
    }


def _compared(trail: AuditTrail, owner: str, known: list[Anchor]) -> tuple[set[int], set[int]]:
    """The numbers under which the table holds the log's hash, and those with another or none."""
    told = {(anchor.seq, anchor.hash) for anchor in known if anchor.owner == owner}
    if not told:
        return set(), set()
    kept = {entry.document.get("seq"): entry.document.get("hash") for entry in trail.entries(owner)}
    agreed = {(seq, hashed) for seq, hashed in told if kept.get(seq) == hashed}
    return {seq for seq, _ in agreed}, {seq for seq, _ in told - agreed}


def _anchors(file: Path, owner: str | None) -> list[Anchor]:
    """The anchors in a file, of one user or of all.

    Raises:
        CliError: it cannot be read, or holds none: to agree with nothing proves nothing.
    """
    found = [anchor for anchor in _read(file) if owner in {None, anchor.owner}]
    if not found:
        raise CliError(
            f"{file} holds no anchor{'' if owner is None else f' of {owner}'}, so nothing was"
            " compared: export the lines of the log again, and look at the filter and the times",
            code="no_anchors",
        )
    return found


def _read(file: Path) -> list[Anchor]:
    try:
        if str(file) == "-":
            return list(read_anchors(sys.stdin))
        with file.open(encoding="utf-8", errors="replace") as stream:
            return list(read_anchors(stream))
    except ValueError:
        raise CliError(f"{file} holds no JSON", code="bad_file") from None
    except OSError as error:
        raise CliError(
            f"{file} cannot be read: {error.strerror}", code="file_error", exit_code=FAULT
        ) from None


def _tell(
    out: Output, *, entries: int, owners: int, broken: dict[str, int], anchored: int | None
) -> None:
    counted_entries = counted(entries, "entry", "entries")
    if out.as_json:
        out.document(
            "audit_verification",
            {
                "status": "broken" if broken else "ok",
                "entries": entries,
                "owners": owners,
                "broken": [{"owner": one, "first_broken_seq": at} for one, at in broken.items()],
                **({} if anchored is None else {"anchored": anchored}),
            },
        )
        return
    for one, at in broken.items():
        out.text(f"The log of {one} is broken at entry {at}.", style="red")
    if not broken:
        verb = "holds" if entries == 1 else "hold"
        out.text(f"{counted_entries} of {counted(owners, 'user')} {verb}.")
    if anchored is not None:
        verb = "is" if anchored == 1 else "are"
        out.text(f"{anchored} of {counted_entries} {verb} anchored.")
