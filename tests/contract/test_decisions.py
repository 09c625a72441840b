"""The gate over a real store: every verdict, with at most one DynamoDB request each."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.adapters.rate_limits_table.user_windows import UserWindows
from chatgrid_auth.domain import keys
from chatgrid_auth.domain.credentials import IssuedKey
from chatgrid_auth.domain.errors import StoreUnavailable
from chatgrid_auth.domain.verdicts import Allowed, Forbidden, Limited, Refused
from chatgrid_auth.services.gate.authenticate import Authenticator
from chatgrid_auth.services.gate.requests import Request
from tests.support.tables.in_process import in_this_store
from tests.support.tables.key_service import change_service, key_service, new_key
from tests.support.tables.stores import counting, keys_table, rate_limits_table
from tests.support.tokens import derived

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from chatgrid_auth.domain.verdicts import Verdict

NOW_MS = 1_800_000_000_000
OWNER = str(uuid4())


JWKS_AGE_MS = 1_234


class Claims:
    """What the stand-in for the JWT verifier found in a token."""

    def __init__(self, user_id: str) -> None:
        self.user_id = user_id
        self.email: str | None = "ada@example.org"
        self.anonymous = False
        self.expires_at_ms = NOW_MS + 3_600_000


class Tokens:
    """Takes any token of three parts for the user that its first part names."""

    def verify(self, token: str, *, now_ms: int) -> Claims | None:
        user_id = token.split(".", maxsplit=1)[0]
        return Claims(user_id) if user_id else None

    def jwks_age_ms(self, now_ms: int) -> int | None:
        return JWKS_AGE_MS


class Gate:
    """The gate over one store, under a clock that the test sets."""

    def __init__(self, client: DynamoDBClient, *, jwt_limit: int = 200) -> None:
        self.client = client
        self.table = keys_table(client)
        self.users_table = rate_limits_table(client)
        self.jwt_limit = jwt_limit
        self.now_ms = NOW_MS
        self.issuing = key_service(client, table=self.table, now_ms=lambda: self.now_ms)
        self.changing = change_service(client, table=self.table, now_ms=lambda: self.now_ms)
        self.requests = counting(client)
        self.container = self.new_container()

    def new_container(self, tokens: Callable[[], Tokens] | None = None) -> Authenticator:
        """A container without any memory."""
        transport = Boto3Transport(self.client)
        return Authenticator(
            keys=KeyDecisions(transport, table=self.table),
            users=UserWindows(
                transport,
                table=self.users_table,
                limit=self.jwt_limit,
                now_ms=lambda: self.now_ms,
            ),
            tokens=tokens or Tokens,
            derived=derived,
            key_tier="standard-tier",
            jwt_tier="web-tier",
            limited_tier="limited-tier",
        )

    def issue(self, **facts: object) -> IssuedKey:
        return new_key(self.issuing, OWNER, **{"scopes": ["read", "write"], **facts})

    def name_own_gateway_key(self, raw_key: str, value: str) -> None:
        self.client.update_item(
            TableName=self.table,
            Key={"pk": {"S": "KEY#" + keys.hash_of(raw_key)}, "sk": {"S": "#"}},
            UpdateExpression="SET gw = :value",
            ExpressionAttributeValues={":value": {"S": value}},
        )

    def ask(self, credential: str, *, scope: str = "read") -> Verdict:
        return self.container.decide(
            f"Bearer {credential}", request=Request(scope), now_ms=self.now_ms
        )

    def cost(self, credential: str, *, scope: str = "read") -> tuple[Verdict, int]:
        """A verdict, and how many store requests it took."""
        before = self.requests()
        verdict = self.ask(credential, scope=scope)
        return verdict, self.requests() - before


@pytest.fixture
def gate(client: DynamoDBClient) -> Gate:
    return Gate(client)


@pytest.fixture
def make_gate(client: DynamoDBClient) -> Callable[..., Gate]:
    return lambda **settings: Gate(client, **settings)


def some_key() -> str:
    return keys.generate("live", entropy=os.urandom)


def test_a_good_key_is_allowed_with_its_caller_and_figures(gate: Gate) -> None:
    issued = gate.issue(expires_at_ms=NOW_MS + 5)
    verdict, requests = gate.cost(issued.raw_key)
    assert isinstance(verdict, Allowed)
    caller = verdict.caller
    assert (caller.user_id, caller.key_id, caller.auth_mode) == (OWNER, issued.key.id, "api-key")
    assert (caller.scopes, caller.environment) == (("read", "write"), "live")
    assert caller.expires_at_ms == NOW_MS + 5
    assert (verdict.figures.limit, verdict.figures.remaining) == (120, 119)
    assert verdict.usage_key == "standard-tier"
    assert requests == 1


def test_an_allowed_request_stamps_the_last_use(gate: Gate) -> None:
    issued = gate.issue()
    gate.now_ms += 42
    gate.ask(issued.raw_key)
    assert gate.issuing.get(OWNER, issued.key.id).last_used_at_ms == gate.now_ms


def test_a_key_with_its_own_api_gateway_key_is_counted_there(gate: Gate) -> None:
    issued = gate.issue()
    gate.name_own_gateway_key(issued.raw_key, "its-own")
    verdict = gate.ask(issued.raw_key)
    assert isinstance(verdict, Allowed)
    assert verdict.usage_key == "its-own"


def test_a_request_over_its_limit_is_never_counted_on_the_keys_own(gate: Gate) -> None:
    """A remembered refusal must not name a gateway key that was deleted meanwhile."""
    issued = gate.issue(rate_limit=1)
    gate.name_own_gateway_key(issued.raw_key, "its-own")
    first, over, remembered = (gate.ask(issued.raw_key) for _ in range(3))
    assert isinstance(first, Allowed)
    assert isinstance(over, Limited)
    assert isinstance(remembered, Limited)
    assert [first.usage_key, over.usage_key, remembered.usage_key] == [
        "its-own",
        "limited-tier",
        "limited-tier",
    ]


def test_an_unknown_key_is_refused_after_one_request_and_then_from_memory(gate: Gate) -> None:
    raw = some_key()
    for expected in (1, 0, 0):
        verdict, requests = gate.cost(raw)
        assert isinstance(verdict, Refused)
        assert (verdict.message, verdict.reason) == ("Missing or invalid token", "unknown")
        assert requests == expected
    gate.now_ms += 5_000
    assert gate.cost(raw)[1] == 1, "an unknown key must be asked about again in seconds"


def test_a_revoked_key_is_refused_on_the_very_next_request(gate: Gate) -> None:
    issued = gate.issue()
    assert isinstance(gate.ask(issued.raw_key), Allowed)
    gate.issuing.revoke(OWNER, issued.key.id)
    for expected in (1, 0):
        verdict, requests = gate.cost(issued.raw_key)
        assert isinstance(verdict, Refused)
        assert verdict.message == "API key has been revoked"
        assert requests == expected


@pytest.mark.parametrize("frozen_ms", [5_000, 3_600_000])
def test_no_refusal_is_given_from_memory_for_longer_than_five_seconds(
    gate: Gate, frozen_ms: int
) -> None:
    revoked, limited = gate.issue(), gate.issue(rate_limit=1)
    gate.issuing.revoke(OWNER, revoked.key.id)
    gate.ask(limited.raw_key)
    asked_at_ms = gate.now_ms
    for raw_key in (revoked.raw_key, limited.raw_key):
        assert [gate.cost(raw_key)[1] for _ in range(3)] == [1, 0, 0]
    gate.now_ms = asked_at_ms + 4_999
    assert gate.cost(revoked.raw_key)[1] == gate.cost(limited.raw_key)[1] == 0
    gate.now_ms = asked_at_ms + frozen_ms
    assert gate.cost(revoked.raw_key)[1] == gate.cost(limited.raw_key)[1] == 1


def test_an_expired_key_is_refused_at_its_very_millisecond(gate: Gate) -> None:
    issued = gate.issue(expires_at_ms=NOW_MS + 1_000)
    gate.now_ms = NOW_MS + 999
    assert isinstance(gate.ask(issued.raw_key), Allowed)
    gate.now_ms = NOW_MS + 1_000
    for expected in (1, 0):
        verdict, requests = gate.cost(issued.raw_key)
        assert isinstance(verdict, Refused)
        assert verdict.message == "API key has expired"
        assert requests == expected


def test_a_missing_scope_is_told_and_uses_no_budget(gate: Gate) -> None:
    issued = gate.issue(scopes=["read"])
    for scope in ("write", "admin", "write"):
        verdict, requests = gate.cost(issued.raw_key, scope=scope)
        assert isinstance(verdict, Forbidden)
        assert verdict.figures is not None
        assert (verdict.reason, verdict.figures.remaining) == (scope, 120)
        assert requests == 1
    verdict = gate.ask(issued.raw_key)
    assert isinstance(verdict, Allowed)
    assert verdict.figures.remaining == 119


def test_hammering_a_limited_key_costs_one_request_in_five_seconds(
    gate: Gate,
) -> None:
    """And the limit is the key's own."""
    issued = gate.issue(rate_limit=3)
    assert [type(gate.ask(issued.raw_key)) for _ in range(3)] == [Allowed] * 3
    verdict, requests = gate.cost(issued.raw_key)
    assert isinstance(verdict, Limited)
    assert (verdict.figures.limit, verdict.figures.remaining) == (3, 0)
    assert verdict.usage_key == "limited-tier"
    assert requests == 1
    assert verdict.retry_after_s is not None
    free_at_ms = gate.now_ms + verdict.retry_after_s * 1_000
    for passed_ms in range(100, 60_000, 100):
        gate.now_ms += 100
        verdict, requests = gate.cost(issued.raw_key)
        assert isinstance(verdict, Limited)
        assert requests == (passed_ms % 5_000 == 0)
        assert verdict.retry_after_s is not None
        assert gate.now_ms + verdict.retry_after_s * 1_000 - free_at_ms in range(1_000)
    assert isinstance(gate.cost(issued.raw_key, scope="admin")[0], Forbidden)
    gate.now_ms = free_at_ms
    assert isinstance(gate.ask(issued.raw_key), Allowed)


