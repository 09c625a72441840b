"""An authorizer's policy opens what it allows and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from chatgrid_devkit.gateway.policy import (
    AuthorizerOutputInvalid,
    allows,
    explicitly_denies,
    read_output,
)

ARN = "arn:aws:execute-api:us-east-1:000000000000:local0api0/v1/GET/boards/1"
INVOKE = "execute-api:Invoke"


def statement(effect: str, resource: Any, action: Any = INVOKE) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource}


def output(*statements: Any, **changes: Any) -> dict[str, Any]:
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    return {"principalId": "u", "policyDocument": policy, **changes}


def allowed(*statements: Any, arn: str = ARN) -> bool:
    return allows(read_output(output(*statements)), arn)


@pytest.mark.parametrize(
    "resource",
    [
        ARN,
        "*",
        ARN[:-8] + "*",
        ARN.replace("us-east-1", "*"),
        ARN[:-1] + "?",
        ["arn:nothing", ARN],
    ],
)
def test_an_allow_that_matches_opens(resource: Any) -> None:
    assert allowed(statement("Allow", resource))


@pytest.mark.parametrize(
    "resource",
    [ARN + "0", ARN[:-1], ARN.upper(), ARN + "?", ARN.replace(".", "?") + "x", "arn:aws:*:POST/*"],
)
def test_silence_is_a_deny(resource: str) -> None:
    assert not allowed(statement("Allow", resource))


def test_wildcards_are_the_only_special_characters() -> None:
    assert not allowed(statement("Allow", ".*"))
    assert not allowed(statement("Allow", "[a-z]*"))


def test_a_deny_wins_wherever_it_stands() -> None:
    allow, deny = statement("Allow", "*"), statement("Deny", ARN)
    assert not allowed(allow, deny)
    assert not allowed(deny, allow)
    assert explicitly_denies(read_output(output(allow, deny)), ARN)


def test_a_deny_of_something_else_changes_nothing() -> None:
    assert allowed(statement("Allow", "*"), statement("Deny", ARN + "/other"))
    assert not explicitly_denies(read_output(output(statement("Allow", "nothing"))), ARN)


@pytest.mark.parametrize("action", ["execute-api:*", "*", ["execute-api:invoke"], "execute-api:I*"])
def test_the_action_may_have_wildcards(action: Any) -> None:
    assert allowed(statement("Allow", ARN, action))


def test_another_action_opens_nothing() -> None:
    assert not allowed(statement("Allow", ARN, "execute-api:ManageConnections"))


def test_a_single_statement_needs_no_list() -> None:
    policy = {"Version": "2012-10-17", "Statement": statement("Allow", ARN)}
    assert allows(read_output({"principalId": "u", "policyDocument": policy}), ARN)


def test_context_values_become_text() -> None:
    context = {"text": "a", "int": 1, "float": 1.5, "yes": True, "no": False, "empty": ""}
    grant = read_output(output(statement("Allow", ARN), context=context))
    assert grant.context == {
        "text": "a",
        "int": "1",
        "float": "1.5",
        "yes": "true",
        "no": "false",
        "empty": "",
    }


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "Allow",
        {},
        output(statement("Allow", ARN), principalId=""),
        output(statement("Allow", ARN), principalId=7),
        output(statement("Allow", ARN), principalId=None),
        output(statement("Allow", ARN), policyDocument=None),
        output(statement("Allow", ARN), policyDocument={"Statement": []}),
        output(statement("Allow", ARN), policyDocument={"Statement": "Allow"}),
        output(statement("allow", ARN)),
        output(statement("Allow", None)),
        output(statement("Allow", [])),
        output(statement("Allow", [7])),
        output(statement("Allow", ARN + "x" * (513 - len(ARN)))),
        output(statement("Allow", ARN, None)),
        output("Allow"),
        output({**statement("Allow", ARN), "Condition": {}}),
        output(statement("Allow", ARN), context="text"),
        output(statement("Allow", ARN), context={"list": []}),
        output(statement("Allow", ARN), context={"map": {}}),
        output(statement("Allow", ARN), context={"none": None}),
        output(statement("Allow", ARN), usageIdentifierKey=7),
    ],
)
def test_what_api_gateway_would_not_take_is_refused(broken: Any) -> None:
    with pytest.raises(AuthorizerOutputInvalid):
        read_output(broken)
