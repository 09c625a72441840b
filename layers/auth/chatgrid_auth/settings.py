"""Settings are read once, at cold start, and a missing one is named, never shown."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class SettingError(Exception):
    """A setting is missing or unusable. The text names it and never tells its value."""


def text(environ: Mapping[str, str], name: str) -> str:
    """The setting called ``name``.

    Raises:
        SettingError: it is not set, or empty.
    """
    value = environ.get(name, "")
    if not value:
        raise SettingError(f"the environment variable {name} is not set")
    return value


def positive_integer(environ: Mapping[str, str], name: str) -> int:
    """The setting called ``name``, a whole number of at least 1.

    Raises:
        SettingError: it is not set, or no such number.
    """
    value = text(environ, name)
    if not (value.isascii() and value.isdecimal() and len(value) < 10 and int(value) > 0):
        raise SettingError(f"the environment variable {name} is not a positive whole number")
    return int(value)


def count(environ: Mapping[str, str], name: str) -> int:
    """The setting called ``name``, a whole number from 0 on; 0 when it is not set.

    Raises:
        SettingError: it is something else.
    """
    value = environ.get(name, "0")
    if not (value.isascii() and value.isdecimal() and len(value) < 10):
        raise SettingError(f"the environment variable {name} is not a whole number")
    return int(value)


def flag(environ: Mapping[str, str], name: str) -> bool:
    """The setting called ``name``, ``true`` or ``false``; ``false`` when it is not set.

    Raises:
        SettingError: it is something else.
    """
    value = environ.get(name, "false")
    if value not in {"true", "false"}:
        raise SettingError(f"the environment variable {name} is neither true nor false")
    return value == "true"


def log_level(environ: Mapping[str, str], name: str) -> str:
    """The setting called ``name``, one of logging's level names.

    Raises:
        SettingError: it is not set, or no level.
    """
    value = text(environ, name).upper()
    if value not in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}:
        raise SettingError(f"the environment variable {name} is not a log level")
    return value