def test_a_limited_key_that_expires_meanwhile_is_expired_from_then_on(gate: Gate) -> None:
    issued = gate.issue(rate_limit=1, expires_at_ms=NOW_MS + 2_000)
    gate.ask(issued.raw_key)
    assert isinstance(gate.ask(issued.raw_key), Limited)
    gate.now_ms = NOW_MS + 1_999
    assert isinstance(gate.ask(issued.raw_key), Limited)
    gate.now_ms = NOW_MS + 2_000
    verdict = gate.ask(issued.raw_key)
    assert isinstance(verdict, Refused)
    assert verdict.message == "API key has expired"


def test_a_limited_key_hears_of_its_revocation_in_five_seconds(
    gate: Gate,
) -> None:
    """At the latest: until then it may hear 429."""
    issued = gate.issue(rate_limit=1)
    gate.ask(issued.raw_key)
    assert isinstance(gate.ask(issued.raw_key), Limited)
    gate.issuing.revoke(OWNER, issued.key.id)
    gate.now_ms += 4_999
    assert not isinstance(gate.ask(issued.raw_key), Allowed)
    gate.now_ms += 1
    verdict = gate.ask(issued.raw_key)
    assert isinstance(verdict, Refused)
    assert verdict.reason == "revoked"


def test_a_raised_limit_is_seen_five_seconds_later_at_the_latest(gate: Gate) -> None:
    issued = gate.issue(rate_limit=1)
    gate.ask(issued.raw_key)
    assert isinstance(gate.ask(issued.raw_key), Limited)
    gate.changing.change(OWNER, issued.key.id, {"rate_limit": 2})
    gate.now_ms += 5_000
    assert isinstance(gate.ask(issued.raw_key), Allowed)


