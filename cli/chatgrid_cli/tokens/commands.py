"""``chatgrid tokens rotate-secret``: another secret to make derived tokens with."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer

from chatgrid_auth.adapters.token_secret.held import REREAD_MS
from chatgrid_auth.services.tokens.making import LONGEST_SECONDS
from chatgrid_cli.commands import command, group
from chatgrid_cli.errors import CliError
from chatgrid_cli.output import Output
from chatgrid_cli.stacks import Stack
from chatgrid_cli.tokens.secret import StackTokenSecret
from chatgrid_cli.values import instant, now_ms

app = group("The secret of the stack that derived tokens are made with.")

#: Until no token lives that the former secret made: it makes them until all have read the new one.
OVERLAP_MS = REREAD_MS + LONGEST_SECONDS * 1_000
_BYTES = 48


def register(root: typer.Typer) -> None:
    """Add the group."""
    root.add_typer(app, name="tokens")


@app.callback()
def _tokens() -> None:
    """A group, however few its commands are."""


@command(app, "rotate-secret")
def rotate_secret(
    stack: Stack,
    out: Output,
    no_overlap: Annotated[
        bool,
        typer.Option(
            "--no-overlap", help="End all tokens that were made until now, within five minutes."
        ),
    ] = False,
) -> None:
    """Make another secret for tokens. The former stays accepted, so that no token ends by it.

    Tokens are made with the new one after five minutes, when every container has read it.
    """
    secret = StackTokenSecret(stack)
    made_ms = secret.made_ms()
    ends_ms = None if made_ms is None else made_ms + OVERLAP_MS
    if ends_ms is not None and ends_ms > now_ms() and not no_overlap:
        raise CliError(
            "tokens may still live that were made with the secret before the current one: wait"
            f" until {instant(ends_ms)}, or end them with --no-overlap",
            code="overlap",
            exit_code=1,
        )
    secret.replace(secrets.token_urlsafe(_BYTES), overlap=not no_overlap)
    told = (
        "all tokens end within five minutes, and new ones may be refused until then"
        if no_overlap
        else "the former is accepted until the next rotation"
    )
    if out.as_json:
        out.document("token_secret", {"rotated": True, "overlap": not no_overlap})
    else:
        out.text(f"The secret for tokens is another one: {told}.")
