"""Published versions of the functions: kept for rolling back, and pruned when asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chatgrid_cli.checks.findings import Finding, ok, skipped, warn
from chatgrid_cli.checks.formation import functions_of
from chatgrid_cli.stacks import Stack

#: So many of a function are worth no word.
_MANY = 10


def look_at_versions(stack: Stack) -> Iterator[Finding]:
    """Whether old versions pile up: each takes its share of the account's 75 GB of code."""
    if stack.local:
        yield skipped("versions", "a local stack has none")
        return
    client = stack.client("lambda")
    old = {name: len(_removable(client, name, keep=_MANY)) for name in functions_of(stack)}
    if any(old.values()):
        told = ", ".join(f"{count} of {name}" for name, count in old.items() if count)
        yield warn(
            "versions",
            f"old ones pile up: {told}",
            "chatgrid doctor --prune-versions 3 deletes all but the newest three of each function,"
            " and never what an alias names or the one before it",
        )
    else:
        yield ok("versions", f"no function has more than {_MANY} that could go")


def prune_versions(stack: Stack, *, keep: int) -> Iterator[Finding]:
    """Delete old versions: all but the newest, what an alias names, and the one before that.

    Args:
        keep: how many of the newest stay, at least one.
    """
    if stack.local:
        yield skipped("pruned versions", "a local stack has none")
        return
    client = stack.client("lambda")
    for name in functions_of(stack):
        gone = _removable(client, name, keep=keep)
        for version in gone:
            client.delete_function(FunctionName=name, Qualifier=version)
        yield ok("pruned versions", f"{name}: {', '.join(gone) or 'none'}")


def _removable(client: Any, function: str, *, keep: int) -> list[str]:
    """Versions that nobody needs, the oldest first."""
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=function)
    numbers = (version["Version"] for page in pages for version in page["Versions"])
    versions = sorted(int(number) for number in numbers if number.isdecimal())
    needed = set(versions[-keep:])
    for named in _named_by_aliases(client, function):
        needed |= {named, *[version for version in versions if version < named][-1:]}
    return [str(version) for version in versions if version not in needed]


def _named_by_aliases(client: Any, function: str) -> Iterator[int]:
    pages = client.get_paginator("list_aliases").paginate(FunctionName=function)
    for alias in (alias for page in pages for alias in page["Aliases"]):
        weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        for number in (alias["FunctionVersion"], *weights):
            if number.isdecimal():  # not $LATEST
                yield int(number)
