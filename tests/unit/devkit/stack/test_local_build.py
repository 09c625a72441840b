"""The template of this machine differs from template.yaml in what it must, and in nothing else."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from chatgrid_devkit.stack.local_build import (
    ENDPOINT_PARAMETER,
    MachineUnknown,
    architecture,
    for_machine,
)
from chatgrid_devkit.template.expansion import load

TEMPLATE = load(Path(__file__).parents[4] / "template.yaml")


def test_only_architecture_address_and_identity_provider_change() -> None:
    local = for_machine(TEMPLATE, "x86_64")
    assert "arm64" not in str(local)
    assert local["Parameters"].pop(ENDPOINT_PARAMETER) == {"Type": "String"}
    variables = local["Globals"]["Function"].pop("Environment")["Variables"]
    assert set(variables) >= {"AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_API_GATEWAY"}
    assert all(value == {"Ref": ENDPOINT_PARAMETER} for value in variables.values())
    local["Parameters"]["SupabaseUrl"]["AllowedPattern"] = TEMPLATE["Parameters"]["SupabaseUrl"][
        "AllowedPattern"
    ]
    expected = copy.deepcopy(TEMPLATE)
    for resource in expected["Resources"].values():
        own = resource.get("Properties", {}).get("Environment", {}).get("Variables", {})
        for name in variables:
            own.pop(name, None)  # it would go before the address for all functions
    assert for_lambda(local) == expected


def for_lambda(local: dict[str, object]) -> object:
    def back(value: object) -> object:
        if isinstance(value, dict):
            return {key: back(item) for key, item in value.items()}
        if isinstance(value, list):
            return [back(item) for item in value]
        return "arm64" if value == "x86_64" else value

    return back(local)


def test_the_template_itself_stays_as_it_is() -> None:
    before = copy.deepcopy(TEMPLATE)
    for_machine(TEMPLATE, "x86_64")
    assert before == TEMPLATE


@pytest.mark.parametrize(
    ("machine", "expected"),
    [("x86_64", "x86_64"), ("AMD64", "x86_64"), ("aarch64", "arm64"), ("arm64", "arm64")],
)
def test_a_machine_is_called_as_lambda_calls_it(machine: str, expected: str) -> None:
    assert architecture(machine) == expected


def test_a_machine_that_lambda_has_not_is_refused() -> None:
    with pytest.raises(MachineUnknown, match="riscv64"):
        architecture("riscv64")
