"""Options keep a value that is of their type already, so that most commands start without Pydantic.

Typer has Pydantic check every value, defaults included, and loading it takes as long as all else
that a command's options need.
"""

from __future__ import annotations

from typing import Any


def spare_coercion(parameter: Any) -> Any:
    """The parameter, made to check only what is not right by itself."""
    if "process_value" in vars(parameter):  # done already
        return parameter
    check = parameter.process_value

    def process_value(ctx: Any, value: Any) -> Any:
        if not _is_right(parameter, value):
            return check(ctx, value)
        return value if parameter.callback is None else parameter.callback(ctx, parameter, value)

    parameter.process_value = process_value
    return parameter


def _is_right(parameter: Any, value: Any) -> bool:
    if value is None:
        return not parameter.required
    kind = parameter.type_descriptor
    if kind.parameter_info.parser is not None or not isinstance(kind.annotation, type):
        return False
    if kind.annotation is str:
        return type(value) is str
    return isinstance(value, kind.annotation) and value == parameter.default
