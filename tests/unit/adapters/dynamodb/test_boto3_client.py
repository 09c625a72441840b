from __future__ import annotations

import logging

import boto3
import pytest
from moto import mock_aws

from chatgrid_auth.adapters.dynamodb import boto3_client, lean_client


@pytest.fixture(autouse=True)
def _region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


def test_not_even_a_debug_log_shows_the_functions_own_credentials(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mock_aws():
        monkeypatch.setenv("AWS_SESSION_TOKEN", "the-session-token")
        caplog.set_level(logging.DEBUG)
        client = boto3_client.rejecting_non_json(boto3.client("dynamodb"))
        assert client.list_tables()["TableNames"] == []
    assert "the-session-token" not in caplog.text


def test_a_request_gives_up_while_api_gateway_still_waits() -> None:
    patience = lean_client.PATIENCE
    assert patience.repeats == 1
    assert (patience.connect + patience.reply) * 2 <= patience.budget < 12
