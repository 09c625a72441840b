"""What the linters are told to overlook: nothing without a reason beside it."""

from __future__ import annotations

import re

import pytest

from tests.support.stack.templates import FUNCTIONS, MONITORING, ROOT, TEMPLATE, deployed, monitored

WRITTEN = "".join(path.read_text(encoding="utf-8") for path in (TEMPLATE, MONITORING))
EVERYWHERE = (ROOT / ".checkov.yaml").read_text(encoding="utf-8").partition("skip-check:\n")[2]
#: Each skip that holds everywhere: the comment above it and the check's id.
ARGUED = re.findall(r"((?:^  # .+\n)*)^  - (.+)$", EVERYWHERE, re.MULTILINE)
#: Each skip that holds for one resource: the check's id and the reason on the same line.
IN_PLACE = re.findall(r"checkov:skip=([^:\s]+)(?::(.*))?$", WRITTEN, re.MULTILINE)
SKIPS = [*((check, reason) for reason, check in ARGUED), *IN_PLACE]


@pytest.mark.parametrize("check", [check for check, _ in SKIPS])
def test_what_checkov_is_told_to_skip_is_one_check_with_an_id(check: str) -> None:
    assert re.fullmatch(r"CKV2?_AWS_\d+", check)


@pytest.mark.parametrize(("check", "reason"), SKIPS)
def test_every_suppression_of_checkov_is_argued_in_place(check: str, reason: str) -> None:
    assert len(reason.replace("#", "").split()) >= 5, check


def test_no_skip_and_no_reason_of_checkov_escapes_these_tests() -> None:
    understood = "".join(f"{reason}  - {check}\n" for reason, check in ARGUED)
    assert understood == EVERYWHERE
    assert len(IN_PLACE) == WRITTEN.count("checkov:")


def test_what_checkov_skips_is_said_once() -> None:
    checks = [check for check, _ in SKIPS]
    assert len(checks) == len(set(checks))


def test_cfn_lint_overlooks_one_thing_on_functions_alone() -> None:
    """On those whose versions stay."""
    # W3011 wants a DeletionPolicy too, which SAM would hand to the versions and so delete them.
    overlooked = {
        name: resource["Metadata"]["cfn-lint"]["config"]
        for name, resource in deployed().raw["Resources"].items()
        if "cfn-lint" in resource.get("Metadata", {})
    }
    assert overlooked == {name: {"ignore_checks": ["W3011"]} for name in FUNCTIONS}
    assert WRITTEN.count("cfn-lint") == len(FUNCTIONS)
    assert set(deployed().raw["Metadata"]) == {"AWS::CloudFormation::Interface"}
    assert "Metadata" not in monitored().raw