def test_containers_share_one_budget(gate: Gate) -> None:
    issued = gate.issue(rate_limit=5)
    others = [gate.new_container() for _ in range(4)]
    verdicts = [
        container.decide(f"Bearer {issued.raw_key}", request=Request("read"), now_ms=gate.now_ms)
        for container in others * 2
    ]
    assert sum(isinstance(verdict, Allowed) for verdict in verdicts) == 5


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        "Bearer one two",
        "Bearer cgk_live_",
        "Bearer cgk_live_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6",
        "Bearer not-a-token",
        "Bearer " + "a" * 10_000,
        "cgk_live_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6",
        "Bearer\tx",
        "Bearer \ud800",
    ],
)
def test_what_is_malformed_never_reaches_the_store(gate: Gate, authorization: str | None) -> None:
    before = gate.requests()
    verdict = gate.container.decide(authorization, request=Request("read"), now_ms=NOW_MS)
    assert isinstance(verdict, Refused)
    assert (verdict.message, verdict.reason) == ("Missing or invalid token", "malformed")
    assert gate.requests() == before


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
@pytest.mark.parametrize("space", [" ", "   "])
def test_the_scheme_is_matched_in_any_case(gate: Gate, scheme: str, space: str) -> None:
    issued = gate.issue()
    header = f"{scheme}{space}{issued.raw_key}"
    assert isinstance(
        gate.container.decide(header, request=Request("read"), now_ms=NOW_MS), Allowed
    )


