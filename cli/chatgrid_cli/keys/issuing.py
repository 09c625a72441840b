"""Making keys as an operator: the stack's own services and settings, and a safe place for the key.

A new key goes to standard output, alone, or into a new file that only its owner can read. The file
is made first, and a key that cannot be written after all is revoked: none lives that nobody holds.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from chatgrid_auth import settings
from chatgrid_auth.domain.audit import Entry
from chatgrid_auth.domain.credentials import ApiKey, IssuedKey
from chatgrid_auth.domain.key_errors import NotFound
from chatgrid_auth.services.key_rules import Lifetimes
from chatgrid_cli.errors import FAULT, CliError
from chatgrid_cli.files import create_private
from chatgrid_cli.keys import views as key_views
from chatgrid_cli.output import Output
from chatgrid_cli.stacks import Stack
from chatgrid_cli.trail import OperatorTrail, operator_of
from chatgrid_cli.values import now_ms

if TYPE_CHECKING:
    from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
    from chatgrid_auth.services.api_keys import ApiKeys
    from chatgrid_auth.services.key_changes.changing import KeyChanges

Value = TypeVar("Value")
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        dir_okay=False,
        help="Write the key into this new file (mode 0600) instead of standard output.",
    ),
]


def key_store(
    stack: Stack,
    anchor: Callable[[Entry], None] | None = None,
    *,
    table: str = "",
    asked: Callable[[ApiKey], None] | None = None,
) -> DynamoKeyStore:
    """Where the stack keeps its keys, or would keep them.

    Args:
        anchor: is told of each entry of the audit log; by default the stack's log.
        table: a table in place of the stack's own.
        asked: is told of each key before it is made, so also when Ctrl-C comes before the answer.
    """
    # Most commands only read keys.
    from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport  # noqa: PLC0415
    from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore  # noqa: PLC0415

    class TellingStore(DynamoKeyStore):
        def create(self, key: ApiKey, **how: Any) -> None:
            if asked is not None:
                asked(key)
            super().create(key, **how)

    return TellingStore(
        Boto3Transport(stack.client("dynamodb")),
        table=table or stack.keys_table,
        audit_table=stack.audit_table,
        anchor=anchor or OperatorTrail(stack),
        pause=time.sleep,
        own_gateway_keys=own_gateway_keys(stack),
        revoked_retention_days=limit(stack, "REVOKED_RETENTION_DAYS"),
    )


def api_keys(
    stack: Stack,
    *,
    clock: Callable[[], int] = now_ms,
    store: DynamoKeyStore | None = None,
) -> ApiKeys:
    """Issuing and revoking, as the stack's own functions do it; but an operator may give a limit or
    a life above the stack's ceilings, which are there for what users ask for by themselves."""
    from chatgrid_auth.services.api_keys import ApiKeys  # noqa: PLC0415  # most only read keys

    return ApiKeys(
        store or key_store(stack),
        now_ms=clock,
        entropy=os.urandom,
        default_rate_limit=limit(stack, "RATE_LIMIT_DEFAULT"),
        rate_limit_floor=_dearest(stack),
        keys_per_user=limit(stack, "KEYS_PER_USER"),
        lifetimes=_lifetimes(stack),
        actor=operator_of(stack),
    )


def key_changes(stack: Stack, *, clock: Callable[[], int], table: str = "") -> KeyChanges:
    """Changing keys, as the stack's own functions do it, but without its ceilings.

    Args:
        clock: by the store (`store_clock`): which of a window still counts depends on it.
        table: another keys table than the stack's own.
    """
    from chatgrid_auth.services.key_changes.changing import KeyChanges  # noqa: PLC0415  # as above

    return KeyChanges(
        key_store(stack, table=table).changes,
        now_ms=clock,
        default_rate_limit=limit(stack, "RATE_LIMIT_DEFAULT"),
        rate_limit_floor=_dearest(stack),
        actor=operator_of(stack),
    )


def limit(stack: Stack, variable: str) -> int:
    """A number out of the management function's settings.

    Raises:
        CliError: it is not there.
    """
    return _setting(stack, lambda environ: settings.positive_integer(environ, variable))


def _dearest(stack: Stack) -> int:
    """What the dearest request takes: no limit may be below it."""
    from chatgrid_auth.limit_settings import further_limits  # noqa: PLC0415  # most only read keys

    return _setting(stack, lambda environ: further_limits(environ).dearest)


def _lifetimes(stack: Stack) -> Lifetimes:
    """How long a key lives of which the operator does not say it; without a ceiling."""

    def read(environ: Mapping[str, str]) -> Lifetimes:
        return Lifetimes(
            default_seconds=settings.count(environ, "KEY_LIFETIME_DEFAULT_SECONDS"),
            ceiling_seconds=settings.count(environ, "KEY_LIFETIME_CEILING_SECONDS"),
        )

    return Lifetimes(default_seconds=_setting(stack, read).unsaid_seconds or 0)


