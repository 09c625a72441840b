"""``chatgrid bootstrap``: the first user and its admin key, on a fresh stack."""

from __future__ import annotations

from typing import Annotated
from uuid import uuid4

import typer

from chatgrid_auth.adapters.keys_table.key_inventory import KeyInventory
from chatgrid_cli.commands import command
from chatgrid_cli.errors import CliError
from chatgrid_cli.keys.issuing import OutOption, hand_over
from chatgrid_cli.output import Output
from chatgrid_cli.stacks import Stack
from chatgrid_cli.values import uuid


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "bootstrap")
    def bootstrap(
        stack: Stack,
        out: Output,
        user: Annotated[
            str | None,
            typer.Option(
                "--user",
                parser=uuid,
                metavar="UUID",
                help="Your user's id (with Supabase: the `sub` of your tokens); else a new one.",
            ),
        ] = None,
        file: OutOption = None,
    ) -> None:
        """Make the first user's admin key on a fresh stack; with it, the API makes the others."""
        owner = user or str(uuid4())
        inventory = KeyInventory(stack.client("dynamodb"), table=stack.keys_table)
        if not inventory.is_empty():
            raise CliError(
                "this stack has keys already:"
                f" `chatgrid keys create --user {owner} --name admin --scope admin`"
                f" makes another{'' if user else ', for a new user'}",
                code="conflict",
            )
        url = stack.outputs.get("ApiUrl", "")
        hand_over(
            stack,
            lambda keys: keys.issue(
                owner,
                name="First admin key",
                scopes=["admin"],
                environment="live",
                rate_limit=None,
            ),
            file=file,
            out=out,
            also=f"\nThe API is at {url}." if url else "",
        )
