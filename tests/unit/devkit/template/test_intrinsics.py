"""CloudFormation's functions give locally what they would give in a stack."""

from __future__ import annotations

from typing import Any

import pytest

from chatgrid_devkit.template.expansion import TemplateInvalid
from chatgrid_devkit.template.intrinsics import Resolver

TEMPLATE: dict[str, Any] = {
    "Parameters": {
        "Name": {"Type": "String", "Default": "ada"},
        "Limit": {"Type": "Number", "Default": 0},
        "List": {"Type": "CommaDelimitedList", "Default": "a, b"},
    },
    "Mappings": {"Sizes": {"small": {"mb": 128}}},
    "Conditions": {
        "IsAda": {"Fn::Equals": [{"Ref": "Name"}, "ada"]},
        "NoLimit": {"Fn::Equals": [{"Ref": "Limit"}, 0]},
        "Both": {"Fn::And": [{"Condition": "IsAda"}, {"Condition": "NoLimit"}]},
        "Neither": {"Fn::Not": [{"Fn::Or": [{"Condition": "IsAda"}, {"Condition": "NoLimit"}]}]},
    },
    "Resources": {
        "Function": {"Type": "AWS::Lambda::Function", "Properties": {}},
        "Named": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {"TableName": {"Fn::Sub": "${Name}-table"}},
        },
        "Alias": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {"Name": "live", "FunctionName": {"Ref": "Function"}},
        },
        "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "s"}},
        "Absent": {"Type": "AWS::SNS::Topic", "Condition": "Neither"},
    },
}
FUNCTION_ARN = "arn:aws:lambda:eu-west-1:1:function:stack-Function"


def resolver(**parameters: str) -> Resolver:
    return Resolver(
        TEMPLATE,
        parameters=parameters,
        physical_ids={},
        stack="stack",
        region="eu-west-1",
        account="1",
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Name"}, "ada"),
        ({"Ref": "List"}, ["a", "b"]),
        ({"Ref": "AWS::Region"}, "eu-west-1"),
        ({"Ref": "Function"}, "stack-Function"),
        ({"Ref": "Named"}, "ada-table"),
        ({"Ref": "Alias"}, f"{FUNCTION_ARN}:live"),
        ({"Ref": "Secret"}, "arn:aws:secretsmanager:eu-west-1:1:secret:s"),
        ({"Fn::GetAtt": ["Function", "Arn"]}, FUNCTION_ARN),
        ({"Fn::GetAtt": "Named.Arn"}, "arn:aws:dynamodb:eu-west-1:1:table/ada-table"),
        ({"Fn::GetAtt": ["Secret", "Arn"]}, "arn:aws:secretsmanager:eu-west-1:1:secret:s"),
        ({"Fn::Sub": "${Name}/${AWS::StackName}/${Function.Arn}"}, f"ada/stack/{FUNCTION_ARN}"),
        ({"Fn::Sub": ["${x}-${!Name}", {"x": {"Ref": "Name"}}]}, "ada-${Name}"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Name"}]]}, "a-ada"),
        ({"Fn::Join": ["+", {"Ref": "List"}]}, "a+b"),
        ({"Fn::Select": ["1", {"Fn::Split": [",", "x,y"]}]}, "y"),
        ({"Fn::If": ["IsAda", 1, 2]}, 1),
        ({"Fn::If": ["Neither", 1, 2]}, 2),
        ({"a": {"Fn::If": ["Both", {"Ref": "AWS::NoValue"}, 2]}, "b": 3}, {"b": 3}),
        ([{"Fn::If": ["Both", {"Ref": "AWS::NoValue"}, 2]}, 3], [3]),
        ({"Fn::FindInMap": ["Sizes", "small", "mb"]}, 128),
        ({"Fn::Equals": ["1", 1]}, True),
        ({"Ref": "x", "other": 1}, {"Ref": "x", "other": 1}),
    ],
)
def test_functions_are_worked_out(value: Any, expected: Any) -> None:
    assert resolver().resolve(value) == expected


def test_parameters_override_defaults_in_conditions_too() -> None:
    subject = resolver(Name="eve", Limit="5")
    assert subject.condition("Neither")
    assert subject.present("Absent")
    assert not resolver().present("Absent")


def test_the_stack_s_id_has_a_uuid_in_its_third_part() -> None:
    value = {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}
    assert len(resolver().resolve(value).split("-")) == 5


@pytest.mark.parametrize(
    "value",
    [
        {"Ref": "Nothing"},
        {"Fn::GetAtt": ["Nothing", "Arn"]},
        {"Fn::ImportValue": "elsewhere"},
    ],
)
def test_what_cannot_be_known_is_refused(value: Any) -> None:
    with pytest.raises(TemplateInvalid):
        resolver().resolve(value)


def test_a_parameter_without_a_value_is_refused() -> None:
    template = {"Parameters": {"Needed": {"Type": "String"}}, "Resources": {}}
    with pytest.raises(TemplateInvalid, match="Needed"):
        Resolver(template, parameters={}, physical_ids={}, stack="s", region="r", account="a")
