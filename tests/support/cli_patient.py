"""A stack that `chatgrid doctor` finds in good order until a test spoils it."""

from __future__ import annotations

from tests.support.cli import Operator
from tests.support.cli_aws import API, Alarms, Formation, Gateway, Lambda

REFUSAL = (401, {"object": "error", "code": "unauthorized"}, "Bearer")


class Patient:
    """A stack in good order, and the doctor who looks at it."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        self.gateway, self.functions, self.alarms = Gateway(), Lambda(), Alarms()
        self.formation = Formation()
        operator.fakes = {
            "apigateway": self.gateway,
            "lambda": self.functions,
            "cloudwatch": self.alarms,
            "cloudformation": self.formation,
        }
        operator.authorizer |= {
            f"USAGE_KEY_{tier.upper()}": f"{tier}-v" for tier in ("standard", "web", "limited")
        }
        boards = operator.table
        operator.outputs |= {
            "ApiId": API,
            "ApiUrl": "https://api.example/v1",
            "BoardsTableName": boards,
            "StandardUsagePlanId": "standard",
            "WebUsagePlanId": "web",
            "LimitedUsagePlanId": "limited",
            **{
                f"{name}FunctionName": name.lower()
                for name in ("Authorizer", "Management", "Reconciler")
            },
        }
        store = operator.dynamodb
        for table in (operator.table, operator.outputs["AuditTableName"]):
            store.update_table(TableName=table, DeletionProtectionEnabled=True)
        for output in ("KeysTableName", "AuditTableName", "UsageTableName"):
            self.recover(output, on=True)
        for output in ("KeysTableName", "RateLimitsTableName", "UsageTableName"):
            table = operator.outputs[output]
            store.update_time_to_live(
                TableName=table,
                TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_on"},
            )

    def recover(self, output: str, *, on: bool) -> None:
        self.operator.dynamodb.update_continuous_backups(
            TableName=self.operator.outputs[output],
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": on},
        )

    def seen(self, check: str, *, exit_code: int) -> tuple[set[str], str]:
        """The statuses of one check, and all that it says."""
        before = self.operator.items()
        answer = self.operator.answer("doctor", exit_code=exit_code)["data"]
        assert self.operator.items() == before
        found = [finding for finding in answer["findings"] if finding["check"] == check]
        assert found, answer
        for finding in found:
            assert (finding["advice"] is None) == (finding["status"] in {"ok", "skipped"})
        return {f["status"] for f in found}, " ".join(f["message"] for f in found)
