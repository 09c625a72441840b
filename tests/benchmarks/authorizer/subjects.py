"""Who is measured, how each is started, and what it needs."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any, NamedTuple

from tests.benchmarks.authorizer.material import KEYS_TABLE, RATE_LIMITS_TABLE, ROOT

HERE = Path(__file__).parent
BUNDLED = HERE / "node" / "node_modules" / ".bundled"
OURS = "ours"
SINGLE = "boto3_single"
USUAL = "usual"


class Subject(NamedTuple):
    """One way to guard an API.

    Attributes:
        name: short, for files and code.
        title: for the report.
        module: what the workers import.
        store: which store it asks, for the report.
        counts: whether it counts every request, as a limit needs.
        tokens: whether it takes JWTs.
        dynamodb: whether it speaks DynamoDB, so that the stub serves it.
        node: whether it runs in Node.
        tls_module: what is imported for a start over TLS, when that differs.
        packages: the distributions that are deployed with it.
    """

    name: str
    title: str
    module: str
    store: str
    counts: bool = True
    tokens: bool = False
    dynamodb: bool = True
    node: bool = False
    tls_module: str = ""
    packages: tuple[str, ...] = ()


PYTHON_SUBJECTS = [
    Subject(OURS, "ChatGrid Auth", "ours", "DynamoDB", tokens=True, tls_module="ours_tls"),
    Subject(SINGLE, "(b) the same, over boto3", "boto3_single", "DynamoDB", packages=("boto3",)),
    Subject(
        USUAL,
        "(a) usual: boto3 Get, Update, Update; PyJWT; Powertools",
        "usual",
        "DynamoDB",
        tokens=True,
        packages=("boto3", "PyJWT", "cryptography", "aws-lambda-powertools", "aws-xray-sdk"),
    ),
    Subject(
        "django_keys",
        "(e) djangorestframework-api-key",
        "django_keys",
        "SQLite file, in process",
        counts=False,
        dynamodb=False,
        packages=("djangorestframework-api-key", "djangorestframework"),
    ),
    Subject(
        "safe_keys",
        "(f) safe-api-keys",
        "safe_keys",
        "SQLite file, in process",
        dynamodb=False,
        packages=("safe-api-keys",),
    ),
    Subject(
        "safe_keys_dynamodb",
        "(f) safe-api-keys, its store on DynamoDB by boto3",
        "safe_keys_dynamodb",
        "DynamoDB",
        packages=("safe-api-keys", "boto3"),
    ),
]
NODE_SUBJECTS = [
    Subject(
        "aws_sdk",
        "(c) Node SDK v3, our UpdateItem; aws-jwt-verify",
        "aws_sdk.mjs",
        "DynamoDB",
        tokens=True,
        node=True,
    ),
    Subject(
        "better_auth",
        "(d) better-auth, api-key plugin",
        "better_auth.mjs",
        "memory, in process",
        dynamodb=False,
        node=True,
    ),
]


def present() -> list[Subject]:
    """The subjects that this machine can run: those in Node where Node and its modules are."""
    found = list(PYTHON_SUBJECTS)
    if shutil.which("node") and BUNDLED.is_dir():
        found += NODE_SUBJECTS
    return found


def environment(url: str, folder: Path) -> dict[str, str]:
    """What every subject finds in its environment.

    Args:
        url: where the stub is.
        folder: where prepared databases and the stub's certificate are.
    """
    paths = (HERE / "peers", ROOT / "layers" / "auth", ROOT / "functions" / "authorizer")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "PYTHONUNBUFFERED": "1",  # as in Lambda
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",  # AWS's example
        "AWS_SESSION_TOKEN": "x" * 800,  # about as long as a function's own
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL_DYNAMODB": url,
        "AWS_CA_BUNDLE": str(folder / "certificate.pem"),
        "NODE_EXTRA_CA_CERTS": str(folder / "certificate.pem"),
        "BENCHMARK_ROOTS": str(folder / "roots"),
        "KEYS_TABLE": KEYS_TABLE,
        "RATE_LIMITS_TABLE": RATE_LIMITS_TABLE,
        "USAGE_KEY_STANDARD": "standard",
        "USAGE_KEY_WEB": "web",
        "USAGE_KEY_LIMITED": "limited",
        "METRICS_NAMESPACE": "ChatGrid/benchmark",
        "TOKEN_SECRET_ARN": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:tokens",
        "FAILED_ATTEMPTS_PER_MINUTE": "30",  # the template's default
        "SUPABASE_URL": url,
        "POWERTOOLS_TRACE_DISABLED": "true",
        "NODE_NO_WARNINGS": "1",
        "JWKS_FILE": str(folder / "jwks.json"),
        "DJANGO_DATABASE": str(folder / "django.sqlite3"),
        "SAFE_KEYS_DATABASE": str(folder / "safe_keys.sqlite3"),
        "BETTER_AUTH_DATABASE": str(folder / "better_auth.json"),
    }


def first_decision(subject: Subject, event: dict[str, Any], *, tls: bool, after: str) -> list[str]:
    """The command of a process that decides once and ends.

    Args:
        subject: who decides.
        event: about what.
        tls: whether its store is reached over TLS.
        after: a statement to run after the decision; in Node, the end of the process follows.
    """
    if subject.node:
        after = after if after.endswith(";") else ""
        return [
            "node",
            "-e",
            f"import({str(BUNDLED / subject.module)!r}).then(async (subject) => {{"
            f" await subject.handler({json.dumps(event)}); {after} process.exit(0); }})",
        ]
    module = subject.tls_module if tls and subject.tls_module else subject.module
    return [
        sys.executable,
        "-c",
        # The event comes as JSON, as Lambda has it: compiling it as Python would be measured too.
        f"from {module} import handler\nfrom invocation import CONTEXT\nimport json, sys\n"
        f"handler(json.loads(sys.argv[1]), CONTEXT)\n{after}",
        json.dumps(event),
    ]


def worker(subject: Subject) -> list[str]:
    """The command of a subject's worker."""
    if subject.node:
        return ["node", str(HERE / "node" / "worker.mjs"), str(BUNDLED / subject.module)]
    return [sys.executable, str(HERE / "peers" / "worker.py"), subject.module]
