"""Releases: what is called is one whole version, and the former one stays to go back to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from chatgrid_devkit.template import expansion
from chatgrid_devkit.template.expansion import expand
from chatgrid_devkit.template.intrinsics import Resolver
from tests.support.stack.templates import FUNCTIONS, PLACE, TEMPLATE, deployed

#: Properties of a function that Lambda keeps beside its versions, not in them.
BESIDE_VERSIONS = {"ReservedConcurrentExecutions"}
#: Made once for a stack; a template that replaces one of them is a change of the template.
NOT_SETTINGS = re.compile(r"AWS::|\w+(Role|Logs|Layer|Function)\w*$|FunctionSettings$")
LAYERS = {
    "layers/auth": set(FUNCTIONS),
    "layers/http": set(FUNCTIONS)
    - {"AuthorizerFunction", "EventsFunction", "UsageFunction", "PagesFunction"},
    "layers/jwt": {"AuthorizerFunction", "LeaksFunction"},
}


def versions(resources: dict[str, Any]) -> dict[str, str]:
    """The logical id of each function's version: another id is another version."""
    return {
        resource["Properties"]["FunctionName"]["Ref"]: name
        for name, resource in resources.items()
        if resource["Type"] == "AWS::Lambda::Version"
    }


def with_change(tmp_path: Path, old: str, new: str) -> dict[str, Any]:
    """The expanded resources of the template after an edit."""
    text = TEMPLATE.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "template.yaml").write_text(text.replace(old, new), encoding="utf-8")
    resources: dict[str, Any] = expand(
        tmp_path / "template.yaml", parameters={}, region=PLACE["region"]
    )["Resources"]
    return resources


