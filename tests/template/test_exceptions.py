"""What the linters are told to overlook: nothing without a reason beside it."""

from __future__ import annotations

import re

import pytest

from tests.template.stack import TEMPLATE, deployed

SKIPS = re.findall(r"checkov:skip=(\S+)", TEMPLATE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("skip", sorted(set(SKIPS)))
def test_what_checkov_is_told_to_skip_is_one_check_with_an_id(skip: str) -> None:
    assert re.match(r"CKV2?_AWS_\d+:", skip)


def test_every_suppression_of_checkov_is_argued_in_place() -> None:
    lines = TEMPLATE.read_text(encoding="utf-8").splitlines()
    reasons = [line.split(":", 2)[2] for line in lines if "checkov:skip=" in line]
    assert len(reasons) == len(SKIPS)
    assert not [reason for reason in reasons if len(reason.split()) < 5]


def test_cfn_lint_is_told_to_overlook_nothing() -> None:
    assert "cfn-lint" not in TEMPLATE.read_text(encoding="utf-8")
    assert set(deployed().raw["Metadata"]) == {"AWS::CloudFormation::Interface"}
