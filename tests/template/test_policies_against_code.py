"""The rights that the template gives are those that the code uses: none missing, none spare."""

from __future__ import annotations

import ast
import json
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from chatgrid_auth.adapters.api_gateway.control_plane import ApiGateway
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.domain.limits import window
from chatgrid_auth.services.gate.requests import Request
from tests.support.control_plane import Clock, FakeControlPlane
from tests.support.stack.templates import FUNCTIONS, ROOT, deployed

OPERATIONS = {
    "GetItem",
    "BatchGetItem",
    "Query",
    "Scan",
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "BatchWriteItem",
}
# A transaction needs the right for each of its parts.
PARTS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
ADAPTERS = "chatgrid_auth.adapters"
NOW_MS = 1_800_000_000_000
ITEM: dict[str, Any] = {
    "pk": {"S": "KEY#" + "0" * 64},
    "sk": {"S": "#"},
    "own": {"B": "AZjA3gAAQACAAAAAAAAAAQ=="},
    "id": {"B": "AZjA3gAAcACAAAAAAAAAAg=="},
    "lvl": {"N": "2"},
    "lim": {"N": "120"},
    "used": {"N": "1"},
    "cap": {"N": "121"},
}


def sources(function: str) -> set[Path]:
    """The function's own modules, and the adapters that its wiring puts together, and theirs."""
    package = ROOT / "functions" / function / f"chatgrid_{function}"
    found = set(package.rglob("*.py"))
    waiting = [package / "wiring.py"]
    while waiting:
        adapters = imported_by(waiting.pop()) - found
        found |= adapters
        waiting += adapters
    return found


def imported_by(path: Path) -> set[Path]:
    """The adapters that a module imports when it runs."""
    layer = ROOT / "layers" / "auth"
    found: set[Path] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(ADAPTERS):
            module = layer / (node.module or "").replace(".", "/")
            names = [module.with_suffix(".py"), *(module / f"{a.name}.py" for a in node.names)]
            found |= {name for name in names if name.is_file()}
    return found


