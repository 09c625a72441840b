from __future__ import annotations

import logging
from typing import Any, cast

import pytest
from moto import mock_aws

from chatgrid_auth.adapters.dynamodb import boto3_client


@pytest.fixture(autouse=True)
def _region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


def test_not_even_a_debug_log_shows_the_functions_own_credentials(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mock_aws():
        monkeypatch.setenv("AWS_SESSION_TOKEN", "the-session-token")
        caplog.set_level(logging.DEBUG)
        assert boto3_client.dynamodb().list_tables()["TableNames"] == []
    assert "the-session-token" not in caplog.text


def test_a_request_gives_up_while_api_gateway_still_waits() -> None:
    with mock_aws():
        config = cast("Any", boto3_client.dynamodb().meta.config)
    assert config.retries["total_max_attempts"] == 2
    assert (config.connect_timeout + config.read_timeout) * 2 < 20
