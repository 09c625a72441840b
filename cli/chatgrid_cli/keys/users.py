"""``chatgrid users``: what belongs to one user."""

from __future__ import annotations

import contextlib
from typing import Annotated

import typer

from chatgrid_auth.adapters.keys_table.key_inventory import KeyInventory
from chatgrid_auth.domain.key_errors import NotFound
from chatgrid_cli.commands import command, group
from chatgrid_cli.errors import CliError
from chatgrid_cli.keys import views as key_views
from chatgrid_cli.keys.confirming import YesOption, confirm
from chatgrid_cli.keys.issuing import api_keys
from chatgrid_cli.keys.selecting import Reason, ReasonOption
from chatgrid_cli.output import Output
from chatgrid_cli.stacks import Stack
from chatgrid_cli.values import UserArgument

#: How often the command looks again for keys that were made meanwhile.
_ROUNDS = 10

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


@command(app, "revoke")
def revoke(
    stack: Stack,
    out: Output,
    user: UserArgument,
    reason: ReasonOption = Reason.UNSPECIFIED,
    yes: YesOption = False,
) -> None:
    """Revoke all keys of a user, for good: of one who left, whose keys would go on working.

    Take away the user's account first: an account can make new keys, and the command gives up where
    it goes on doing so. Cut off half-way, the same command does the rest.
    """
    inventory = KeyInventory(stack.client("dynamodb"), table=stack.keys_table)
    found = [stored.key for stored in inventory.keys_of(user)]
    if found:
        confirm(
            out,
            f"user {user} holds {len(found)} keys",
            "Revoke all keys of this user for good?",
            yes=yes,
        )
    service = api_keys(stack)
    gone: list[str] = []
    for _ in range(_ROUNDS):
        if not found:
            break
        before = len(gone)
        for key in found:
            with contextlib.suppress(NotFound):  # with its maker, or somebody else was faster
                gone += service.revoke(user, key.id, descendants=True, reason=reason.value)
        # One of them may have made another while this was confirmed and done.
        found = [stored.key for stored in inventory.keys_of(user)] if len(gone) > before else []
    if found:
        raise CliError(
            f"{len(gone)} keys of user {user} are revoked, but the account makes new ones as fast:"
            " take the account away, then give this command again",
            code="keys_still_made",
        )
    told = f"{len(gone)} keys of user {user} are revoked"
    out.done(told)
    if out.as_json:
        out.document("user_keys_revoked", {"user_id": user, "keys": gone})
    else:
        out.text(f"{told}.")
