"""``chatgrid users``: what belongs to one user."""

from __future__ import annotations

from typing import Annotated

import typer

from chatgrid_auth.adapters.keys_table.key_inventory import KeyInventory
from chatgrid_cli.commands import command, group
from chatgrid_cli.keys import views as key_views
from chatgrid_cli.output import Output
from chatgrid_cli.stacks import Stack
from chatgrid_cli.values import UserArgument

app = group("What belongs to one user.")


def register(root: typer.Typer) -> None:
    """Add the group."""
    root.add_typer(app, name="users")


@app.callback()
def users() -> None:
    """What belongs to one user."""  # a callback keeps the one command below a command


@command(app, "keys")
def keys(
    stack: Stack,
    out: Output,
    user: UserArgument,
    revoked: Annotated[bool, typer.Option("--revoked", help="Revoked keys too.")] = False,
) -> None:
    """List all keys of a user, the newest first."""
    inventory = KeyInventory(stack.client("dynamodb"), table=stack.keys_table)
    found = key_views.newest_first(inventory.keys_of(user, revoked=revoked))
    key_views.show_list(out, found, has_more=False, empty="This user has no keys.", one_user=True)
