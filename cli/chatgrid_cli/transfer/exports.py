"""``chatgrid export``: what is known of keys, without anything that could be used as one."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from chatgrid_auth.adapters.keys_table.key_inventory import KeyInventory, StoredKey
from chatgrid_auth.services.audit.events import shown_credits
from chatgrid_cli.commands import command
from chatgrid_cli.files import create_private, unwritable
from chatgrid_cli.keys import views as key_views
from chatgrid_cli.output import Output
from chatgrid_cli.stacks import Stack
from chatgrid_cli.transfer.cells import defused
from chatgrid_cli.transfer.imports import Format
from chatgrid_cli.values import MaybeUser, instant, now_ms

_FIELDS = (
    *("id", "owner", "kind", "name", "prefix", "scopes", "environment", "rate_limit"),
    *("enabled", "disabled_reason", "self_rotation", "metadata"),
    *("allowed_ips", "allowed_origins", "permissions", "credits"),
    *("created_by", "created_at", "expires_at", "last_used_at"),
    *("revoked_at", "revocation_reason", "state"),
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "export")
    def export(
        stack: Stack,
        out: Output,
        form: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.JSONL,
        user: MaybeUser = None,
        revoked: Annotated[bool, typer.Option("--revoked", help="Revoked keys too.")] = False,
        with_hashes: Annotated[
            bool,
            typer.Option(
                "--with-hashes",
                help="The SHA-256 of each key too: with it, another stack can import them.",
            ),
        ] = False,
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
        """Export what is known of keys as JSON Lines or CSV, secrets and hashes left out."""
        inventory = KeyInventory(stack.client("dynamodb"), table=stack.keys_table)
        pool = (
            inventory.every_key(revoked=revoked)
            if user is None
            else inventory.keys_of(user, revoked=revoked)
        )
        rows = (_row(stored, with_hash=with_hashes) for stored in pool)
        if file is not None:
            count = _write_file(rows, form, file, with_hashes=with_hashes)
            out.done(f"{count} keys are written to {file}")
            if out.as_json:
                out.document("export", {"keys": count, "written_to": str(file)})
            else:
                out.note(f"{count} keys written to {file}.")
        elif out.as_json:
            out.document("list", list(rows), has_more=False)
        else:
            with out.answering() as stream:
                if isinstance(stream, io.TextIOWrapper):  # as in a file: nothing is left out
                    stream.reconfigure(encoding="utf-8")
                count = _write(rows, form, stream, with_hashes=with_hashes)
            if not count:
                out.note("No keys yet." if user is None else "This user has no keys.")


def _row(stored: StoredKey, *, with_hash: bool) -> dict[str, Any]:
    key = stored.key.at(now_ms())
    row = {
        "id": key.id,
        "owner": key.owner,
        "kind": key.kind,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": list(key.scopes),
        "environment": key.environment,
        "rate_limit": key.rate_limit,
        "enabled": key.enabled,
        "disabled_reason": key.disabled_reason,
        "self_rotation": key.self_rotation,
        "metadata": dict(key.metadata),
        "allowed_ips": key.allowed_ips and list(key.allowed_ips),
        "allowed_origins": key.allowed_origins and list(key.allowed_origins),
        "permissions": key.permissions and list(key.permissions),
        "credits": shown_credits(key.credits),
        "created_by": key_views.maker(key),
        "created_at": instant(key.created_at_ms),
        "expires_at": instant(key.expires_at_ms),
        "last_used_at": instant(key.last_used_at_ms),
        "revoked_at": instant(stored.revoked_at_ms),
        "revocation_reason": key.revocation_reason,
        "state": key_views.state(key, revoked_at_ms=stored.revoked_at_ms),
    }
    return {**row, "hash": stored.secret_hash} if with_hash else row


def _write_file(
    rows: Iterable[dict[str, Any]], form: Format, file: Path, *, with_hashes: bool
) -> int:
    stream = os.fdopen(create_private(file), "w", encoding="utf-8", newline="")
    try:
        return _write(rows, form, stream, with_hashes=with_hashes)
    except OSError as error:
        raise unwritable(file, error) from None
    except BaseException:  # Ctrl-C, or the store is out: half an export looks like a whole one
        file.unlink(missing_ok=True)
        raise
    finally:
        with contextlib.suppress(OSError):  # all was flushed, or its failure told
            stream.close()


def _write(
    rows: Iterable[dict[str, Any]], form: Format, stream: TextIO, *, with_hashes: bool
) -> int:
    count = 0 if form is Format.JSONL else -1  # the header is no key
    for line in _lines(rows, form, with_hashes=with_hashes):
        stream.write(line)
        count += 1
    stream.flush()
    return count


def _lines(rows: Iterable[dict[str, Any]], form: Format, *, with_hashes: bool) -> Iterator[str]:
    if form is Format.JSONL:
        yield from (json.dumps(row) + "\n" for row in rows)
        return
    names = [*_FIELDS, "hash"] if with_hashes else list(_FIELDS)
    yield _csv_line(names)
    for row in rows:
        yield _csv_line([defused(_cell(row[name])) for name in names])


def _cell(value: Any) -> str:
    """A value as an import reads it again."""
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(value)
    if isinstance(value, bool | dict):
        return json.dumps(value)
    return str(value)


def _csv_line(cells: list[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
