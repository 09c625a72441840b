from __future__ import annotations

import os
import subprocess
import sys

import pytest

from chatgrid_auth.settings import SettingError
from chatgrid_boards.wiring import Settings
from tests.support.aws import VARIABLES

ENVIRONMENT = {
    "BOARDS_TABLE": "boards-table",
    "ALLOWED_ORIGIN": "*",
    "POWERTOOLS_SERVICE_NAME": "boards",
    "POWERTOOLS_METRICS_NAMESPACE": "ChatGrid",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}


@pytest.mark.parametrize("name", sorted(ENVIRONMENT))
def test_each_setting_is_needed_and_named_when_it_is_missing(name: str) -> None:
    rest = {other: value for other, value in ENVIRONMENT.items() if other != name}
    with pytest.raises(SettingError, match=f"{name} is not set"):
        Settings.read(rest)


def test_the_function_starts_from_its_environment_alone() -> None:
    environment = {**os.environ, **VARIABLES, **ENVIRONMENT, "AWS_REGION": "eu-west-1"}
    script = "from chatgrid_boards.handler import handler; print(callable(handler))"
    started = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (started.stdout, started.stderr) == ("True\n", "")
