"""The commands of ``chatgrid``, put together: what one needs is loaded when it is called."""

from __future__ import annotations

import io
import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand
from typer.main import get_group

from chatgrid_cli.commands import Group, before_commands, group

#: Each command with the module whose ``register`` adds it, and its line in the help.
COMMANDS = {
    "keys": ("keys.commands", "Make, list, show, change and revoke keys of any user."),
    "users": ("keys.users", "What belongs to one user."),
    "bootstrap": ("keys.bootstrap", "Make the first admin key on a fresh stack."),
    "import": ("transfer.imports", "Import keys of another system by their hashes."),
    "export": ("transfer.exports", "Export what is known of keys, without secrets."),
    "leaks": ("leaks", "Act on leaked keys."),
    "audit": ("audit.commands", "Who did what to keys, and whether the record of it is whole."),
    "usage": ("usage", "How often keys and sessions were used."),
    "restore": ("restore.replay", "After a table was restored from a backup."),
    "tokens": ("tokens.commands", "The secret that derived tokens are made with."),
    "verify": ("keys.verify", "Tell what the gate would answer to a credential."),
    "doctor": ("doctor", "Check a deployed stack, and tell what to do."),
}

_HELP = """What an operator does with a ChatGrid Auth stack.

Works on the stack that CloudFormation calls --stack-name, with your AWS credentials and Region,
or with --local on the one that `make dev` runs. These options may stand before the command or
behind it. A credential is never an argument.

Exit codes: 0 done · 1 refused or not found · 2 wrong usage · 3 AWS, the network or the stack
failed, or the answer could not be written
"""


class _App(typer.Typer):
    """Called as a process, and not by a test's runner: any byte in, any text out, no fault."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        for stream, errors in (
            (sys.stdin, "surrogateescape"),
            (sys.stdout, "backslashreplace"),
            (sys.stderr, "backslashreplace"),
        ):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors=errors)
        return super().__call__(*arguments, **options)


class _Commands(Group):
    """Lists the commands without loading any of them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for name, (_, help_text) in COMMANDS.items():
            self.add_command(TyperCommand(name, help=help_text))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, _, rest = super().resolve_command(ctx, args)
        return name, None if name is None else _loaded(name), rest


def _loaded(name: str) -> Any:
    module = import_module(f"chatgrid_cli.{COMMANDS[name][0]}")
    holder = group("")
    module.register(holder)
    return get_group(holder).commands[name]


app = group(_HELP, kind=_App, cls=_Commands, add_completion=True)


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # noqa: PLC0415  # takes a while to load

        print(f"chatgrid {version('chatgrid-cli')}")
        raise typer.Exit


def _chatgrid(
    shown: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """What may stand before the commands besides what all of them take."""


before_commands(app, _chatgrid)


if __name__ == "__main__":
    app()
