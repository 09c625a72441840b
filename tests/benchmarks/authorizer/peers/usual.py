"""The usual authorizer: boto3 with GetItem, UpdateItem, UpdateItem; PyJWT; Powertools.

Boto3's client, not its resource, which most tutorials use and which costs more. X-Ray's daemon is
not there, so the Tracer is loaded and switched off, as Powertools does outside Lambda.
"""

from __future__ import annotations

import os
import time
from hashlib import sha256
from typing import Any

import boto3
import jwt
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

logger = Logger(service="authorizer")
tracer = Tracer(service="authorizer")
metrics = Metrics(namespace="ChatGrid/benchmark", service="authorizer")
client = boto3.client("dynamodb")

KEYS = os.environ["KEYS_TABLE"]
LIMITS = os.environ["RATE_LIMITS_TABLE"]
ISSUER = os.environ["SUPABASE_URL"] + "/auth/v1"
WINDOW_SECONDS = 60
signing_keys = jwt.PyJWKClient(ISSUER + "/.well-known/jwks.json", cache_keys=True)


def _policy(effect: str, principal: str, arn: str, context: dict[str, Any]) -> dict[str, Any]:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": arn}
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": context,
    }


@tracer.capture_method
def _count(who: str, limit: int) -> bool:
    """Whether the fixed window of this caller has room; counts the request."""
    now = int(time.time())
    window = now - now % WINDOW_SECONDS
    answer = client.update_item(
        TableName=LIMITS,
        Key={"pk": {"S": f"RATE#{who}#{window}"}},
        UpdateExpression="SET expires_on = :expires ADD #count :one",
        ExpressionAttributeNames={"#count": "count"},
        ExpressionAttributeValues={":one": {"N": "1"}, ":expires": {"N": str(window + 120)}},
        ReturnValues="UPDATED_NEW",
    )
    return int(answer["Attributes"]["count"]["N"]) <= limit


@tracer.capture_method
def _decide_key(key: str, arn: str) -> dict[str, Any]:
    if not key.startswith(("cgk_live_", "cgk_test_")):
        return _policy("Deny", "anonymous", arn, {"message": "Missing or invalid token"})
    key_hash = sha256(key.encode()).hexdigest()
    where = {"pk": {"S": f"KEY#{key_hash}"}, "sk": {"S": "#"}}
    item = client.get_item(TableName=KEYS, Key=where, ConsistentRead=True).get("Item")
    if item is None or item["state"]["S"] != "active":
        return _policy("Deny", "anonymous", arn, {"message": "Missing or invalid token"})
    if not _count(key_hash, int(item["limit"]["N"])):
        return _policy("Deny", "anonymous", arn, {"message": "Too many requests"})
    client.update_item(
        TableName=KEYS,
        Key=where,
        UpdateExpression="SET last_used_at = :now",
        ExpressionAttributeValues={":now": {"N": str(time.time_ns() // 1_000_000)}},
    )
    owner = item["owner"]["S"]
    return _policy("Allow", owner, arn, {"user_id": owner, "scopes": item["scopes"]["S"]})


@tracer.capture_method
def _decide_token(token: str, arn: str) -> dict[str, Any]:
    try:
        claims = jwt.decode(
            token,
            signing_keys.get_signing_key_from_jwt(token).key,
            algorithms=["ES256"],
            audience="authenticated",
            issuer=ISSUER,
        )
    except jwt.PyJWTError:
        return _policy("Deny", "anonymous", arn, {"message": "Missing or invalid token"})
    if not _count(claims["sub"], 200):
        return _policy("Deny", "anonymous", arn, {"message": "Too many requests"})
    return _policy("Allow", claims["sub"], arn, {"user_id": claims["sub"]})


@logger.inject_lambda_context(correlation_id_path="requestContext.requestId")
@tracer.capture_lambda_handler
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer API Gateway's question whether a request may go on."""
    credential = event["headers"]["Authorization"].removeprefix("Bearer ")
    decide = _decide_key if credential.startswith("cgk_") else _decide_token
    answer = decide(credential, event["methodArn"])
    effect = answer["policyDocument"]["Statement"][0]["Effect"]
    metrics.add_metric(name="Decisions", unit=MetricUnit.Count, value=1)
    logger.info("decision", extra={"outcome": effect, "method": event["httpMethod"]})
    return answer
