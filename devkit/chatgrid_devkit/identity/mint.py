"""Print a token of the local identity provider.

Run it as ``python -m chatgrid_devkit.identity.mint --user …``
Works on the stack that ``make dev`` runs; the token goes to stdout alone, so that
``-H "Authorization: Bearer $(python -m chatgrid_devkit.identity.mint)"`` is enough for curl.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID

from chatgrid_devkit.identity.issuer import ALGORITHMS, LocalIssuer, write_private


def main(arguments: list[str] | None = None) -> int:
    """Mint as told, or say in one line why not."""
    options = _parser().parse_args(arguments)
    try:
        stack = json.loads(options.stack.read_text("utf-8"))
        issuer = LocalIssuer(options.stack.parent, _base_url(stack))
    except (OSError, ValueError, KeyError, TypeError):
        print(f"no running stack in {options.stack}: start it with `make dev`", file=sys.stderr)
        return 1
    if options.rotate or options.withdraw:
        if options.rotate:
            issuer.rotate()
        if options.withdraw:
            issuer.withdraw()
        write_private(
            options.stack, json.dumps({**stack, "supabase": issuer.stack_entry()}, indent=2)
        )
        return 0
    print(
        issuer.mint(
            str(options.user or stack["user_id"]),
            now_s=int(time.time()),
            email=options.email,
            expires_in_s=options.expires,
            anonymous=options.anonymous,
            alg=options.alg,
        )
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m chatgrid_devkit.identity.mint",
        description="Print an access token of the local identity provider.",
    )
    parser.add_argument("--user", type=UUID, help="the user's UUID (the first user's)")
    parser.add_argument("--email", help="the user's address")
    parser.add_argument("--alg", choices=ALGORITHMS, default="ES256")
    parser.add_argument(
        "--expires", type=int, default=3600, metavar="SECONDS", help="negative: already expired"
    )
    parser.add_argument("--anonymous", action="store_true", help="an anonymous user")
    parser.add_argument(
        "--rotate", action="store_true", help="sign with new keys from now on; print nothing"
    )
    parser.add_argument(
        "--withdraw", action="store_true", help="publish the current keys only; print nothing"
    )
    parser.add_argument(
        "--stack", type=Path, default=Path(".devkit/stack.json"), help="the running stack"
    )
    return parser


def _base_url(stack: dict[str, Any]) -> str:
    issuer: str = stack["supabase"]["issuer"]
    return issuer.removesuffix("/auth/v1")


if __name__ == "__main__":
    sys.exit(main())
