"""Over TLS the lean client trusts whom it should, and keeps its deadlines and its connection."""

from __future__ import annotations

import socket
import ssl
import sys
import time
from collections import Counter
from collections.abc import Callable
from types import FrameType

import pytest
from cryptography import x509

from chatgrid_auth.adapters.awslite.container_credentials import get_locally
from chatgrid_auth.adapters.awslite.credentials import CredentialsUnavailable
from chatgrid_auth.adapters.awslite.dynamodb_responses import RetryPolicy
from chatgrid_auth.domain.errors import StoreUnavailable
from tests.contract.clients import Connect, Serve, connect, serve
from tests.support.servers.authority import LOOPBACK, Authority
from tests.support.servers.fault_server import (
    answer,
    answer_and_close,
    drip,
    hang_up,
    response,
    say_nothing,
)

__all__ = ["connect", "serve"]  # fixtures

GOOD = {"n": 1}


@pytest.fixture(scope="module")
def make_authority(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Authority]:
    return lambda name: Authority(tmp_path_factory.mktemp("tls"), name)


@pytest.fixture(scope="module")
def authority(make_authority: Callable[[str], Authority]) -> Authority:
    return make_authority("authority")


@pytest.fixture(scope="module")
def stranger(make_authority: Callable[[str], Authority]) -> Authority:
    return make_authority("stranger")


@pytest.fixture
def tls(authority: Authority) -> ssl.SSLContext:
    return authority.serving(LOOPBACK)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_calls_share_one_connection_whatever_tls_says_to_itself(
    serve: Serve,
    connect: Connect,
    authority: Authority,
    tls: ssl.SSLContext,
    version: ssl.TLSVersion,
) -> None:
    tls.minimum_version = tls.maximum_version = version
    big = {"a": "x" * 200_000}
    server = serve(*[answer(response(body)) for body in (GOOD, big, GOOD)], tls=tls)
    one = connect(server, cafile=str(authority.pem))
    assert one.call("UpdateItem", {}) == GOOD
    assert one.call("UpdateItem", big) == big
    assert one.call("UpdateItem", {}) == GOOD
    assert server.connections == 1


def test_a_warm_connection_is_used_though_session_tickets_wait_in_it(
    serve: Serve, connect: Connect, authority: Authority, tls: ssl.SSLContext
) -> None:
    server = serve(answer(response(GOOD)), tls=tls)
    one = connect(server, cafile=str(authority.pem))
    one.warm()
    server.wait_handshaken(1)
    assert one.call("UpdateItem", {}) == GOOD
    assert server.connections == 1


def test_a_warm_call_over_tls_reads_nothing_in_vain(
    serve: Serve, connect: Connect, authority: Authority, tls: ssl.SSLContext
) -> None:
    one = connect(serve(*[answer(response(GOOD))] * 3, tls=tls), cafile=str(authority.pem))
    for _ in range(2):  # what TLS says to itself comes with the first
        one.call("UpdateItem", {})
    made = Counter[str]()

    def count(_: FrameType, event: str, function: object) -> None:
        made[getattr(function, "__name__", "") if event == "c_call" else ""] += 1

    sys.setprofile(count)
    try:
        one.call("UpdateItem", {})
    finally:
        sys.setprofile(None)
    assert {name: made[name] for name in ("poll", "read", "write")} == {
        "poll": 2,
        "read": 1,
        "write": 1,
    }


def test_a_server_that_nobody_vouches_for_is_not_talked_to(
    serve: Serve, connect: Connect, tls: ssl.SSLContext
) -> None:
    server = serve(answer(response(GOOD)), tls=tls)
    with pytest.raises(StoreUnavailable, match="UpdateItem: SSLCertVerificationError"):
        connect(server).call("UpdateItem", {})
    assert server.requests == []
    assert server.connections <= 2, "once with Amazon's roots, once with the platform's"