def names_in(value: Any) -> set[str]:
    """Parameters and resources that a value is made from, those of its conditions included."""
    if isinstance(value, list):
        return set().union(*map(names_in, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    found: set[str] = set()
    for key, item in value.items():
        match key:
            case "Ref":
                found.add(item)
            case "Fn::GetAtt":
                found.add(item[0])
            case "Fn::Sub":
                text, values = (item, {}) if isinstance(item, str) else item
                found |= set(re.findall(r"\$\{([^}.!]+)", text)) - set(values)
                found |= names_in(list(values.values()))
            case "Fn::If":
                found |= names_in(deployed().raw["Conditions"][item[0]]) | names_in(item[1:])
            case "Condition":
                found |= names_in(deployed().raw["Conditions"][item])
            case _:
                found |= names_in(item)
    return found


def settings() -> set[str]:
    return names_in(deployed().raw["Resources"]["FunctionSettings"]["Properties"]["Content"])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_functions_alias_leads_to_the_version_of_this_release(function: str) -> None:
    alias = deployed().expanded["Resources"][f"{function}Aliaslive"]["Properties"]
    version = versions(deployed().expanded["Resources"])[function]
    assert alias["Name"] == "live"
    assert alias["FunctionVersion"] == {"Fn::GetAtt": [version, "Version"]}


def test_nothing_calls_a_function_but_through_its_alias() -> None:
    stack = deployed()
    called = [
        *(p["FunctionName"] for p in stack.of("AWS::Lambda::Permission").values()),
        *(t["Arn"] for rule in stack.of("AWS::Events::Rule").values() for t in rule["Targets"]),
        *re.findall(r"function:gate-\w+Function[^/\"']*", str(stack.definition)),
    ]
    assert len(called) > 40
    assert not [name for name in called if not name.endswith("Function:live")]
    settings = stack.of("AWS::Lambda::EventInvokeConfig").values()
    assert {setting["Qualifier"] for setting in settings} == {"live"}
    assert stack.one("AWS::Logs::SubscriptionFilter")["DestinationArn"].endswith("Function:live")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_former_version_stays_when_a_release_takes_its_place(function: str) -> None:
    resources = deployed().expanded["Resources"]
    version = resources[versions(resources)[function]]
    # Another logical id for other code, the same one replaced for another setting.
    assert version["DeletionPolicy"] == "Retain"
    assert version["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_goes_with_its_stack(function: str) -> None:
    assert "DeletionPolicy" not in deployed().expanded["Resources"][function]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_another_setting_is_another_version_with_something_new_in_it(function: str) -> None:
    resources = deployed().expanded["Resources"]
    version = resources[versions(resources)[function]]["Properties"]["Description"]
    # Lambda publishes nothing for a function that is as it was: its own description moves too.
    written = resources[function]["Properties"]["Description"]
    assert "${FunctionSettings}" in version["Fn::Sub"]
    assert "${FunctionSettings}" in written["Fn::Sub"]


def test_the_settings_name_everything_that_a_functions_configuration_is_made_from() -> None:
    read: set[str] = set()
    for function in FUNCTIONS:
        properties = deployed().expanded["Resources"][function]["Properties"]
        kept = {name: p for name, p in properties.items() if name not in BESIDE_VERSIONS}
        read |= {name for name in names_in(kept) if not NOT_SETTINGS.match(name)}
    # The reconciler's plan stands in its own description: the plan waits for the API.
    assert settings() == read - {"StandardUsagePlan"}
    written = deployed().raw["Resources"]["ReconcilerFunction"]["Properties"]
    assert "${StandardUsagePlan}" in written["VersionDescription"]["Fn::Sub"]


@pytest.mark.parametrize("parameter", sorted(settings() & set(deployed().raw["Parameters"])))
def test_another_value_of_a_parameter_that_a_function_reads_is_another_setting(
    parameter: str,
) -> None:
    written = deployed().raw["Parameters"][parameter]
    other = next(
        str(value)
        for value in [*written.get("AllowedValues", []), "another"]
        if value != written["Default"]
    )
    raw = deployed().raw
    before, after = (
        Resolver(raw, parameters=given, physical_ids={}, exports=None, **PLACE).resolve(
            raw["Resources"]["FunctionSettings"]["Properties"]["Content"]
        )
        for given in ({}, {parameter: other})
    )
    assert before != after


def test_the_longest_descriptions_stay_within_lambdas_256_characters() -> None:
    longest = {"FunctionSettings": "9" * 10, "StandardUsagePlan": "x" * 20}
    for name in (*FUNCTIONS, *versions(deployed().expanded["Resources"]).values()):
        text = deployed().expanded["Resources"][name]["Properties"]["Description"]["Fn::Sub"]
        assert len(re.sub(r"\$\{(\w+)\}", lambda m: longest[m[1]], text)) <= 256


@pytest.mark.parametrize(("folder", "users"), LAYERS.items())
def test_a_changed_layer_is_another_version_of_every_function_that_has_it(
    tmp_path: Path, folder: str, users: set[str]
) -> None:
    before = versions(deployed().expanded["Resources"])
    after = versions(with_change(tmp_path, f"ContentUri: {folder}\n", f"ContentUri: {folder}-2\n"))
    assert {function for function in FUNCTIONS if before[function] != after[function]} == users


def test_changed_code_is_another_version_of_that_function_alone(tmp_path: Path) -> None:
    before = versions(deployed().expanded["Resources"])
    after = versions(
        with_change(tmp_path, "CodeUri: functions/boards\n", "CodeUri: functions/boards-2\n")
    )
    assert {f for f in FUNCTIONS if before[f] != after[f]} == {"BoardsFunction"}


def test_the_same_template_again_is_no_other_version() -> None:
    before = versions(deployed().expanded["Resources"])
    expansion._translated.cache_clear()
    again = expand(TEMPLATE, parameters={}, region=PLACE["region"])["Resources"]
    assert versions(again) == before


def test_no_concurrency_is_provisioned_or_reserved_unless_asked_for() -> None:
    resources = deployed().resources
    assert not resources["AuthorizerFunctionAliaslive"].get("ProvisionedConcurrencyConfig")
    for function in FUNCTIONS:
        assert "ReservedConcurrentExecutions" not in resources[function]


def test_the_authorizers_concurrency_is_the_operators_and_no_other_version() -> None:
    stack = deployed(AuthorizerProvisionedConcurrency="20", AuthorizerReservedConcurrency="50")
    alias = stack.resources["AuthorizerFunctionAliaslive"]
    assert alias["ProvisionedConcurrencyConfig"] == {"ProvisionedConcurrentExecutions": "20"}
    assert stack.resources["AuthorizerFunction"]["ReservedConcurrentExecutions"] == "50"
    # Lambda keeps both beside the versions, and publishes none for them.
    assert versions(stack.expanded["Resources"]) == versions(deployed().expanded["Resources"])
    assert stack.resources["FunctionSettings"] == deployed().resources["FunctionSettings"]
