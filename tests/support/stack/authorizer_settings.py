"""An environment that the authorizer starts in."""

from __future__ import annotations

SETTINGS = {
    "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9",
    "KEYS_TABLE": "keys",
    "RATE_LIMITS_TABLE": "rate-limits",
    "USAGE_KEY_STANDARD": "standard-tier",
    "USAGE_KEY_WEB": "web-tier",
    "USAGE_KEY_LIMITED": "limited-tier",
    "METRICS_NAMESPACE": "ChatGrid/test",
    "TOKEN_SECRET_ARN": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:tokens-AbCdEf",
}