def test_credentials_are_not_asked_of_a_server_that_nobody_vouches_for(
    serve: Serve, tls: ssl.SSLContext
) -> None:
    server = serve(answer(response(GOOD)), tls=tls)
    with pytest.raises(CredentialsUnavailable, match="SSLCertVerificationError"):
        get_locally(server.url, "endpoint-token")
    assert server.requests == []


def test_the_platforms_roots_serve_where_amazons_do_not(
    serve: Serve,
    connect: Connect,
    authority: Authority,
    tls: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem))
    server = serve(answer_and_close(response(GOOD)), answer(response(GOOD)), tls=tls)
    one = connect(server)
    assert one.call("UpdateItem", {}) == GOOD
    assert server.connections == 2
    server.wait_closed(2)
    assert one.call("UpdateItem", {}) == GOOD
    assert server.connections == 3, "the platform's roots stay in use"


def test_a_given_file_is_all_the_trust_there_is(
    serve: Serve,
    connect: Connect,
    authority: Authority,
    stranger: Authority,
    tls: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem))
    server = serve(answer(response(GOOD)), tls=tls)
    with pytest.raises(StoreUnavailable, match="SSLCertVerificationError"):
        connect(server, cafile=str(stranger.pem)).call("UpdateItem", {})
    assert server.requests == []


def test_another_servers_certificate_is_refused(
    serve: Serve, connect: Connect, authority: Authority
) -> None:
    server = serve(answer(response(GOOD)), tls=authority.serving(x509.DNSName("other.example")))
    with pytest.raises(StoreUnavailable, match="SSLCertVerificationError"):
        connect(server, cafile=str(authority.pem)).call("UpdateItem", {})
    assert server.requests == []


def test_a_file_without_certificates_is_noticed_at_once(serve: Serve, connect: Connect) -> None:
    with pytest.raises(OSError, match=r"."):
        connect(serve(), endpoint="https://127.0.0.1:1/", cafile=__file__)


def test_a_stale_connection_is_replaced(
    serve: Serve, connect: Connect, authority: Authority, tls: ssl.SSLContext
) -> None:
    steps = (answer_and_close(response(GOOD)), answer(response(GOOD)), hang_up)
    server = serve(*steps, answer(response(GOOD)), tls=tls)
    one = connect(server, cafile=str(authority.pem))
    one.call("UpdateItem", {})
    server.wait_closed(1)
    assert one.call("UpdateItem", {}) == GOOD
    assert one.call("UpdateItem", {}) == GOOD
    assert server.connections == 3


def test_a_cut_off_answer_is_not_an_answer(
    serve: Serve, connect: Connect, authority: Authority, tls: ssl.SSLContext
) -> None:
    server = serve(answer_and_close(response(GOOD)[:-1]), answer(response(GOOD)), tls=tls)
    assert connect(server, cafile=str(authority.pem)).call("UpdateItem", {}) == GOOD
    assert len(server.requests) == 2


def test_slowness_costs_no_more_than_the_budget(
    serve: Serve, connect: Connect, authority: Authority, tls: ssl.SSLContext
) -> None:
    retry_policy = RetryPolicy(connect=0.1, reply=0.1, budget=0.2)
    dripping = drip(response(GOOD), every_seconds=0.02)
    server = serve(say_nothing, dripping, dripping, tls=tls)
    started = time.monotonic()
    with pytest.raises(StoreUnavailable, match="Timeout"):
        connect(server, cafile=str(authority.pem), retry_policy=retry_policy).call("UpdateItem", {})
    assert time.monotonic() - started < retry_policy.budget + 10


def test_a_handshake_that_never_ends_costs_no_more_than_connecting_may(connect: Connect) -> None:
    retry_policy = RetryPolicy(connect=0.05, attempts=1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        started = time.monotonic()
        one = connect(None, endpoint=url, retry_policy=retry_policy)
        with pytest.raises(StoreUnavailable, match="UpdateItem: ConnectTimeout"):
            one.call("UpdateItem", {})
        assert time.monotonic() - started < retry_policy.connect + 10
