"""``chatgrid doctor``: is this stack as it should be? Looks, and changes nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

import typer

from chatgrid_cli.checks import alarms, formation, gateway, plans, probe, tables
from chatgrid_cli.checks.findings import FAIL, OK, SKIPPED, WARN, Check, Finding, run
from chatgrid_cli.commands import command
from chatgrid_cli.output import Output
from chatgrid_cli.stacks import Stack

CHECKS: tuple[tuple[str, Check], ...] = (
    ("stack", formation.look_at_stack),
    ("settings", formation.look_at_settings),
    ("functions", formation.look_at_functions),
    ("tables", tables.look_at_tables),
    ("protection", tables.look_at_protection),
    ("time to live", tables.check_ttl),
    ("reconciler queue", tables.look_at_queue),
    ("authorizer", gateway.look_at_authorizer),
    ("methods", gateway.look_at_methods),
    ("gateway responses", gateway.look_at_responses),
    ("usage plans", plans.look_at_plans),
    ("alarms", alarms.look_at_alarms),
    ("from outside", probe.look_from_outside),
)
_STYLES = {OK: "green", WARN: "yellow", FAIL: "red", SKIPPED: "dim"}


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "doctor")
    def doctor(stack: Stack, out: Output) -> None:
        """Check a deployed stack, part by part: ok, warn or fail, with what to do. Only reads."""
        found: list[Finding] = []
        for finding in run(stack, CHECKS):
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


def _show(out: Output, finding: Finding) -> None:
    out.text(
        f"{finding.status:8} {finding.check}: {finding.message}", style=_STYLES[finding.status]
    )
    if finding.advice is not None:
        out.text(f"{'':8} → {finding.advice}")