def asked(path: Path) -> set[str]:
    """The DynamoDB operations that a module names."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and n.value != ""}
    keys = {
        key.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant)
    }
    return {str(t) for t in texts if t in OPERATIONS} | {PARTS[str(k)] for k in keys if k in PARTS}


def granted(function: str) -> set[str]:
    policies = deployed().resources[function.replace("Function", "Role")]["Policies"]
    actions: set[str] = set()
    for policy in policies:
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Sid"] == "ReadStream":
                continue  # Lambda's poller reads the stream, not the code
            action = statement["Action"]
            actions |= {action} if isinstance(action, str) else set(action)
    prefix = "dynamodb:"
    return {action.removeprefix(prefix) for action in actions if action.startswith(prefix)}


@pytest.mark.parametrize(("function", "folder"), FUNCTIONS.items())
def test_a_functions_rights_in_dynamodb_are_its_codes_calls(function: str, folder: str) -> None:
    """It may do what its code asks for, and nothing else."""
    assert granted(function) == set().union(*(asked(path) for path in sources(folder)))


# What each call of the control plane is to IAM: verbs upon collections and their members.
CONTROL_PLANE = {
    "get_api_keys": [("GET", "/apikeys")],
    # With tags, it is a second right upon the key's ARN, percent-encoded.
    "create_api_key": [
        ("POST", "/apikeys"),
        ("PUT", "/tags/arn%3Aaws%3Aapigateway%3Aeu-central-1%3A%3A%2Fapikeys%2Fk1"),
    ],
    "update_api_key": [("PATCH", "/apikeys/k1")],
    "delete_api_key": [("DELETE", "/apikeys/k1")],
    "get_usage_plans": [("GET", "/usageplans")],
    "get_usage_plan_key": [("GET", "/usageplans/gate-StandardUsagePlan/keys/k1")],
    "get_usage_plan_keys": [("GET", "/usageplans/gate-StandardUsagePlan/keys")],
    "create_usage_plan_key": [("POST", "/usageplans/gate-StandardUsagePlan/keys")],
}
NEEDED = {need for needs in CONTROL_PLANE.values() for need in needs}


def granted_on(statement: dict[str, Any], path: str) -> bool:
    patterns = statement["Resource"]
    arn = "arn:aws:apigateway:eu-central-1::" + path
    return any(
        fnmatchcase(arn, pattern)
        for pattern in ([patterns] if isinstance(patterns, str) else patterns)
    )


def verbs_of(statement: dict[str, Any]) -> set[str]:
    actions = statement["Action"]
    named = [actions] if isinstance(actions, str) else actions
    return {action.removeprefix("apigateway:") for action in named}


def test_the_reconciler_may_make_every_control_plane_call_it_makes() -> None:
    adapter = ROOT / "layers/auth/chatgrid_auth/adapters/api_gateway/control_plane.py"
    called = set(re.findall(r"_client\.(\w+)\(", adapter.read_text(encoding="utf-8")))
    assert called == set(CONTROL_PLANE)
    policy = deployed().resources["ReconcilerRole"]["Policies"][0]["PolicyDocument"]
    gateway = [s for s in policy["Statement"] if "apigateway:" in str(s["Action"])]
    for verb, path in NEEDED:
        assert [s for s in gateway if verb in verbs_of(s) and granted_on(s, path)], (verb, path)
    for statement in gateway:
        for verb in verbs_of(statement):
            assert [p for v, p in NEEDED if v == verb and granted_on(statement, p)], (
                f"{statement['Sid']}: nothing needs {verb}"
            )


def test_a_key_is_made_with_the_tag_its_rights_need() -> None:
    policy = deployed().resources["ReconcilerRole"]["Policies"][0]["PolicyDocument"]
    conditions = {
        s["Sid"]: s["Condition"]["StringEquals"]
        for s in policy["Statement"]
        if "GatewayKeys" in s["Sid"] and "Condition" in s and "StringEquals" in s["Condition"]
    }
    clock = Clock()
    plane = FakeControlPlane(clock)
    stack = deployed().environment("ReconcilerFunction")["USAGE_KEY_NAME_PREFIX"]
    ApiGateway(plane.client(), stack=stack).create("one", value="a" * 32, description="")
    (made,) = plane.get_api_keys(limit=1)["items"]
    for kind, sid in (("Request", "MakeGatewayKeys"), ("Resource", "ChangeGatewayKeys")):
        wanted = {f"aws:{kind}Tag/{name}": value for name, value in made["tags"].items()}
        assert conditions[sid] == wanted


class Recorder:
    """A store that admits every request, and remembers what it was asked."""

    def __init__(self, item: dict[str, Any]) -> None:
        self.asked: list[dict[str, Any]] = []
        self._item = item

    def call_encoded(self, operation: str, body: bytes) -> dict[str, Any]:
        assert operation == "UpdateItem"
        self.asked.append(json.loads(body))
        return {"Attributes": self._item}


KEYWORDS = {"SET", "REMOVE", "AND", "OR"}


def attributes(request: dict[str, Any]) -> set[str]:
    """The attributes that IAM sees in a request: those of the key and of both expressions."""
    text = f"{request['UpdateExpression']} {request['ConditionExpression']}"
    words = set(re.findall(r"(?<![:\w#])[A-Za-z]\w*(?!\w*\()", text)) - KEYWORDS
    placeholders = set(re.findall(r"#\w+", text))
    names = request.get("ExpressionAttributeNames", {})
    assert placeholders == set(names)
    return words | set(names.values()) | set(request["Key"])


@pytest.fixture
def condition() -> dict[str, list[str]]:
    policy = deployed().resources["AuthorizerRole"]["Policies"][0]
    (statement,) = (
        s for s in policy["PolicyDocument"]["Statement"] if s.get("Sid") == "DecideOnKeys"
    )
    found: dict[str, list[str]] = statement["Condition"]["ForAllValues:StringLike"]
    return found


def requests_about(
    item: dict[str, Any], classes: tuple[int, ...] = (), cost: int = 1
) -> list[dict[str, Any]]:
    store = Recorder(item)
    gate = KeyDecisions(store, table="keys", classes=classes)
    gate.admit("0" * 64, now_ms=NOW_MS, request=Request("read", cost=cost))
    return store.asked


STALE = {name: {"N": "5"} for name in window.checkpoint_names(NOW_MS // 1000 - 500, 70)}
LIVE = {name: {"N": "900000"} for name in window.checkpoint_names(NOW_MS // 1000 + 3, 20)}
CASES = {
    "a decision": ITEM,
    "sweeping up": {**ITEM, **STALE},
    "another limit": {**ITEM, **LIVE, "lim": {"N": "50"}},
    "shorter numbers": {**ITEM, **LIVE, "used": {"N": "899999"}, "cap": {"N": "900119"}},
}


@pytest.mark.parametrize("case", CASES)
def test_the_authorizers_requests_stay_within_the_attributes_that_it_may_touch(
    case: str, condition: dict[str, list[str]]
) -> None:
    requests = requests_about(CASES[case])
    assert len(requests) == (1 if case == "a decision" else 2)
    for request in requests:
        for name in attributes(request):
            allowed = condition["dynamodb:Attributes"]
            assert any(fnmatchcase(name, pattern) for pattern in allowed), name
        assert fnmatchcase(request["Key"]["pk"]["S"], condition["dynamodb:LeadingKeys"][0])


def test_the_authorizer_is_given_no_attribute_that_a_decision_does_not_touch(
    condition: dict[str, list[str]],
) -> None:
    (plain,) = requests_about(ITEM)
    (dear,) = requests_about(ITEM, classes=(5, 50, 500), cost=500)
    touched = attributes(plain) | attributes(dear)
    spare = [
        p for p in condition["dynamodb:Attributes"] if not [n for n in touched if fnmatchcase(n, p)]
    ]
    assert spare == []


@pytest.mark.parametrize("name", ["own", "id", "lim", "gw", "e", "cur", "off", "m", "name", "hash"])
def test_the_authorizer_cannot_touch_whose_a_key_is_or_its_granted_limit(
    name: str, condition: dict[str, list[str]]
) -> None:
    assert not [p for p in condition["dynamodb:Attributes"] if fnmatchcase(name, p)]


@pytest.mark.parametrize("name", ["lvl", "xAAAAAA", "v", "due", "top", "g"])
def test_only_the_code_keeps_the_authorizer_from_writing_what_it_compares(
    name: str, condition: dict[str, list[str]]
) -> None:
    """IAM knows no difference between an attribute that is compared and one that is written."""
    assert any(fnmatchcase(name, pattern) for pattern in condition["dynamodb:Attributes"])
    for item in CASES.values():
        for request in requests_about(item):
            written = request["UpdateExpression"]
            names = request.get("ExpressionAttributeNames", {})
            words = {names.get(word, word) for word in re.findall(r"#?[A-Za-z]\w*", written)}
            assert name not in words
