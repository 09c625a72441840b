"""``chatgrid doctor``: is this stack as it should be? Changes only what it is told to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from itertools import chain
from typing import Annotated

import typer

from chatgrid_cli.checks import (
    alarms,
    drift,
    formation,
    gateway,
    key_rules,
    other_api,
    plans,
    probe,
    tables,
    versions,
)
from chatgrid_cli.checks.findings import FAIL, OK, SKIPPED, WARN, Check, Finding, run
from chatgrid_cli.commands import command
from chatgrid_cli.output import Output
from chatgrid_cli.stacks import Stack

CHECKS: tuple[tuple[str, Check], ...] = (
    ("stack", formation.look_at_stack),
    ("settings", formation.look_at_settings),
    ("functions", formation.look_at_functions),
    ("versions", versions.look_at_versions),
    ("tables", tables.look_at_tables),
    ("protection", tables.look_at_protection),
    ("time to live", tables.check_ttl),
    ("reconciler queue", tables.look_at_queue),
    ("rules of keys", key_rules.look_at_keys),
    ("authorizer", gateway.look_at_authorizer),
    ("methods", gateway.look_at_methods),
    ("routes", drift.look_at_drift),
    ("access log", drift.look_at_access_log),
    ("gateway responses", gateway.look_at_responses),
    ("usage plans", plans.look_at_plans),
    ("alarms", alarms.look_at_alarms),
    ("from outside", probe.look_from_outside),
)
_STYLES = {OK: "green", WARN: "yellow", FAIL: "red", SKIPPED: "dim"}


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "doctor")
    def doctor(
        stack: Stack,
        out: Output,
        keep: Annotated[
            int | None,
            typer.Option(
                "--prune-versions",
                min=1,
                metavar="KEEP",
                help="First delete old versions of each function: all but the newest KEEP,"
                " what an alias names, and the one before that.",
            ),
        ] = None,
        api: Annotated[
            str | None,
            typer.Option(
                "--api",
                metavar="ID",
                help="Check instead a REST or HTTP API of another stack, that is to stand behind"
                " this one's authorizer.",
            ),
        ] = None,
        public: Annotated[
            list[str] | None,
            typer.Option(
                "--open",
                metavar="ROUTE",
                help='With --api: a route that is to be open to everybody, as in "GET /health";'
                " again for more.",
            ),
        ] = None,
    ) -> None:
        """Check a deployed stack, part by part: ok, warn or fail, with what to do.

        It is the last step of every deployment. Without --prune-versions it only reads.
        """
        found: list[Finding] = []
        pruned = () if keep is None else versions.prune_versions(stack, keep=keep)
        for finding in chain(pruned, run(stack, _checks(api, public or []))):
            found.append(finding)
            if not out.as_json:
                _show(out, finding)
        counts = Counter(finding.status for finding in found)
        totals = {status: counts[status] for status in (OK, WARN, FAIL, SKIPPED)}
        if out.as_json:
            out.document("doctor", {**totals, "findings": [asdict(f) for f in found]})
        else:
            out.text(", ".join(f"{count} {status}" for status, count in totals.items()))
        if counts[FAIL]:
            raise typer.Exit(1)


def _checks(api: str | None, public: list[str]) -> Iterable[tuple[str, Check]]:
    """Those of the stack, or of one API that is another's."""
    if api is None:
        if public:
            raise typer.BadParameter("it goes with --api", param_hint="--open")
        return CHECKS
    return (("API", partial(other_api.look_at_api, api=api, public=public)),)


def _show(out: Output, finding: Finding) -> None:
    out.text(
        f"{finding.status:8} {finding.check}: {finding.message}", style=_STYLES[finding.status]
    )
    if finding.advice is not None:
        out.text(f"{'':8} → {finding.advice}")
