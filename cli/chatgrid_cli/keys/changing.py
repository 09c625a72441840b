"""``chatgrid keys update``, ``enable``, ``disable`` and ``set-limit``: a key's settings."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any

import typer

from chatgrid_auth.adapters.keys_table.key_inventory import StoredKey
from chatgrid_auth.domain.credentials import ApiKey
from chatgrid_auth.services.key_rules import Unsaid
from chatgrid_cli.commands import command
from chatgrid_cli.errors import CliError
from chatgrid_cli.keys import views as key_views
from chatgrid_cli.keys.finding import living
from chatgrid_cli.keys.issuing import key_changes
from chatgrid_cli.keys.selecting import (
    AllowIpOption,
    CreditsOption,
    PermissionOption,
    RefillOption,
    Scope,
    said_credits,
)
from chatgrid_cli.keys.showing import whole_facts
from chatgrid_cli.output import Output
from chatgrid_cli.stacks import Stack
from chatgrid_cli.store_clock import store_clock
from chatgrid_cli.values import ExpiresOption, KeyArgument, MaybeUser, said_expiry


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "update")(update)
    command(app, "enable")(enable)
    command(app, "disable")(disable)
    command(app, "set-limit")(set_limit)
    command(app, "credits")(credits_of)


def update(  # noqa: PLR0913, PLR0917 - options are parameters
    stack: Stack,
    out: Output,
    key_id: KeyArgument,
    user: MaybeUser = None,
    name: Annotated[str | None, typer.Option("--name", help="Another name.")] = None,
    scope: Annotated[
        list[Scope] | None,
        typer.Option("--scope", help="In place of its scopes; again for more."),
    ] = None,
    rate_limit: Annotated[
        int | None, typer.Option("--rate-limit", min=1, help="Requests in any 60 seconds.")
    ] = None,
    expires: ExpiresOption = None,
    self_rotation: Annotated[
        bool | None,
        typer.Option("--self-rotation/--no-self-rotation", help="Whether it may rotate itself."),
    ] = None,
    allow_ip: AllowIpOption = None,
    any_ip: Annotated[
        bool, typer.Option("--any-ip", help="Let it be used from anywhere again.")
    ] = False,
    credits_left: CreditsOption = None,
    refill: RefillOption = None,
    permission: PermissionOption = None,
    any_permission: Annotated[
        bool, typer.Option("--any-permission", help="Let it do all that its scopes let it again.")
    ] = False,
    metadata: Annotated[
        list[str] | None,
        typer.Option(
            "--metadata",
            metavar="NAME=VALUE",
            help="A note, beside those that it has; NAME= alone takes one away. Again for more.",
        ),
    ] = None,
) -> None:
    """Change a key's settings; what is not named stays as it is.

    What a change takes away is refused on the key's very next request.
    """
    said: dict[str, Any] = {
        "name": name,
        "scopes": [one.value for one in scope] if scope else None,
        "rate_limit": rate_limit,
        "self_rotation": self_rotation,
        "metadata": dict(map(_pair, metadata)) if metadata else None,
    }
    said = {field: value for field, value in said.items() if value is not None}
    said |= _rule("allowed_ips", allow_ip, clear=any_ip, options="--allow-ip and --any-ip")
    options = "--permission and --any-permission"
    said |= _rule("permissions", permission, clear=any_permission, options=options)
    said |= said_credits(credits_left, refill)
    expires_at_ms = said_expiry(expires)
    if not isinstance(expires_at_ms, Unsaid):
        said["expires_at"] = expires_at_ms
    if not said:
        raise CliError("nothing to change is named", code="no_updates", exit_code=2)
    stored, changed = _change(stack, key_id, user, said)
    _tell(stack, out, stored, changed, "is changed")


def enable(stack: Stack, out: Output, key_id: KeyArgument, user: MaybeUser = None) -> None:
    """Let a disabled key work again, for whatever reason it was disabled."""
    stored, changed = _change(stack, key_id, user, {"enabled": True})
    _tell(stack, out, stored, changed, "is enabled")
    if not out.as_json:
        out.note("A container that refused it just now may refuse it for up to five seconds more.")


def disable(stack: Stack, out: Output, key_id: KeyArgument, user: MaybeUser = None) -> None:
    """Disable a key until it is enabled: it is refused on its very next request."""
    stored, changed = _change(stack, key_id, user, {"enabled": False})
    _tell(stack, out, stored, changed, "is disabled")


def set_limit(
    stack: Stack,
    out: Output,
    key_id: KeyArgument,
    rate_limit: Annotated[int, typer.Argument(min=1, help="Requests in any 60 seconds.")],
    user: MaybeUser = None,
) -> None:
    """Give a key another limit, which holds for every request from now on."""
    stored, changed = _change(stack, key_id, user, {"rate_limit": rate_limit})
    told = f"has {rate_limit} requests in any 60 seconds now; before, {stored.key.rate_limit}"
    _tell(stack, out, stored, changed, told)


class Doing(StrEnum):
    """What becomes of a key's credits."""

    SET = "set"
    ADD = "add"


def credits_of(
    stack: Stack,
    out: Output,
    key_id: KeyArgument,
    doing: Annotated[Doing, typer.Argument(help="Whether N is all that is left, or comes on top.")],
    number: Annotated[int, typer.Argument(metavar="N", min=0, help="How many.")],
    user: MaybeUser = None,
) -> None:
    """Set a key's credits, or add to them, whatever is spent meanwhile. Its refill stays."""
    if doing is Doing.ADD and living(stack, key_id, user).key.credits is None:
        raise CliError("the key has no credits to add to", code="no_credits", exit_code=2)
    said = {"remaining": number} if doing is Doing.SET else {"add": number}
    stored, changed = _change(stack, key_id, user, {"credits": said})
    left = 0 if changed.credits is None else changed.credits.remaining
    _tell(stack, out, stored, changed, f"has {left} credits left")


def _change(
    stack: Stack, key_id: str, user: str | None, said: dict[str, Any]
) -> tuple[StoredKey, ApiKey]:
    """The key before, and as it is after."""
    stored = living(stack, key_id, user)
    with store_clock(stack.client("dynamodb")) as clock:  # which of the window still counts
        key = key_changes(stack, clock=clock).change(stored.key.owner, stored.key.id, said)
    return stored, key


def _tell(stack: Stack, out: Output, stored: StoredKey, key: ApiKey, told: str) -> None:
    out.done(f"key {key_views.named(key)} {told}")
    if out.as_json:
        out.document("api_key", whole_facts(stack, replace(stored, key=key)))
    else:
        out.text(f"Key {key_views.named(key)} {told}.")


def _rule(field: str, values: list[str] | None, *, clear: bool, options: str) -> dict[str, Any]:
    """What is said of a rule: another list in its place, or nothing in its place."""
    if values and clear:
        raise CliError(f"{options} say different things", code="bad_options", exit_code=2)
    if clear:
        return {field: None}
    return {field: values} if values else {}


def _pair(text: str) -> tuple[str, str | None]:
    name, given, value = text.partition("=")
    if not given:
        raise typer.BadParameter("say NAME=VALUE", param_hint="--metadata")
    return name, value or None
