"""The commands of ``chatgrid``, put together."""

from __future__ import annotations

import io
import sys
from importlib.metadata import version
from typing import Annotated, Any

import typer

from chatgrid_cli import doctor
from chatgrid_cli.commands import before_commands, group
from chatgrid_cli.keys import bootstrap, users, verify
from chatgrid_cli.keys import commands as keys
from chatgrid_cli.transfer import exports, imports

_HELP = """What an operator does with a ChatGrid Auth stack.

Works on the stack that CloudFormation calls --stack-name, with your AWS credentials and Region,
or with --local on the one that `make dev` runs: these options may stand before the command or
behind it. Credentials are never taken from arguments.

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


app = group(_HELP, kind=_App)
app.add_typer(keys.app, name="keys")
app.add_typer(users.app, name="users")
bootstrap.register(app)
imports.register(app)
exports.register(app)
verify.register(app)
doctor.register(app)


def _show_version(asked: bool) -> None:
    if asked:
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
