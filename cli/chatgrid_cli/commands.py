"""How commands are made: each gets the stack that it works on and the place for its answer.

The options that name the stack, and ``--json``, are the same everywhere and written down here
alone. Expected troubles become one line and an exit code, never a stack trace.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from chatgrid_cli.coercion import spare_coercion
from chatgrid_cli.errors import FAULT, error_of
from chatgrid_cli.stacks import Stack, Where, find

if TYPE_CHECKING:
    from chatgrid_cli.output import Output

_StackName = Annotated[
    str,
    typer.Option(
        "--stack-name",
        envvar="CHATGRID_STACK_NAME",
        help="CloudFormation's name of the stack.",
    ),
]
_Region = Annotated[
    str | None,
    typer.Option(
        "--region",
        help="AWS Region; by default that of your AWS configuration.",
    ),
]
_Profile = Annotated[
    str | None,
    typer.Option("--profile", help="AWS profile."),
]
_Local = Annotated[
    bool,
    typer.Option("--local", help="The stack that `make dev` runs."),
]
_State = Annotated[
    Path,
    typer.Option(
        "--state",
        help="The local stack's folder.",
        file_okay=False,
    ),
]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

_COMMON = (
    ("as_json", _Json, False),
    ("stack_name", _StackName, "chatgrid-auth"),
    ("region", _Region, None),
    ("profile", _Profile, None),
    ("local", _Local, False),
    ("state", _State, Path(".devkit")),
)
#: Help is as wide as the terminal, up to this.
_CONTEXT = {"max_content_width": 200}
#: What a command may ask for besides its own options.
_GIVEN = {"out", "stack", "where"}


class Group(TyperGroup):
    """Help without what Typer tells of types."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _untyped(super().get_params(ctx))


def group(
    help_text: str,
    *,
    kind: type[typer.Typer] = typer.Typer,
    cls: type[Group] = Group,
    add_completion: bool = False,
) -> typer.Typer:
    """A group of commands."""
    return kind(
        cls=cls,
        help=_reflowed(help_text),
        no_args_is_help=True,
        context_settings=_CONTEXT,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # or the help loads a Markdown parser and a highlighter
        add_completion=add_completion,
    )


def command(app: typer.Typer, name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a command. Its parameters ``stack`` (found) and ``out`` are filled in."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        wanted = inspect.signature(function, eval_str=True).parameters
        own = [parameter for parameter in wanted.values() if parameter.name not in _GIVEN]

        def run(context: typer.Context, **options: Any) -> None:
            from chatgrid_cli.output import Output  # noqa: PLC0415  # Rich: the help needs none

            options.update(_given_before(context))
            out = Output(as_json=options.pop("as_json"))
            names = ("stack_name", "region", "profile", "local", "state")
            where = Where(**{name: options.pop(name) for name in names})
            taken = {name for given in context.command.params for name in given.opts}
            _told(out, lambda: function(**_filled(wanted, out, where), **options), taken)

        _take_options(run, own)
        run.__doc__ = _reflowed(function.__doc__ or "")
        app.command(name, cls=_Command, context_settings=_CONTEXT)(run)
        return function

    return register


class _Command(TyperCommand):
    """Help and wrong usage without what Typer tells of types, hidden arguments and Pydantic."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _untyped(super().get_params(ctx))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        hidden = [p for p in self.get_params(ctx) if getattr(p, "hidden", False)]
        pieces = {piece for parameter in hidden for piece in parameter.get_usage_pieces(ctx)}
        return [piece for piece in super().collect_usage_pieces(ctx) if piece not in pieces]

    def make_context(self, *arguments: Any, **named: Any) -> Any:
        try:
            return super().make_context(*arguments, **named)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")
            raise


def _untyped(parameters: list[Any]) -> list[Any]:
    for parameter in map(spare_coercion, parameters):
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""  # else <bool>
    return parameters


def _reflowed(text: str) -> str:
    """Help as paragraphs without the line breaks that they have in the source."""
    return re.sub(r"(?<!\n)\n(?!\n)", " ", inspect.cleandoc(text))


def before_commands(app: typer.Typer, function: Callable[..., None]) -> None:
    """Let the options that every command takes be given before the command as well.

    Args:
        function: what else may stand there, as its parameters.
    """
    own = inspect.signature(function, eval_str=True).parameters

    def remember(context: typer.Context, **options: Any) -> None:
        names = [name for name, _, _ in _COMMON]
        context.obj = {name: options[name] for name in names if _is_said(context, name)}

    _take_options(remember, own.values())
    app.callback()(remember)


def _take_options(function: Callable[..., None], own: Iterable[inspect.Parameter]) -> None:
    """Have Typer, which goes by the signature, give a function its own options and the common."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        *(parameter.replace(kind=keyword) for parameter in own),
        *(
            inspect.Parameter(name, keyword, annotation=annotation, default=default)
            for name, annotation, default in _COMMON
        ),
        inspect.Parameter("context", keyword, annotation=typer.Context),
    ]
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # any callable has one
    function.__annotations__ = {p.name: p.annotation for p in parameters}


def _given_before(context: typer.Context) -> dict[str, Any]:
    """What was said before the command, and not again behind it."""
    before: dict[str, Any] = context.find_root().obj or {}
    return {name: value for name, value in before.items() if not _is_said(context, name)}


def _is_said(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _filled(wanted: Any, out: Output, where: Where) -> dict[str, object]:
    given: dict[str, Callable[[], Output | Where | Stack]] = {
        "out": lambda: out,
        "where": lambda: where,
        "stack": lambda: find(where),
    }
    return {name: make() for name, make in given.items() if name in wanted}


def _told(out: Output, work: Callable[[], None], options: set[str]) -> None:
    try:
        work()
    except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError):
        raise
    except Exception as error:  # the last stop before the user: no stack trace for known trouble
        trouble = error_of(error, options=options)
        if trouble is not None:
            out.trouble(trouble.code, trouble.text)
            raise typer.Exit(trouble.exit_code) from None
        if "CHATGRID_DEBUG" in os.environ:
            raise
        # An exception's text may quote what it was working on, a credential included.
        out.trouble(
            "internal_error",
            f"a fault of this command ({type(error).__name__});"
            " set CHATGRID_DEBUG=1 to see where, and please report it",
        )
        raise typer.Exit(FAULT) from None
