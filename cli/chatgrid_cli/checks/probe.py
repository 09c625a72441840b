"""The API as a stranger meets it: one request without a credential."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

from chatgrid_cli.checks.findings import Finding, fail, ok, skipped
from chatgrid_cli.stacks import Stack

_TIMEOUT_SECONDS = 10


def look_from_outside(stack: Stack) -> Iterator[Finding]:
    """That a request without a credential is refused, in the envelope."""
    url = stack.output("ApiUrl") + "/me"
    try:
        status, body, challenge = _ask(url)
    except OSError:
        yield skipped("from outside", f"{url} cannot be reached from here")
        return
    if status == 401 and body.get("code") == "unauthorized" and challenge == "Bearer":
        yield ok("from outside", "a request without a credential gets 401 in the envelope")
    else:
        yield fail(
            "from outside",
            f"a request without a credential gets {status}, not 401 in the envelope",
            "is this stack's stage deployed? sam deploy again",
        )


def _ask(url: str) -> tuple[int, dict[str, object], str | None]:
    """Status, body and challenge of an answer."""
    if not url.startswith(("https://", "http://127.0.0.1:")):
        raise OSError("neither https nor this machine")
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310 - checked
            return response.status, {}, None
    except urllib.error.HTTPError as error:
        with error:
            try:
                body = json.loads(error.read(65_536))
            except ValueError:
                body = {}
            return (
                error.code,
                body if isinstance(body, dict) else {},
                error.headers.get("WWW-Authenticate"),
            )
