"""`chatgrid doctor` after a deployment: what an update left, lost or piled up."""

from __future__ import annotations

from typing import Any

import pytest

from chatgrid_cli.checks import probe
from tests.support.cli import Operator
from tests.support.cli_patient import REFUSAL, Patient


@pytest.fixture
def patient(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> Patient:
    monkeypatch.setattr(probe, "_ask", lambda _: REFUSAL)
    return Patient(operator)


def test_a_route_removed_from_the_template_is_no_longer_found(
    patient: Patient,
) -> None:
    patient.gateway.resources["/old"] = {"GET": patient.gateway.resources["/me"]["GET"]}
    statuses, message = patient.seen("routes", exit_code=1)
    assert (statuses, "GET /old" in message, "GET /me" in message) == ({"fail"}, True, False)
    shown = patient.operator.run("doctor").stdout
    assert "delete-method --rest-api-id api1234567 --resource-id id-of-/old --http-method" in shown
    assert "create-deployment --rest-api-id api1234567 --stage-name v1" in shown


def test_a_route_of_the_template_that_is_not_deployed_is_found(patient: Patient) -> None:
    del patient.gateway.resources["/me"]["GET"]
    statuses, message = patient.seen("routes", exit_code=1)
    assert statuses == {"fail"}
    assert "not deployed: GET /me" in message


def test_a_route_that_a_parameter_leaves_out_may_be_missing(patient: Patient) -> None:
    del patient.gateway.resources["/dashboard"], patient.gateway.resources["/boards/{id}"]
    assert patient.seen("routes", exit_code=0)[0] == {"ok"}


@pytest.mark.parametrize(("size", "told"), [(None, "off"), (0, "from 0 bytes")])
def test_compression_that_an_update_lost_is_found(
    patient: Patient, size: int | None, told: str
) -> None:
    patient.gateway.compression = size
    statuses, message = patient.seen("compression", exit_code=0)
    assert (statuses, told in message) == ({"warn"}, True)


def test_a_template_that_is_not_told_expanded_is_said_and_not_guessed(patient: Patient) -> None:
    patient.formation.expanded = False
    assert patient.seen("routes", exit_code=0)[0] == {"skipped"}


def test_a_key_source_that_an_update_lost_comes_with_its_remedy(patient: Patient) -> None:
    patient.gateway.key_source = "HEADER"
    assert patient.seen("key source", exit_code=1)[0] == {"fail"}
    assert "path=/apiKeySource,value=AUTHORIZER" in patient.operator.run("doctor").stdout


def test_an_authorizer_beside_its_alias_is_found(patient: Patient) -> None:
    (authorizer,) = patient.gateway.authorizers
    assert patient.seen("authorizer alias", exit_code=0)[0] == {"ok"}
    authorizer["authorizerUri"] = str(authorizer["authorizerUri"]).replace(":live", "")
    assert patient.seen("authorizer alias", exit_code=1)[0] == {"fail"}


def test_an_access_log_that_is_off_is_recommended_with_the_command(patient: Patient) -> None:
    patient.gateway.access_log = {}
    assert patient.seen("access log", exit_code=0)[0] == {"warn"}
    assert "sam deploy --parameter-overrides AccessLog=" in patient.operator.run("doctor").stdout


def test_old_versions_that_pile_up_are_told_and_nothing_is_deleted(patient: Patient) -> None:
    numbers = [str(number) for number in range(1, 20)]
    patient.functions.versions["boards"] = list(numbers)
    statuses, message = patient.seen("versions", exit_code=0)
    assert (statuses, message) == ({"warn"}, "old ones pile up: 7 of boards")
    assert patient.functions.versions["boards"] == numbers


@pytest.mark.parametrize(
    ("alias", "keep", "left"),
    [
        ({"FunctionVersion": "19"}, "1", ["18", "19"]),
        ({"FunctionVersion": "19"}, "3", ["17", "18", "19"]),
        ({"FunctionVersion": "5"}, "2", ["4", "5", "18", "19"]),
        ({"FunctionVersion": "$LATEST"}, "2", ["18", "19"]),
        ({"FunctionVersion": "1"}, "1", ["1", "19"]),
        (
            {
                "FunctionVersion": "9",
                "RoutingConfig": {"AdditionalVersionWeights": {"12": 0.1}},
            },
            "1",
            ["8", "9", "11", "12", "19"],
        ),
    ],
)
def test_pruning_keeps_the_newest_and_what_a_rollback_needs(
    patient: Patient, alias: dict[str, Any], keep: str, left: list[str]
) -> None:
    patient.functions.versions["boards"] = [str(number) for number in range(1, 20)]
    patient.functions.aliases["boards"] = [{"Name": "live", **alias}]
    patient.operator.answer("doctor", "--prune-versions", keep)
    assert patient.functions.versions["boards"] == left


def test_pruning_wants_at_least_one_version_to_be_kept(patient: Patient) -> None:
    assert patient.operator.run("doctor", "--prune-versions", "0").exit_code == 2
    assert patient.functions.versions["boards"] == ["1", "2", "3"]
