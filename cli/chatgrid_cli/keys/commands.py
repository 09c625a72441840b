"""``chatgrid keys``: make, list, show, change and revoke keys of any user."""

from __future__ import annotations

from enum import StrEnum
from itertools import islice
from typing import Annotated

import typer

from chatgrid_auth.adapters.keys_table.key_inventory import KeyInventory
from chatgrid_auth.services.key_filters import KeyFilters
from chatgrid_cli.commands import command, group
from chatgrid_cli.keys import changing, rotating
from chatgrid_cli.keys import views as key_views
from chatgrid_cli.keys.confirming import YesOption, confirm
from chatgrid_cli.keys.finding import found, living
from chatgrid_cli.keys.issuing import OutOption, api_keys, hand_over
from chatgrid_cli.keys.selecting import (
    AllowIpOption,
    CreditsOption,
    NamePart,
    PermissionOption,
    PrefixOption,
    Reason,
    ReasonOption,
    RefillOption,
    Scope,
    Selection,
    Status,
    StatusOption,
    said_credits,
)
from chatgrid_cli.keys.showing import whole_facts
from chatgrid_cli.output import Output
from chatgrid_cli.stacks import Stack
from chatgrid_cli.values import (
    ExpiresBefore,
    ExpiresOption,
    KeyArgument,
    MaybeUser,
    NameOption,
    UnusedSince,
    UserOption,
    instant,
    said_expiry,
)

app = group("Make, list, show, change and revoke keys of any user.")


def register(root: typer.Typer) -> None:
    """Add the group."""
    changing.register(app)
    rotating.register(app)
    root.add_typer(app, name="keys")


class Kind(StrEnum):
    """What a new key is."""

    SECRET = "secret"  # noqa: S105 - a word of the API
    PUBLISHABLE = "publishable"
    CANARY = "canary"


class Environment(StrEnum):
    """What a key is for."""

    LIVE = "live"
    TEST = "test"


@command(app, "create")
def create(  # noqa: PLR0913, PLR0917 - options are parameters
    stack: Stack,
    out: Output,
    user: UserOption,
    name: NameOption,
    scope: Annotated[
        list[Scope] | None,
        typer.Option("--scope", help="What it may do; again for more. By default read and write."),
    ] = None,
    environment: Annotated[
        Environment, typer.Option("--environment", help="What it is for.")
    ] = Environment.LIVE,
    kind: Annotated[
        Kind,
        typer.Option(
            "--kind", help="A publishable key reads only, and needs --origin. A canary is a trap."
        ),
    ] = Kind.SECRET,
    origin: Annotated[
        list[str] | None,
        typer.Option("--origin", help="A page that may use a publishable key; again for more."),
    ] = None,
    rate_limit: Annotated[
        int | None,
        typer.Option(
            "--rate-limit", min=1, help="Requests in any 60 seconds; by default the stack's."
        ),
    ] = None,
    expires: ExpiresOption = None,
    allow_ip: AllowIpOption = None,
    permission: PermissionOption = None,
    credits_left: CreditsOption = None,
    refill: RefillOption = None,
    file: OutOption = None,
) -> None:
    """Make a key for a user. The key itself is all that standard output gets."""
    expires_at_ms = said_expiry(expires)
    default = (Scope.READ,) if kind is Kind.PUBLISHABLE else (Scope.READ, Scope.WRITE)
    credits_said = said_credits(credits_left, refill).get("credits")
    granted = [one.value for one in scope or default]
    hand_over(
        stack,
        lambda keys: keys.issue(
            user,
            name=name,
            scopes=granted,
            environment=environment.value,
            kind=kind.value,
            allowed_origins=origin,
            rate_limit=rate_limit,
            expires_at_ms=expires_at_ms,
            allowed_ips=allow_ip or None,
            permissions=permission or None,
            credits_said=credits_said,
        ),
        file=file,
        out=out,
    )


