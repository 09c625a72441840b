"""``chatgrid leaks report``: what an operator found is acted upon, as the stack says."""

from __future__ import annotations

from typing import Annotated

import typer

from chatgrid_auth.services.leaks.acting import LEAK_RESPONSES, LeakResponse, Leaks
from chatgrid_auth.services.leaks.reports import MOST_AT_ONCE, Sighting, hashes_of
from chatgrid_cli.commands import command, group
from chatgrid_cli.errors import CliError
from chatgrid_cli.keys.issuing import key_store
from chatgrid_cli.output import Output, counted
from chatgrid_cli.stacks import Stack
from chatgrid_cli.trail import operator_of
from chatgrid_cli.values import now_ms

app = group("Act on leaked keys.")

#: What has become of a key in danger.
_BECAME: dict[LeakResponse, str] = {
    "disable": "is disabled now",
    "revoke": "is revoked now",
    "report": "is left as it is: LeakResponse is report",
}


def register(root: typer.Typer) -> None:
    """Add the group."""
    root.add_typer(app, name="leaks")


@app.callback()
def leaks() -> None:
    """Act on leaked keys."""  # keeps the one command below a command


@command(app, "report")
def report(
    stack: Stack,
    out: Output,
    file: Annotated[
        typer.FileText, typer.Argument(metavar="FILE", help="One credential a line; - for stdin.")
    ],
    url: Annotated[
        str | None, typer.Option("--url", metavar="URL", help="Where they were found.")
    ] = None,
) -> None:
    """Disable, revoke or note the keys in a file, as the parameter LeakResponse says.

    Lines that are no credentials of this stack are passed over. Tokens stand for their keys.
    """
    texts = [line.strip() for line in file if line.strip()]
    imported = stack.environment("AuthorizerFunction").get("ALLOW_IMPORTED_KEYS") == "true"
    hashes = hashes_of(texts, imported=imported)
    store = key_store(stack).exposed
    rows = []
    for first in range(0, len(hashes), MOST_AT_ONCE):
        found = store.find(hashes[first : first + MOST_AT_ONCE], now_ms=now_ms())
        rows += [
            {"id": one.key_id, "owner": one.owner, "in_danger": one.counts}
            for one in found.values()
        ]
    response = _response(stack)
    Leaks(store, response=response, now_ms=now_ms).act(
        [Sighting(secret_hash=one, url=url) for one in hashes], actor=operator_of(stack)
    )
    if out.as_json:
        out.document("leaks", rows, received=len(texts), response=response)
        return
    out.listing(rows)
    for key_id in dict.fromkeys(row["id"] for row in rows if row["in_danger"]):
        out.text(f"Key {key_id} {_BECAME[response]}.")
    out.note(f"{counted(len(texts), 'line')}, {counted(len(rows), 'secret')} of this stack.")


def _response(stack: Stack) -> LeakResponse:
    said = stack.parameters.get("LeakResponse", "disable")
    for known in LEAK_RESPONSES:
        if said == known:
            return known
    raise CliError("the stack's parameter LeakResponse is none", code="bad_parameter")
