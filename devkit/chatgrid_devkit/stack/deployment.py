"""A deployment read out of template.yaml as SAM expands it, so that it cannot drift from it."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from chatgrid_devkit.template.api_definition import API_ID, read_api
from chatgrid_devkit.template.description import (
    Deployment,
    Function,
    QueueSource,
    Quota,
    Schedule,
    Secret,
    Subscription,
    Table,
    Throttle,
    UsageKey,
    UsagePlan,
)
from chatgrid_devkit.template.expansion import LOCAL_BUCKET, TemplateInvalid, expand
from chatgrid_devkit.template.intrinsics import Resolver

REGION = "us-east-1"
ACCOUNT = "000000000000"
STACK_NAME = "chatgrid-local"

_TABLE_PROPERTIES = (
    "AttributeDefinitions",
    "KeySchema",
    "BillingMode",
    "ProvisionedThroughput",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
    "TimeToLiveSpecification",
)
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")


def read_deployment(
    template: Path,
    *,
    parameters: Mapping[str, str] | None = None,
    physical_ids: Mapping[str, str] | None = None,
    stack: str = STACK_NAME,
) -> Deployment:
    """What the template deploys, with the parameters' defaults where no value is given.

    Raises:
        TemplateInvalid: it cannot be expanded, or has something that cannot run locally.
    """
    expanded = expand(template, parameters=parameters or {}, region=REGION)
    resolver = Resolver(
        expanded,
        parameters=parameters or {},
        physical_ids={**api_ids(expanded), **(physical_ids or {})},
        stack=stack,
        region=REGION,
        account=ACCOUNT,
    )
    reader = Reader(expanded, resolver, template.parent.resolve())
    functions = reader.functions()
    api = read_api(reader.resources, functions={f.arn: f.name for f in functions.values()})
    plans = reader.plans(api.id, api.stage)
    return Deployment(
        name=stack,
        region=REGION,
        account=ACCOUNT,
        api=api,
        functions=functions,
        plans=plans,
        keys=reader.keys(plans),
        tables=reader.tables(),
        secrets=reader.secrets(),
        schedules=reader.schedules({f.arn: f.name for f in functions.values()}),
        subscriptions=reader.subscriptions({f.arn: f.name for f in functions.values()}),
        queues=reader.queues(),
        queue_sources=reader.queue_sources({f.arn: f.name for f in functions.values()}),
        root=template.parent.resolve(),
        exports=reader.exports(),
    )


def api_ids(expanded: Mapping[str, Any]) -> dict[str, str]:
    """The id that each REST API of a template has here, by its logical id."""
    return {
        name: API_ID
        for name, resource in expanded["Resources"].items()
        if resource["Type"] == "AWS::ApiGateway::RestApi"
    }


class Reader:
    """Reads the resources of one expanded template.

    Args:
        root: the folder that code is relative to.
        layers: the folders of layers that are of another template, by ARN.
    """

    def __init__(
        self,
        expanded: Mapping[str, Any],
        resolver: Resolver,
        root: Path,
        *,
        layers: Mapping[str, Path] | None = None,
    ) -> None:
        self._layers = layers or {}
        self._outputs: Mapping[str, Any] = expanded.get("Outputs", {})
        self._root = root
        self._resolver = resolver
        self.resources: dict[str, tuple[str, dict[str, Any]]] = {
            name: (resource["Type"], resolver.resolve(resource.get("Properties", {})))
            for name, resource in expanded["Resources"].items()
            if resolver.present(name)
        }

    def _of(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, (found, properties) in self.resources.items():
            if found == kind:
                yield name, properties

    def _folder(self, content: Mapping[str, Any], owner: str) -> Path:
        if content.get("S3Bucket") != LOCAL_BUCKET:
            raise TemplateInvalid(f"{owner}: its code is no folder of this repository")
        return (self._root / str(content["S3Key"])).resolve()

    def exports(self) -> dict[str, str]:
        """What other stacks may import, by name."""
        return {
            str(self._resolver.resolve(output["Export"]["Name"])): str(
                self._resolver.resolve(output["Value"])
            )
            for output in self._outputs.values()
            if "Export" in output
        }

    def functions(self) -> dict[str, Function]:
        layers = dict(self._layers) | {
            f"{self._resolver.ref(name)}": self._folder(properties["Content"], name)
            for name, properties in self._of("AWS::Lambda::LayerVersion")
        }
        found: dict[str, Function] = {}
        for logical_id, properties in self._of("AWS::Lambda::Function"):
            name = self._resolver.ref(logical_id)
            variables = properties.get("Environment", {}).get("Variables", {})
            found[name] = Function(
                name=name,
                logical_id=logical_id,
                arn=self._resolver.resolve({"Fn::GetAtt": [logical_id, "Arn"]}),
                handler=properties["Handler"],
                code=self._folder(properties["Code"], logical_id),
                layers=tuple(layers[ref] for ref in properties.get("Layers", []) if ref in layers),
                timeout_seconds=float(properties.get("Timeout", 3)),
                memory_mb=int(properties.get("MemorySize", 128)),
                environment={key: _text(value) for key, value in variables.items()},
                runtime=properties.get("Runtime", ""),
            )
        return found

    def plans(self, api_id: str, stage: str) -> dict[str, UsagePlan]:
        """Usage plans that cover the stage, by logical id."""
        found: dict[str, UsagePlan] = {}
        for logical_id, properties in self._of("AWS::ApiGateway::UsagePlan"):
            stages = properties.get("ApiStages", [])
            if not any(s.get("ApiId") == api_id and s.get("Stage") == stage for s in stages):
                continue
            throttle, quota = properties.get("Throttle"), properties.get("Quota")
            found[logical_id] = UsagePlan(
                id=self._resolver.ref(logical_id),
                name=properties.get("UsagePlanName", logical_id),
                throttle=throttle
                and Throttle(
                    rate_per_second=float(throttle["RateLimit"]),
                    burst=int(throttle["BurstLimit"]),
                ),
                quota=quota and Quota(limit=int(quota["Limit"]), period=quota["Period"]),
            )
        return found

    def keys(
        self, plans: Mapping[str, UsagePlan], *, given: tuple[UsageKey, ...] = ()
    ) -> tuple[UsageKey, ...]:
        """The template's gateway keys, and those ``given`` by another, each in its plan here."""
        by_id = {plan.id: plan for plan in plans.values()}
        memberships = {
            properties["KeyId"]: properties["UsagePlanId"]
            for _, properties in self._of("AWS::ApiGateway::UsagePlanKey")
        }
        others = tuple(
            dataclasses.replace(key, plan=by_id.get(memberships.get(key.id, ""))) for key in given
        )
        return others + tuple(
            UsageKey(
                id=(key_id := self._resolver.ref(logical_id)),
                value=properties["Value"],
                name=properties.get("Name", logical_id),
                enabled=str(properties.get("Enabled", True)).lower() == "true",
                plan=by_id.get(memberships.get(key_id, "")),
            )
            for logical_id, properties in self._of("AWS::ApiGateway::ApiKey")
            if "Value" in properties
        )

    def tables(self) -> tuple[Table, ...]:
        return tuple(
            Table(
                logical_id=logical_id,
                name=self._resolver.ref(logical_id),
                properties={key: properties[key] for key in _TABLE_PROPERTIES if key in properties},
            )
            for logical_id, properties in self._of("AWS::DynamoDB::Table")
        )

    def queues(self) -> tuple[str, ...]:
        return tuple(logical_id for logical_id, _ in self._of("AWS::SQS::Queue"))

    def queue_sources(self, functions: Mapping[str, str]) -> tuple[QueueSource, ...]:
        """Queues that Lambda reads for a function; streams are read otherwise here."""
        arns = {
            self._resolver.resolve({"Fn::GetAtt": [queue, "Arn"]}): queue for queue in self.queues()
        }
        return tuple(
            QueueSource(
                queue=arns[properties["EventSourceArn"]],
                function=functions[_unqualified(properties["FunctionName"])],
                most_at_once=int(properties.get("BatchSize", 10)),
            )
            for _, properties in self._of("AWS::Lambda::EventSourceMapping")
            if properties["EventSourceArn"] in arns
        )

    def subscriptions(self, functions: Mapping[str, str]) -> tuple[Subscription, ...]:
        """Functions that are handed what others write to their log groups."""
        printers = {
            properties["LoggingConfig"]["LogGroup"]: logical_id
            for logical_id, properties in self._of("AWS::Lambda::Function")
            if "LogGroup" in properties.get("LoggingConfig", {})
        }
        return tuple(
            Subscription(
                printer=printers[properties["LogGroupName"]],
                function=functions[_unqualified(properties["DestinationArn"])],
            )
            for _, properties in self._of("AWS::Logs::SubscriptionFilter")
            if properties["LogGroupName"] in printers
        )

    def secrets(self) -> tuple[Secret, ...]:
        """Secrets whose first text the template has made."""
        return tuple(
            Secret(
                logical_id=logical_id,
                name=self._resolver.ref(logical_id).rpartition(":")[2],
                wanted=properties["GenerateSecretString"],
            )
            for logical_id, properties in self._of("AWS::SecretsManager::Secret")
        )

    def schedules(self, functions: Mapping[str, str]) -> tuple[Schedule, ...]:
        """Functions called at a fixed rate; cron expressions are left to AWS."""
        found = []
        for kind in ("AWS::Events::Rule", "AWS::Scheduler::Schedule"):
            for _, properties in self._of(kind):
                if properties.get("State") == "DISABLED":
                    continue
                rate = _RATE.fullmatch(properties.get("ScheduleExpression", ""))
                targets = properties.get("Targets") or [properties.get("Target", {})]
                for target in targets if rate else ():
                    name = functions.get(_unqualified(target.get("Arn", "")))
                    if name and rate:
                        seconds = int(rate[1]) * _SECONDS[rate[2]]
                        given = json.loads(target["Input"]) if "Input" in target else None
                        found.append(Schedule(function=name, every_seconds=seconds, input=given))
        return tuple(found)


def _unqualified(arn: str) -> str:
    """A function's ARN without its alias or version."""
    return ":".join(arn.split(":")[:7])


def _text(value: Any) -> str:
    """An environment variable as CloudFormation passes it on."""
    return str(value).lower() if isinstance(value, bool) else str(value)
