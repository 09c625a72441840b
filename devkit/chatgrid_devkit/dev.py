"""``make dev``: starts the whole system here, says how to use it, and ends it cleanly."""

from __future__ import annotations

import argparse
import asyncio
import json
import shlex
import signal
import sys
from pathlib import Path

from yaml import YAMLError

from chatgrid_auth.limit_settings import (
    OWNER_RATE_LIMIT,
    ROUTE_COSTS,
    ROUTE_LIMITS,
    further_limits,
)
from chatgrid_auth.settings import SettingError
from chatgrid_devkit.stack.ministack import MinistackFailed
from chatgrid_devkit.stack.system import LOG_FILE, STACK_FILE, CannotRun, Stack, StackSettings, run
from chatgrid_devkit.template.expansion import TemplateInvalid
from chatgrid_devkit.template.parameters import parameter

_STATE = Path(".devkit")
#: Parameters that the functions read at start, and what they find them under.
_LIMITS = {
    "RouteCosts": ROUTE_COSTS,
    "RouteLimits": ROUTE_LIMITS,
    "OwnerRateLimit": OWNER_RATE_LIMIT,
}
_QUOTED = """'RouteCosts={"POST /boards": 10}'"""


def main(arguments: list[str] | None = None) -> int:
    """Run until Ctrl-C or SIGTERM.

    Returns:
        0 when it was told to end, 1 when it could not run.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    parameters = dict(options.parameter)
    try:
        further_limits(
            {name: parameters[given] for given, name in _LIMITS.items() if given in parameters}
        )
    except SettingError as error:
        parser.error(f"{error}. Quote it for the shell: --parameter {_QUOTED}")
    print("Starting the embedded AWS, the functions and the gateway ...", flush=True)
    try:
        asyncio.run(
            _run(
                StackSettings(
                    state=options.state,
                    port=options.port,
                    reload=not options.no_reload,
                    functions_endpoint=options.functions_endpoint,
                    parameters=parameters,
                    verbose=options.verbose,
                )
            )
        )
    except (CannotRun, MinistackFailed) as reason:
        print(f"chatgrid-dev: {reason}", file=sys.stderr)
        return 1
    except (TemplateInvalid, YAMLError) as reason:
        print(f"chatgrid-dev: template.yaml: {reason}", file=sys.stderr)
        return 1
    print("Ended; keys and boards are kept.", flush=True)
    return 0


async def _run(settings: StackSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for ending in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(ending, stop.set)
    await run(settings, stop, on_ready=lambda stack: _greet(stack, settings.state))


def _greet(stack: Stack, state: Path) -> None:
    print(greeting(stack, state), flush=True)


def greeting(stack: Stack, state: Path) -> str:
    """How to use a running stack: every ``export`` and ``curl`` can be pasted by itself."""
    key = f'-H "Authorization: Bearer {stack.admin_key}"'
    body = "-H 'Content-Type: application/json' -d"
    board = json.dumps({"name": "My first board", "view_mode": "canvas"})
    new_key = json.dumps({"name": "My first key", "scopes": ["read", "write"]})
    logs = state / LOG_FILE
    folder = state.resolve()
    file = shlex.quote(str(folder / STACK_FILE))
    mint = f"{shlex.quote(sys.executable)} -m chatgrid_devkit.identity.mint --stack {file}"
    command = shlex.quote(str(Path(sys.executable).with_name("chatgrid")))
    operator = f"{command} keys list --local --state {shlex.quote(str(folder))}"
    token = f'-H "Authorization: Bearer $({mint})"'
    mint_by_make = "make token"
    if state != _STATE:
        mint_by_make += f" STATE={shlex.quote(str(folder))}"
    # The prompt then stands on a line of its own.
    end = r"-w '\n'"
    boards = f"""
List boards
  curl {stack.url}/boards {key} {end}

Create a board
  curl {stack.url}/boards {key} {body} '{board}' {end}
"""
    return f"""
ChatGrid Auth is running. Ctrl-C ends it.

  API        {stack.url}
  Dashboard  {stack.url}/dashboard  (one click signs you in)
  Reference  {stack.url}/reference
  User       {stack.user_id}
  Logs       {logs} has every line in full; --verbose shows them here
  Admin key  {stack.admin_key}

Each of these lines can be pasted into another terminal, as it is.

For the lines of the README, and of the reference
  export URL={stack.url} ADMIN_KEY={stack.admin_key} KEY={stack.admin_key}
{boards if stack.parameters.get("ExampleBoards") != "false" else ""}
Create a key
  curl {stack.url}/me/api-keys {key} {body} '{new_key}' {end}

Who am I, with a JWT of the local identity provider
  curl {stack.url}/me {token} {end}

The operator's command; without arguments it tells what else it can do
  {operator}

A JWT to use elsewhere, in this folder
  {mint_by_make}
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="chatgrid-dev", description="Run ChatGrid Auth on this machine, on loopback only."
    )
    parser.add_argument("--port", type=_port, default=3000, help="port of the API (3000)")
    parser.add_argument(
        "--state", type=Path, default=_STATE, help="folder for keys and boards (.devkit)"
    )
    parser.add_argument(
        "--no-reload", action="store_true", help="leave the functions running when code changes"
    )
    parser.add_argument(
        "--verbose", action="store_true", help="show every line of the functions, and in full"
    )
    parser.add_argument(
        "--functions-endpoint",
        metavar="URL",
        help="where the functions reach AWS: a proxy in front of the embedded one",
    )
    parser.add_argument(
        "--parameter",
        type=parameter,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of template.yaml; again for more",
    )
    return parser


def _port(text: str) -> int:
    port = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= port <= 65_535:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return port


if __name__ == "__main__":
    sys.exit(main())
