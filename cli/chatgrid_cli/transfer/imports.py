"""``chatgrid import``: take over keys of another system, known by their SHA-256 hashes."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO, TextIO

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from chatgrid_auth import settings
from chatgrid_auth.adapters.keys_table.key_inventory import KeyInventory
from chatgrid_auth.domain.errors import ChatGridError
from chatgrid_auth.services.key_import import KeyImport
from chatgrid_auth.services.key_rules import HIGHEST_RATE_LIMIT
from chatgrid_cli.commands import command
from chatgrid_cli.errors import INTERRUPTED, USAGE, CliError, error_of
from chatgrid_cli.files import create_private, unwritable
from chatgrid_cli.keys.issuing import key_store, limit
from chatgrid_cli.output import Output, console, stderr
from chatgrid_cli.stacks import Stack
from chatgrid_cli.trail import OperatorTrail, operator_of
from chatgrid_cli.transfer.fields import ImportRules
from chatgrid_cli.transfer.importing import (
    CREATED,
    EXISTING,
    REFUSED,
    WOULD_CREATE,
    Importer,
    Outcome,
)
from chatgrid_cli.transfer.lines import BadFile, Line, read_csv, read_jsonl
from chatgrid_cli.values import now_ms

_LINES_AT_ONCE = 100
_AGAIN = "run the same command again: what is there already is left as it is"
_NEW_REPORT = " (with a new file for the report)"


class Format(StrEnum):
    """How an import or export file is written."""

    JSONL = "jsonl"
    CSV = "csv"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "import")
    def import_keys(
        stack: Stack,
        out: Output,
        file: Annotated[
            Path, typer.Argument(metavar="FILE", help="JSON Lines or CSV; - for standard input.")
        ],
        form: Annotated[
            Format | None,
            typer.Option("--format", help="By default by the file's name; else jsonl."),
        ] = None,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="Check every line, write nothing.")
        ] = False,
        report: Annotated[
            Path | None,
            typer.Option(
                "--report",
                dir_okay=False,
                help="Write what became of each line into this new file, as JSON Lines.",
            ),
        ] = None,
    ) -> None:
        """Import keys by their SHA-256 hashes, each once. Run it again after an interruption.

        Each line names hash, owner and scopes; besides, if known: name, prefix, environment,
        rate_limit, created_at, expires_at, id, enabled, disabled_reason,
        self_rotation, metadata, kind, allowed_ips, allowed_origins, permissions, credits.
        """
        form = form or (Format.CSV if file.suffix.lower() == ".csv" else Format.JSONL)
        rules = ImportRules(rate_limit_ceiling=HIGHEST_RATE_LIMIT, now_ms=now_ms())
        with contextlib.ExitStack() as open_files:
            trail = open_files.enter_context(OperatorTrail(stack, at_once=_LINES_AT_ONCE))
            importer = _importer(stack, trail, dry_run=dry_run)
            source = open_files.enter_context(_opened(file))
            if report is not None and _is_same(report, source):
                raise CliError(
                    f"{report} is the file that is imported: name another for the report",
                    code="same_file",
                    exit_code=USAGE,
                )
            log = open_files.enter_context(_report(report)) if report else None
            read = read_csv if form is Format.CSV else read_jsonl
            run = _Run(out, log=log, dry_run=dry_run, hint=_hint(stack))
            run.work(importer, read(source, rules), total=_line_count(file))


def _importer(stack: Stack, trail: OperatorTrail, *, dry_run: bool) -> Importer:
    inventory = KeyInventory(stack.client("dynamodb"), table=stack.keys_table)
    imports = KeyImport(
        key_store(stack, trail),
        now_ms=now_ms,
        entropy=os.urandom,
        default_rate_limit=limit(stack, "RATE_LIMIT_DEFAULT"),
        keys_per_user=limit(stack, "KEYS_PER_USER"),
        actor=operator_of(stack),
    )
    return Importer(
        holders=inventory.holders,
        hashes_by_id=inventory.hashes_by_id,
        adopt=None if dry_run else imports.adopt,
    )


def _hint(stack: Stack) -> str:
    """What else is needed before imported keys are admitted; empty when nothing is."""
    if settings.flag(stack.environment("AuthorizerFunction"), "ALLOW_IMPORTED_KEYS"):
        return ""
    return (
        "Keys that are not of the form cgk_… with our checksum are refused until the stack's"
        " parameter AllowImportedKeys is true."
    )


class _Run:
    """One run: counts outcomes, tells problems, and says at the end how it stands."""

    def __init__(self, out: Output, *, log: TextIO | None, dry_run: bool, hint: str) -> None:
        self._out = out
        self._log = log
        self._dry_run = dry_run
        self._hint = hint
        self._outcomes: list[Outcome] = []
        self._counts: Counter[str] = Counter()

    def work(self, importer: Importer, lines: Iterator[Line], *, total: int | None) -> None:
        stopped: CliError | None = None
        try:
            with _progress(total, wanted=not self._out.as_json) as (progress, task):
                for outcome in importer.run(lines):
                    self._take(outcome, progress)
                    progress.update(task, completed=outcome.line)
        except BadFile as bad:
            raise CliError(str(bad), code="bad_file") from None
        except KeyboardInterrupt:
            stopped = CliError("interrupted", code="interrupted", exit_code=INTERRUPTED)
        except (ChatGridError, CliError) as error:
            stopped = error_of(error)
            if stopped is None:
                raise
        self._end(stopped)

    def _take(self, outcome: Outcome, progress: Progress) -> None:
        self._counts[outcome.outcome] += 1
        if self._out.as_json:
            self._outcomes.append(outcome)
        elif outcome.outcome == REFUSED:
            with contextlib.suppress(OSError):  # a broken stderr stops no import
                progress.console.print(
                    f"line {outcome.line}: {outcome.problem}", markup=False, soft_wrap=True
                )
        if self._log is not None:
            try:
                self._log.write(json.dumps(asdict(outcome)) + "\n")
                self._log.flush()
            except OSError as error:
                raise unwritable("the report", error) from None

    def _end(self, stopped: CliError | None) -> None:
        counts = {name: self._counts[name] for name in (CREATED, EXISTING, REFUSED)}
        counts[CREATED] += self._counts[WOULD_CREATE]
        self._out.done(self._told(counts))
        if self._out.as_json:
            data: dict[str, object] = {"dry_run": self._dry_run, "complete": stopped is None}
            data.update(counts)
            if stopped is not None:
                data["stopped_by"] = stopped.code
            self._out.document(
                "import", {**data, "lines": [asdict(outcome) for outcome in self._outcomes]}
            )
        else:
            self._summary(counts, stopped)
        if stopped is not None:
            raise typer.Exit(stopped.exit_code)
        if counts[REFUSED]:
            raise typer.Exit(1)

    def _told(self, counts: dict[str, int]) -> str:
        made = "would be imported" if self._dry_run else "imported"
        return (
            f"{counts[CREATED]} {made}, {counts[EXISTING]} there already, {counts[REFUSED]} refused"
        )

    def _summary(self, counts: dict[str, int], stopped: CliError | None) -> None:
        if not any(counts.values()) and stopped is None:
            self._out.text("The file holds no keys.")
            return
        self._out.text(self._told(counts))
        again = _AGAIN if self._log is None else _AGAIN + _NEW_REPORT
        if stopped is not None:
            self._out.note(f"chatgrid: {stopped.text}; {again}", style="red")
        elif counts[REFUSED]:
            self._out.note(f"Mend the refused lines and {again}.")
        if self._hint and counts[CREATED]:
            self._out.note(self._hint)


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    if str(file) == "-":
        yield _stdin(sys.stdin)
        return
    try:
        stream = file.open("rb")
    except OSError as error:
        raise CliError(f"{file} cannot be read: {error.strerror}", code="file_error") from None
    with stream:
        yield stream


def _stdin(stream: TextIO | None) -> BinaryIO:
    if stream is None:
        raise CliError("standard input is closed", code="file_error")
    return stream.buffer


def _is_same(report: Path, source: BinaryIO) -> bool:
    """Whether both are one regular file, by whatever names, standard input included."""
    try:
        read, written = os.fstat(source.fileno()), report.stat()
    except (OSError, ValueError):  # not there yet, or no file of the operating system's
        return False
    return stat.S_ISREG(read.st_mode) and os.path.samestat(read, written)


@contextlib.contextmanager
def _report(file: Path) -> Iterator[TextIO]:
    stream = os.fdopen(create_private(file), "w", encoding="utf-8")
    try:
        yield stream
    finally:
        with contextlib.suppress(OSError):  # every line was flushed, or its failure told
            stream.close()


def _line_count(file: Path) -> int | None:
    if not file.is_file():
        return None
    with file.open("rb") as stream:
        return sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 20), b"")) or 1


@contextlib.contextmanager
def _progress(total: int | None, *, wanted: bool) -> Iterator[tuple[Progress, TaskID]]:
    terminal = console(stderr())
    progress = Progress(
        TextColumn("Importing"),
        BarColumn(),
        MofNCompleteColumn(),
        console=terminal,
        transient=True,
        # Where a line cannot be wiped, refused lines would come behind the bar.
        disable=not (wanted and terminal.is_terminal and not terminal.is_dumb_terminal),
    )
    with progress:
        yield progress, progress.add_task("import", total=total)
