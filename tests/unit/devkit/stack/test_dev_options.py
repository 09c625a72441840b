"""What `chatgrid-dev` is told on its command line, and what it refuses at once."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from chatgrid_devkit import dev
from chatgrid_devkit.stack import system as stack
from chatgrid_devkit.stack.system import CannotRun, StackSettings
from chatgrid_devkit.template.expansion import load


def test_parameters_reach_the_stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given: list[StackSettings] = []

    async def run(settings: StackSettings, *_: object, **__: object) -> None:
        given.append(settings)

    monkeypatch.setattr(dev, "run", run)
    options = ["--state", str(tmp_path), "--parameter", "AllowImportedKeys=true"]
    assert dev.main([*options, "--parameter", "AllowedOrigin=https://a.example?x=y"]) == 0
    assert given[0].parameters == {
        "AllowImportedKeys": "true",
        "AllowedOrigin": "https://a.example?x=y",
    }


@pytest.mark.parametrize("wrong", ["AllowImportedKeys", "=true"])
def test_what_is_no_parameter_is_wrong_usage(
    wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        dev.main(["--parameter", wrong])
    assert ended.value.code == 2
    assert "NAME=VALUE" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("RouteCosts={POST /boards:10}", "is not JSON"),
        ('RouteCosts={"POST /boards": 1000}', "from 1 to 999"),
        ('RouteLimits={"POST /boards": 3}', "needs limit and window_seconds"),
        ("OwnerRateLimit=60001", "is above 60000"),
    ],
)
def test_a_limit_that_no_function_takes_is_refused_at_once(
    wrong: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        dev.main(["--parameter", wrong])
    assert ended.value.code == 2
    assert why in capsys.readouterr().err


def test_a_parameter_that_the_template_does_not_have_is_named(tmp_path: Path) -> None:
    settings = StackSettings(state=tmp_path, parameters={"Nonsense": "1"})
    with pytest.raises(CannotRun, match="no parameter Nonsense"):
        stack.check_parameters(settings)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("RateLimitDefault", "abc", "a number from 1 to 60000, and is 'abc'"),
        ("RateLimitDefault", "0", "a number from 1 to 60000"),
        ("RateLimitDefault", "60001", "a number from 1 to 60000"),
        ("RateLimitDefault", "1.5", "a number from 1 to 60000"),
        ("OwnGatewayKeys", "no", "one of true, false, and is 'no'"),
        ("LogRetentionDays", "2", "one of 1, 3, 5"),
    ],
)
def test_a_value_that_aws_would_refuse_is_told_with_its_parameter(
    name: str, value: str, wanted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state"
    assert dev.main(["--state", str(state), "--parameter", f"{name}={value}"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"chatgrid-dev: the parameter {name} has to be {wanted}")
    assert len(said.splitlines()) == 1
    assert not state.exists()


def test_the_templates_own_defaults_fit_their_parameters(tmp_path: Path) -> None:
    declared = load(stack.TEMPLATE)["Parameters"]
    defaults = {name: str(one["Default"]) for name, one in declared.items()}
    stack.check_parameters(StackSettings(state=tmp_path, parameters=defaults))


def test_a_state_folder_that_cannot_be_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.touch()
    for state, why in ((file, "File exists"), (file / "folder", "Not a directory")):
        assert dev.main(["--state", str(state)]) == 1
        assert capsys.readouterr().err == f"chatgrid-dev: no state can be kept in {state}: {why}\n"


def test_a_state_whose_lock_cannot_be_opened_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lock").mkdir()
    assert dev.main(["--state", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert said == f"chatgrid-dev: no state can be kept in {tmp_path}: Is a directory\n"


@pytest.mark.parametrize("target", ["dev", "beside", "token"])
def test_a_state_folder_with_blanks_may_come_from_the_environment(
    target: str, tmp_path: Path
) -> None:
    make = shutil.which("make")
    if make is None:
        pytest.skip("no make here")
    told = tmp_path / "bin"
    told.mkdir()
    for name in ("python", "chatgrid-dev"):
        (told / name).write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
        (told / name).chmod(0o700)
    (tmp_path / ".installed").touch()
    folder = "a folder's $name"
    ran = subprocess.run(
        [make, "--silent", target, f"VENV={tmp_path}"],
        cwd=Path(__file__).parents[4],
        env={"PATH": os.environ["PATH"], "STATE": folder},
        capture_output=True,
        text=True,
        check=True,
    )
    assert {folder, f"{folder}/stack.json"} & set(ran.stdout.splitlines())
