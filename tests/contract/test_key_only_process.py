"""A container loads PyJWT and cryptography for a signature to be checked, and for nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from chatgrid_auth.domain.keys import generate
from chatgrid_devkit.stack.ministack import Ministack
from tests.support.aws import VARIABLES
from tests.support.tables.stores import dynamodb, keys_table, rate_limits_table
from tests.vectors.jwt.forge import Forge, new_private_jwks

PROJECT = "http://127.0.0.1:1"
PROGRAM = """
import gc, json, sys
from chatgrid_authorizer.handler import handler
reasons = []
for credential in json.load(sys.stdin):
    try:
        answer = handler({
            "type": "REQUEST",
            "methodArn": "arn:aws:execute-api:eu-central-1:111122223333:abcdef/v1/GET/me",
            "resource": "/me",
            "path": "/me",
            "httpMethod": "GET",
            "headers": {"Authorization": "Bearer " + credential},
            "multiValueHeaders": {"Authorization": ["Bearer " + credential]},
            "requestContext": {"requestId": "r"},
        }, None)
    except Exception as fault:
        reasons.append(type(fault).__name__)
    else:
        reasons.append(answer["context"].get("reason"))
assert gc.isenabled()  # also after what was loaded without it
loaded = sorted({"jwt", "cryptography", "boto3", "urllib.request"} & set(sys.modules))
print(json.dumps({"reasons": reasons, "loaded": loaded}), file=sys.stderr)
"""


@pytest.fixture
def environment(ministack: Ministack) -> dict[str, str]:
    client = dynamodb(ministack.endpoint)
    return {
        **VARIABLES,
        "PATH": os.environ["PATH"],
        "KEYS_TABLE": keys_table(client),
        "RATE_LIMITS_TABLE": rate_limits_table(client),
        "USAGE_KEY_STANDARD": "standard",
        "USAGE_KEY_WEB": "web",
        "USAGE_KEY_LIMITED": "limited",
        "METRICS_NAMESPACE": "Test",
        "TOKEN_SECRET_ARN": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:tokens-AbCdEf",
        "SUPABASE_URL": PROJECT,
        "AWS_ENDPOINT_URL_DYNAMODB": ministack.endpoint,
    }


def outcome(environment: dict[str, str], credentials: list[str]) -> tuple[list[str], list[str]]:
    """The reasons for the refusals, and which of the heavy modules were loaded after them."""
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(credentials),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stderr)
    return result["reasons"], result["loaded"]


def test_keys_good_or_bad_load_neither_pyjwt_nor_cryptography(environment: dict[str, str]) -> None:
    well_formed = generate("live", entropy=os.urandom)
    reasons, loaded = outcome(environment, [well_formed, "cgk_live_x", "no-credential", ""])
    assert reasons[0] == "unknown"
    assert set(reasons[1:]) == {"malformed"}
    assert loaded == []


def forge(issuer: str = f"{PROJECT}/auth/v1") -> Forge:
    return Forge(
        private_jwks=new_private_jwks(),
        secret="",
        issuer=issuer,
        audience="authenticated",
        now_s=int(time.time()),
    )


def test_nor_does_a_token_that_needs_no_signature_to_be_refused(
    environment: dict[str, str],
) -> None:
    hopeless = [
        "e30.e30.AAAA",
        "no.json.here",
        forge().token({"alg": "none"}),
        forge().token({"claims": {"exp": "$now-3600"}}),
        forge(issuer="https://other.example/auth/v1").token({}),
    ]
    reasons, loaded = outcome(environment, hopeless)
    assert reasons == ["invalid_token"] * len(hopeless)
    assert loaded == []


def test_nor_does_any_token_where_jwts_are_off(environment: dict[str, str]) -> None:
    reasons, loaded = outcome(environment | {"SUPABASE_URL": ""}, [forge().token({})])
    assert (reasons, loaded) == (["invalid_token"], [])


def test_the_first_token_that_may_be_good_loads_them(environment: dict[str, str]) -> None:
    reasons, loaded = outcome(environment, [forge().token({})])
    assert reasons == ["IdentityProviderUnavailable"], "nobody publishes keys there"
    assert {"jwt", "cryptography"} <= set(loaded)
