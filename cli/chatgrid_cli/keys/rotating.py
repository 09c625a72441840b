"""``chatgrid keys rotate`` and ``end-secret``: another secret for a key, and the former's end."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from chatgrid_auth.adapters.keys_table.key_inventory import StoredKey
from chatgrid_auth.domain.credentials import ApiKey, IssuedKey
from chatgrid_auth.domain.errors import StoreUnavailable
from chatgrid_auth.services.rotation import (
    DEFAULT_GRACE_SECONDS,
    LONGEST_GRACE_SECONDS,
    Rotations,
)
from chatgrid_cli.commands import command
from chatgrid_cli.errors import FAULT, CliError, error_of
from chatgrid_cli.keys import views as key_views
from chatgrid_cli.keys.finding import living
from chatgrid_cli.keys.issuing import OutOption, give, key_store, why
from chatgrid_cli.output import Output
from chatgrid_cli.stacks import Stack
from chatgrid_cli.trail import operator_of
from chatgrid_cli.values import KeyArgument, MaybeUser, instant, now_ms


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "rotate")(rotate)
    command(app, "end-secret")(end_secret)


def rotate(
    stack: Stack,
    out: Output,
    key_id: KeyArgument,
    grace: Annotated[
        int,
        typer.Option(
            "--grace",
            min=0,
            max=LONGEST_GRACE_SECONDS,
            metavar="SECONDS",
            help="How long the former secret still works; 0 ends it at once.",
        ),
    ] = DEFAULT_GRACE_SECONDS,
    force: Annotated[
        bool, typer.Option("--force", help="End a previous secret that still works.")
    ] = False,
    user: MaybeUser = None,
    file: OutOption = None,
) -> None:
    """Give a key another secret, which is all that standard output gets.

    Id, scopes, limit and history stay. The former secret works until the grace is over.
    """
    key = living(stack, key_id, user).key
    rotations = _rotations(stack)
    made = _rotated(rotations, key, out, grace_seconds=grace, force=force)
    give(made, file=file, out=out, also=_former, done="is rotated")


def end_secret(stack: Stack, out: Output, key_id: KeyArgument, user: MaybeUser = None) -> None:
    """End a rotated key's previous secret now: it is refused on its very next request."""
    key = living(stack, key_id, user).key
    ended = _rotations(stack).end_previous(key.owner, key.id)
    told = "has no previous secret any more"
    out.done(f"key {key_views.named(ended)} {told}")
    if out.as_json:
        out.document("api_key", key_views.facts(ended))
    else:
        out.text(f"Key {key_views.named(ended)} {told}.")


def secrets_of(stack: Stack, stored: StoredKey) -> list[dict[str, Any]]:
    """A key's secrets that work or may: what is shown of each, until when, and its last use."""
    key = stored.key
    standing = (
        None
        if stored.revoked_at_ms is not None
        else key_store(stack).rotations.standing(key.owner, key.id, now_ms=now_ms())
    )
    if standing is None:
        return []
    key = standing.key
    current = {
        "key_prefix": key.prefix,
        "which": "current",
        "expires_at": instant(key.expires_at_ms),
        "last_used_at": instant(standing.current_used_at_ms),
    }
    previous = key.previous_secret
    if previous is None:
        return [current]
    former = {
        "key_prefix": previous.prefix,
        "which": "previous",
        "expires_at": instant(previous.expires_at_ms),
        "last_used_at": instant(previous.last_used_at_ms),
    }
    return [current, former]


def _rotations(stack: Stack) -> Rotations:
    store = key_store(stack).rotations
    return Rotations(store, now_ms=now_ms, entropy=os.urandom, actor=operator_of(stack))


@contextlib.contextmanager
def _rotated(
    rotations: Rotations, key: ApiKey, out: Output, *, grace_seconds: int, force: bool
) -> Iterator[IssuedKey]:
    """The key with its new secret, and a word of what works where that does not reach anybody."""
    issued: IssuedKey | None = None
    try:
        issued = rotations.rotate(key.owner, key.id, grace_seconds=grace_seconds, force=force)
        yield issued
    except Exception as error:  # whatever it was: nobody holds the new secret
        if issued is None and isinstance(error, StoreUnavailable):
            fault = error_of(error)
            raise CliError(
                f"{fault.text if fault else why(error)}. Whether the key got another secret is"
                f" not known: `chatgrid keys show {key.id} --secrets` tells."
                " If it did, nobody holds that one, and the former works for its grace:"
                f" `chatgrid keys rotate {key.id} --user {key.owner} --force` makes another",
                code="not_known",
                exit_code=FAULT,
            ) from None
        if issued is None:
            raise  # nothing was done
        raise CliError(
            f"the key is rotated, but its new secret could not be handed over ({why(error)});"
            f" {_works(issued.key)}",
            code="not_handed_over",
            exit_code=FAULT,
        ) from None
    except BaseException:  # Ctrl-C
        told = f"see `chatgrid keys show {key.id} --secrets`" if not issued else _works(issued.key)
        out.note(f"chatgrid: interrupted; {told}", style="red")
        raise


def _works(key: ApiKey) -> str:
    previous = key.previous_secret
    again = f"`chatgrid keys rotate {key.id} --user {key.owner}"
    if previous is None:
        return f"nobody holds a secret of it: {again} --grace 0` makes another"
    return (
        f"its former one, {previous.prefix}…, works until {instant(previous.expires_at_ms)};"
        f" {again} --force` makes another and ends that one"
    )


def _former(key: ApiKey) -> str:
    previous = key.previous_secret
    if previous is None:
        return " Its former secret has ended."
    return f" Its former secret works until {instant(previous.expires_at_ms)}."