@command(app, "list")
def list_keys(  # noqa: PLR0913, PLR0917 - options are parameters
    stack: Stack,
    out: Output,
    user: MaybeUser = None,
    revoked: Annotated[
        bool, typer.Option("--revoked", help="Revoked keys too: the same as --status all.")
    ] = False,
    status: StatusOption = None,
    environment: Annotated[
        Environment | None, typer.Option("--environment", help="Only such keys.")
    ] = None,
    name: NamePart = None,
    prefix: PrefixOption = None,
    unused_since: UnusedSince = None,
    expires_before: ExpiresBefore = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=1_000_000, help="How many at most.")
    ] = 100,
) -> None:
    """List one user's keys, or those of all users.

    One user's come the newest first. All users means reading the whole table. It holds the users
    in no order, and the keys of each together.
    """
    status = status or (Status.ALL if revoked else Status.ACTIVE)
    selection = Selection(
        filters=KeyFilters(
            status=status.value,
            environment=None if environment is None else environment.value,
            name=name,
            prefix=prefix,
        ),
        unused_since_ms=unused_since,
        expires_before_ms=expires_before,
    )
    inventory = KeyInventory(stack.client("dynamodb"), table=stack.keys_table)
    with_revoked = status is not Status.ACTIVE
    pool = (
        inventory.every_key(revoked=with_revoked)
        if user is None
        else key_views.newest_first(inventory.keys_of(user, revoked=with_revoked))
    )
    listed = list(islice(filter(selection.takes, pool), limit + 1))
    key_views.show_list(
        out,
        listed[:limit],
        has_more=len(listed) > limit,
        empty="No key is like that."
        if selection != Selection(filters=KeyFilters(status=status.value))
        else "No keys yet: `chatgrid bootstrap` makes the first one."
        if user is None
        else "This user has no keys.",
        one_user=user is not None,
    )


@command(app, "show")
def show(
    stack: Stack,
    out: Output,
    key_id: KeyArgument,
    user: MaybeUser = None,
    secrets: Annotated[
        bool,
        typer.Option("--secrets", help="Its secrets too: prefix, end and last use of each."),
    ] = False,
) -> None:
    """Show one key, revoked or not. Without --user the whole table is searched."""
    stored = found(stack, key_id, user)
    facts = whole_facts(stack, stored)
    listed = rotating.secrets_of(stack, stored) if secrets else []
    if out.as_json:
        out.document("api_key", {**facts, "secrets": listed} if secrets else facts)
    else:
        own = "yes" if facts["own_usage_key"] else "no: in API Gateway it counts on its tier's"
        facts["previous_secret"] = key_views.previous(stored.key)
        words = {"created_by": key_views.maker(stored.key), "own_usage_key": own}
        out.facts({**facts, **key_views.in_words(stored.key), **words})
        if listed:
            out.listing(listed)


@command(app, "revoke")
def revoke(
    stack: Stack,
    out: Output,
    key_id: KeyArgument,
    user: MaybeUser = None,
    descendants: Annotated[
        bool,
        typer.Option(
            "--descendants", help="The keys that it made, and all that those made, as well."
        ),
    ] = False,
    reason: ReasonOption = Reason.UNSPECIFIED,
    yes: YesOption = False,
) -> None:
    """Revoke a key, for good: it is refused on its very next request.

    With --descendants a key that was revoked before may be named as well.
    """
    find = found if descendants else living
    key = find(stack, key_id, user).key
    confirm(
        out,
        f"{key_views.named(key)}, of user {key.owner}, last used"
        f" {instant(key.last_used_at_ms) or 'never'}",
        "Revoke this key and all that it made for good?"
        if descendants
        else "Revoke this key for good?",
        yes=yes,
    )
    gone = api_keys(stack).revoke(key.owner, key.id, descendants=descendants, reason=reason.value)
    made = len(gone) - (key.id in gone)
    told = f"is revoked{f', and {made} that it made' if descendants else ''}"
    out.done(f"key {key_views.named(key)} {told}")
    if out.as_json:
        also = {"descendants": [one for one in gone if one != key.id]} if descendants else {}
        out.document("api_key_revoked", {"id": key.id, "revoked": True, **also})
    else:
        out.text(f"Key {key_views.named(key)} {told}.")
