"""New files that only their owner can read."""

from __future__ import annotations

import os
from pathlib import Path

from chatgrid_cli.errors import FAULT, CliError


def create_private(file: Path) -> int:
    """The descriptor of a new file with mode 0600, open for writing.

    Raises:
        CliError: it exists already, or cannot be made.
    """
    try:
        return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CliError(f"{file} exists already: name another file", code="file_exists") from None
    except OSError as error:
        raise unwritable(file, error) from None


def unwritable(file: Path | str, error: OSError) -> CliError:
    """What it means to an operator that a file cannot be written."""
    return CliError(
        f"{file} cannot be written: {error.strerror}", code="file_error", exit_code=FAULT
    )
