"""A template's parameters as a command line names them, and what their values have to be."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any


def parameter(text: str) -> tuple[str, str]:
    """The name and the value in NAME=VALUE.

    Raises:
        ArgumentTypeError: the text is not like that.
    """
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError("a parameter is NAME=VALUE")
    return name, value


def refusal(declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, str]) -> str:
    """Why the template cannot take these parameters, in one sentence; empty where it can.

    Patterns are not looked at: they want https, and what runs here has plain addresses.
    """
    unknown = given.keys() - declared.keys()
    if unknown:
        return f"template.yaml has no parameter {', '.join(sorted(unknown))}"
    for name, value in given.items():
        if wanted := _wanted(declared[name], value):
            return f"the parameter {name} has to be {wanted}, and is {value!r}"
    return ""


def _wanted(declared: Mapping[str, Any], value: str) -> str:
    """What a parameter has to be, where a value is something else; empty where it fits."""
    allowed = [str(one) for one in declared.get("AllowedValues", ())]
    if allowed:
        return "" if value in allowed else f"one of {', '.join(allowed)}"
    if declared["Type"] != "Number":
        return ""
    least, most = declared["MinValue"], declared["MaxValue"]
    whole = value.isascii() and value.isdecimal() and len(value) <= len(str(most))
    return "" if whole and least <= int(value) <= most else f"a number from {least} to {most}"
