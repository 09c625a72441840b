"""`sam local` is run on what is built, with nobody's credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatgrid_devkit.stack.sam_local import CannotRun, arguments, environment


def test_without_a_build_it_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="make build-local"):
        arguments(tmp_path, "http://172.17.0.1:4566")


def test_every_command_is_told_where_the_tables_are(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").touch()
    given = arguments(tmp_path, "http://172.17.0.1:4566")
    assert "LocalEndpoint=http://172.17.0.1:4566" in given
    assert str(tmp_path / "template.yaml") in given
    assert "--skip-pull-image" in given


def test_credentials_of_whoever_runs_it_stay_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.setenv(name, "mine")
    assert "mine" not in environment("LOCAL").values()
    assert environment("LOCAL")["SAM_CLI_TELEMETRY"] == "0"
