"""What is final is asked for once more, and never guessed where nobody can be asked."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from chatgrid_cli.errors import INTERRUPTED, USAGE, CliError
from chatgrid_cli.output import Output, is_terminal

YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def confirm(out: Output, about: str, question: str, *, yes: bool) -> None:
    """Go on only if it is wanted.

    Raises:
        CliError: nobody can be asked, and ``--yes`` was not said.
        typer.Abort: it is not wanted.
    """
    if yes:
        return
    if not is_terminal(sys.stdin):
        raise CliError(
            "revoking is final: say --yes where nobody can be asked",
            code="confirmation_needed",
            exit_code=USAGE,
        )
    out.note(about)
    try:
        typer.confirm(question, abort=True, err=True)
    except typer.Abort as abort:
        if isinstance(abort.__context__, KeyboardInterrupt):  # no answer, but Ctrl-C
            raise typer.Exit(INTERRUPTED) from None
        raise
