"""The operator's command in a process of its own, beside a running stack."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


class Shell:
    """Runs ``chatgrid --local`` in a process of its own, as an operator does."""

    def __init__(self, state: Path) -> None:
        self._state = state

    def run(
        self, *arguments: str, given: str = "", exit_code: int = 0
    ) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(
            [
                *(sys.executable, "-m", "chatgrid_cli.main", *arguments),
                *("--local", "--state", str(self._state)),
            ],
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert result.returncode == exit_code, result.stderr
        assert "Traceback" not in result.stderr
        return result

    def ask(self, *arguments: str, given: str = "", exit_code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", given=given, exit_code=exit_code).stdout)


def shell_of(stack: dict[str, Any], temporary: pytest.TempPathFactory) -> Shell:
    """An operator of the stack, as ``make dev`` describes it."""
    if "dynamodb_endpoint" not in stack:
        pytest.skip("a deployed stack needs AWS credentials, which this suite does not have")
    state = temporary.mktemp("operator")
    (state / "stack.json").write_text(json.dumps(stack))
    return Shell(state)