def own_gateway_keys(stack: Stack) -> bool:
    """Whether keys of this stack get API Gateway keys of their own.

    Raises:
        CliError: the management function does not say so.
    """
    return _setting(stack, lambda environ: settings.flag(environ, "OWN_GATEWAY_KEYS", default=""))


def _setting(stack: Stack, read: Callable[[Mapping[str, str]], Value]) -> Value:
    try:
        return read(stack.environment("ManagementFunction"))
    except settings.SettingError as error:
        raise CliError(
            f"{error} in the management function", code="not_this_template", exit_code=FAULT
        ) from None


def hand_over(
    stack: Stack,
    issue: Callable[[ApiKeys], IssuedKey],
    *,
    file: Path | None,
    out: Output,
    also: str = "",
) -> None:
    """Make a key and give it to whoever runs the command, and to nobody else.

    Whatever happens before the key is written whole, it is revoked: no key lives that nobody holds.

    Raises:
        CliError: there is no place for the key, and none was made; or it could not be written.
    """
    made = _revoked_unless_written(stack, issue, out)
    give(made, file=file, out=out, also=lambda _: also, done="is made")


def give(
    made: AbstractContextManager[IssuedKey],
    *,
    file: Path | None,
    out: Output,
    also: Callable[[ApiKey], str],
    done: str,
) -> None:
    """Print or write a raw key, which is made when there is a place for it.

    Args:
        made: makes it, and sees to what follows when it is not written whole.
        also: what else is told of the key.
        done: what was done to it.

    Raises:
        CliError: there is no place for the key, and none was made.
    """
    if file is None:
        out.must_be_open()
        with made as issued:
            if out.as_json:
                facts = {**key_views.facts(issued.key), "raw_key": issued.raw_key}
                out.document("api_key", facts)
                return
            _introduce(out, issued.key, also(issued.key))
            out.note("The key, shown this once and stored nowhere:")
            out.raw(issued.raw_key)
        return
    with _new_private(file) as write, made as issued:
        write(issued.raw_key)
    if out.as_json:
        out.done(f"key {issued.key.id} {done}, and in {file}")
        out.document("api_key", {**key_views.facts(issued.key), "written_to": str(file)})
        return
    _introduce(out, issued.key, also(issued.key))
    out.note(f"The key is in {file}, and stored nowhere else.")


@contextlib.contextmanager
def _revoked_unless_written(
    stack: Stack, issue: Callable[[ApiKeys], IssuedKey], out: Output
) -> Iterator[IssuedKey]:
    asked: list[ApiKey] = []
    keys = api_keys(stack, store=key_store(stack, asked=asked.append))
    issued: IssuedKey | None = None
    try:
        issued = issue(keys)
        yield issued
    except Exception as error:  # whatever it was: nobody holds the key
        if issued is None:
            raise  # none was made, or its answer was lost
        became = _taken_back(keys, issued.key)
        raise CliError(
            f"the key could not be handed over ({why(error)}); {became}",
            code="not_handed_over",
            exit_code=FAULT,
        ) from None
    except BaseException:  # Ctrl-C
        for key in asked:
            out.note(f"chatgrid: interrupted; {_taken_back(keys, key)}", style="red")
        raise


def why(error: Exception) -> str:
    """An error in a few words, never its whole text."""
    if isinstance(error, CliError):
        return error.text
    return (isinstance(error, OSError) and error.strerror) or type(error).__name__


def _taken_back(keys: ApiKeys, key: ApiKey) -> str:
    """Revoke a key; what became of it, for a person."""
    try:
        keys.revoke(key.owner, key.id)
    except NotFound:  # it was not made yet, or somebody else was faster
        return f"no such key lives ({key.id})"
    except (Exception, KeyboardInterrupt):
        return (
            f"nobody holds it, but it could not be revoked either: say"
            f" `chatgrid keys revoke {key.id} --user {key.owner}`"
        )
    return f"so key {key.id} was made, and is revoked again"


def _introduce(out: Output, key: ApiKey, also: str) -> None:
    out.note(
        f"Key {key.id} of user {key.owner}: {' '.join(key.scopes)},"
        f" {key.rate_limit} requests in any 60 seconds.{also}"
    )


@contextlib.contextmanager
def _new_private(file: Path) -> Iterator[Callable[[str], None]]:
    """A new file for one line that only its owner can read; gone again if nothing comes."""
    descriptor = create_private(file)
    written = False

    def write(line: str) -> None:
        nonlocal written
        left = f"{line}\n".encode()
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
        written = True

    try:
        yield write
    finally:
        os.close(descriptor)
        if not written:
            file.unlink(missing_ok=True)
