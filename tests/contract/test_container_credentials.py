"""The client gets its credentials from an endpoint as a restored snapshot does."""

from __future__ import annotations

import pytest

from chatgrid_auth.adapters.awslite.container_credentials import get_locally
from chatgrid_auth.adapters.awslite.credential_chain import credentials_from
from chatgrid_auth.adapters.awslite.credentials import CredentialsUnavailable
from tests.contract.clients import Connect, Serve, connect, serve
from tests.support.servers.fault_server import Step, answer, answer_and_close, hang_up, response

__all__ = ["connect", "serve"]  # fixtures

CREDENTIALS = {
    "AccessKeyId": "AKIDEXAMPLE",
    "SecretAccessKey": "a-secret",
    "Token": "a-token",
    "Expiration": "2999-01-01T00:00:00Z",
}


def test_the_endpoint_is_asked_with_its_token_and_its_credentials_sign(
    serve: Serve, connect: Connect
) -> None:
    endpoint = serve(answer(response(CREDENTIALS)))
    store = serve(answer(response({})), answer(response({})))
    source = credentials_from(
        {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{endpoint.url}/v1/credentials?role=x",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "endpoint-token",
        }
    )
    one = connect(store, credentials=source)
    one.call("UpdateItem", {})
    one.call("UpdateItem", {})
    (asked,) = endpoint.requests
    assert asked.line == "GET /v1/credentials?role=x HTTP/1.1"
    assert asked.headers["authorization"] == "endpoint-token"
    assert asked.headers["host"] == f"127.0.0.1:{endpoint.port}"
    for request in store.requests:
        assert request.headers["x-amz-security-token"] == "a-token"
        assert "Credential=AKIDEXAMPLE/" in request.headers["authorization"]


def test_without_a_token_no_authorization_is_sent(serve: Serve) -> None:
    endpoint = serve(answer(response(b"{}")))
    assert get_locally(endpoint.url, "") == b"{}"
    assert "authorization" not in endpoint.requests[0].headers


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (answer(response(b"a-secret", status=403)), "Status403"),
        (answer(response(b"", status=302, headers={"Location": "http://127.0.0.1/"})), "302"),
        (hang_up, "TruncatedResponse"),
        (answer_and_close(response(CREDENTIALS)[:-3]), "TruncatedResponse"),
    ],
)
def test_an_endpoint_that_fails_is_told_without_what_it_said(
    serve: Serve, fault: Step, words: str
) -> None:
    endpoint = serve(fault)
    with pytest.raises(CredentialsUnavailable, match=words) as unavailable:
        get_locally(endpoint.url, "endpoint-token")
    assert "a-secret" not in str(unavailable.value)
    assert "endpoint-token" not in str(unavailable.value)
    assert len(endpoint.requests) == 1