def test_a_jwt_user_has_a_budget_of_its_own(make_gate: Callable[..., Gate]) -> None:
    gate = make_gate(jwt_limit=3)
    ada, bob = str(uuid4()), str(uuid4())
    costs = [gate.cost(f"{ada}.p.s", scope="admin") for _ in range(3)]
    assert all(isinstance(verdict, Allowed) for verdict, _ in costs)
    assert [requests for _, requests in costs] == [2, 1, 1]
    first = costs[0][0]
    assert isinstance(first, Allowed)
    assert (first.caller.auth_mode, first.caller.email) == ("jwt", "ada@example.org")
    assert first.caller.scopes == ("read", "write", "admin")
    assert (first.usage_key, first.figures.remaining) == ("web-tier", 2)
    assert first.jwks_age_ms == JWKS_AGE_MS
    limited, requests = gate.cost(f"{ada}.p.s")
    assert isinstance(limited, Limited)
    assert requests == 1
    assert gate.cost(f"{ada}.p.s")[1] == 0
    assert isinstance(gate.ask(f"{bob}.p.s"), Allowed)
    assert limited.retry_after_s is not None
    gate.now_ms += limited.retry_after_s * 1_000
    assert isinstance(gate.ask(f"{ada}.p.s"), Allowed)


def test_another_limit_for_jwt_users_holds_from_the_next_requests(
    make_gate: Callable[..., Gate],
) -> None:
    gate = make_gate(jwt_limit=5)
    token = f"{uuid4()}.p.s"
    gate.ask(token)
    gate.jwt_limit = 2
    gate.container = gate.new_container()
    verdicts = [gate.ask(token) for _ in range(4)]
    assert sum(isinstance(verdict, Allowed) for verdict in verdicts) == 1
    assert all(
        verdict.figures.limit == 2
        for verdict in verdicts
        if isinstance(verdict, (Allowed, Limited))
    )


def test_a_request_counts_at_the_time_of_its_write(
    gate: Gate,
) -> None:
    """However long its token took to verify."""
    # The window holds for writes that are at most two seconds on their way, and asking the
    # identity provider for its keys may take that long by itself.
    user = str(uuid4())
    slow_ms = 30_000

    class SlowTokens(Tokens):
        def verify(self, token: str, *, now_ms: int) -> Claims | None:
            gate.now_ms += slow_ms
            return super().verify(token, now_ms=now_ms)

    container = gate.new_container(SlowTokens)
    verdict = container.decide(f"Bearer {user}.p.s", request=Request("read"), now_ms=gate.now_ms)
    assert isinstance(verdict, Allowed)
    assert verdict.figures.reset_s * 1_000 > gate.now_ms + 60_000


def test_a_token_that_is_not_accepted_costs_no_store_request(gate: Gate) -> None:
    verdict, requests = gate.cost(".p.s")
    assert isinstance(verdict, Refused)
    assert (verdict.message, verdict.reason) == ("Missing or invalid token", "invalid_token")
    assert requests == 0


def test_a_store_that_is_out_is_never_a_bad_key(gate: Gate) -> None:
    raw = gate.issue().raw_key
    gate.client.delete_table(TableName=gate.table)
    gate.client.delete_table(TableName=gate.users_table)
    with pytest.raises(StoreUnavailable):
        gate.ask(raw)
    with pytest.raises(StoreUnavailable):
        gate.ask(f"{uuid4()}.p.s")


@in_this_store
def test_a_sparsely_used_key_still_fits_one_write_unit(gate: Gate) -> None:
    """However long it is used now and then."""
    issued = gate.issue()
    before = gate.requests()
    uses = 150
    for _ in range(uses):
        gate.now_ms += 301_000  # longer than any stale name is swept by the next write
        assert isinstance(gate.ask(issued.raw_key), Allowed)
    assert (gate.requests() - before) / uses <= 1.05
    item = gate.client.get_item(
        TableName=gate.table,
        Key={"pk": {"S": "KEY#" + keys.hash_of(issued.raw_key)}, "sk": {"S": "#"}},
    )["Item"]
    assert sum(len(name) + 4 for name in item) < 700


def test_a_refusal_names_a_known_key_and_nothing_of_an_unknown_one(gate: Gate) -> None:
    revoked, expired = gate.issue(), gate.issue(expires_at_ms=NOW_MS + 1)
    limited, lesser = gate.issue(rate_limit=1), gate.issue(scopes=["read"])
    gate.issuing.revoke(OWNER, revoked.key.id)
    gate.now_ms += 10
    gate.ask(limited.raw_key)
    for issued in (revoked, expired, limited):
        for _ in range(2):  # from the store, and from memory
            refused = gate.ask(issued.raw_key)
            assert isinstance(refused, Refused | Limited)
            assert refused.key_id == issued.key.id
    forbidden = gate.ask(lesser.raw_key, scope="write")
    assert isinstance(forbidden, Forbidden)
    assert forbidden.key_id == lesser.key.id
    unknown = gate.ask(keys.generate("live", entropy=os.urandom))
    assert isinstance(unknown, Refused)
    assert unknown.key_id is None
