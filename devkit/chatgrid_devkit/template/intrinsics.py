"""CloudFormation's functions, worked out for a deployment that exists only on this machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chatgrid_devkit.template.expansion import TemplateInvalid

_NO_VALUE = object()
_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]+)\}")
_STACK_ID = (
    "arn:aws:cloudformation:{region}:{account}:stack/{stack}/00000000-0000-4000-8000-000000000000"
)

#: The property that names a resource; a name that the template leaves open is made up.
_NAME_PROPERTIES = {
    "AWS::Lambda::Function": "FunctionName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::ApiGateway::Stage": "StageName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::IAM::Role": "RoleName",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::CloudWatch::Alarm": "AlarmName",
}
_ARNS = {
    "AWS::Lambda::Function": "lambda:{region}:{account}:function:{name}",
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/{name}",
    "AWS::Logs::LogGroup": "logs:{region}:{account}:log-group:{name}:*",
    "AWS::IAM::Role": "iam::{account}:role/{name}",
    "AWS::SecretsManager::Secret": "secretsmanager:{region}:{account}:secret:{name}",
    "AWS::SQS::Queue": "sqs:{region}:{account}:{name}",
    "AWS::SNS::Topic": "sns:{region}:{account}:{name}",
    "AWS::Events::Rule": "events:{region}:{account}:rule/{name}",
}
#: Resources whose `Ref` is an ARN rather than a name.
_REF_IS_ARN = {"AWS::SecretsManager::Secret", "AWS::SNS::Topic"}


class Resolver:
    """Works out values of one expanded template.

    Args:
        template: the expanded template.
        parameters: values that override the parameters' defaults.
        physical_ids: ids that resources really have (by logical id), where something gave them
            one; every other resource gets a made-up, stable one.
        exports: what other stacks export, by name.
    """

    def __init__(
        self,
        template: Mapping[str, Any],
        *,
        parameters: Mapping[str, str],
        physical_ids: Mapping[str, str],
        stack: str,
        region: str,
        account: str,
        exports: Mapping[str, str] | None = None,
    ) -> None:
        self._exports = exports or {}
        self._template = template
        self._resources: Mapping[str, Any] = template.get("Resources", {})
        self._physical_ids = physical_ids
        self._place = {"region": region, "account": account}
        self._stack = stack
        self._pseudo: dict[str, Any] = {
            "AWS::Region": region,
            "AWS::AccountId": account,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": stack,
            "AWS::StackId": _STACK_ID.format(region=region, account=account, stack=stack),
            "AWS::NotificationARNs": [],
            "AWS::NoValue": _NO_VALUE,
        }
        self._parameters = self._read_parameters(parameters)

    def _read_parameters(self, given: Mapping[str, str]) -> dict[str, Any]:
        declared: Mapping[str, Any] = self._template.get("Parameters", {})
        unknown = sorted(set(given) - set(declared))
        if unknown:
            raise TemplateInvalid(f"the template has no parameter {', '.join(unknown)}")
        values: dict[str, Any] = {}
        for name, parameter in declared.items():
            if name not in given and "Default" not in parameter:
                raise TemplateInvalid(f"parameter {name} has no default and was given no value")
            value = str(given.get(name, parameter.get("Default")))
            is_list = parameter.get("Type") in {"CommaDelimitedList", "List<Number>"}
            values[name] = [part.strip() for part in value.split(",")] if is_list else value
        return values

    def condition(self, name: str) -> bool:
        """Whether a named condition holds."""
        return self._truth(self._template["Conditions"][name])

    def present(self, logical_id: str) -> bool:
        """Whether a resource is deployed at all."""
        condition = self._resources[logical_id].get("Condition")
        return condition is None or self.condition(condition)

    def resolve(self, value: Any) -> Any:
        """The value with every function worked out; what is `AWS::NoValue` is left out."""
        if isinstance(value, dict):
            if len(value) == 1:
                name, argument = next(iter(value.items()))
                if name == "Ref" or name.startswith("Fn::"):
                    return self._call(name, argument)
            resolved = {key: self.resolve(item) for key, item in value.items()}
            return {key: item for key, item in resolved.items() if item is not _NO_VALUE}
        if isinstance(value, list):
            items = [self.resolve(item) for item in value]
            return [item for item in items if item is not _NO_VALUE]
        return value

    def _call(self, name: str, argument: Any) -> Any:
        match name:
            case "Ref":
                return self.ref(argument)
            case "Fn::GetAtt":
                parts = argument.split(".", 1) if isinstance(argument, str) else argument
                return self._attribute(parts[0], self.resolve(parts[1]))
            case "Fn::If":
                return self.resolve(argument[1 if self.condition(argument[0]) else 2])
            case "Fn::ImportValue" | "Fn::FindInMap":
                return self._looked_up(name, argument)
            case "Fn::Sub" | "Fn::Join" | "Fn::Select" | "Fn::Split":
                return self._text_function(name, argument)
            case _:
                return self._truth({name: argument})

    def _looked_up(self, name: str, argument: Any) -> Any:
        if name == "Fn::ImportValue":
            exported = str(self.resolve(argument))
            if exported not in self._exports:
                raise TemplateInvalid(f"no stack here exports {exported}")
            return self._exports[exported]
        table, row, column = (self.resolve(part) for part in argument[:3])
        return self.resolve(self._template["Mappings"][table][str(row)][column])

    def _text_function(self, name: str, argument: Any) -> Any:
        match name:
            case "Fn::Join":
                return str(argument[0]).join(str(item) for item in self.resolve(argument[1]))
            case "Fn::Select":
                return self.resolve(argument[1])[int(self.resolve(argument[0]))]
            case "Fn::Split":
                return str(self.resolve(argument[1])).split(argument[0])
            case _:
                return self._sub(argument)

    def _truth(self, value: Any) -> bool:
        if not (isinstance(value, dict) and len(value) == 1):
            raise TemplateInvalid(f"no condition: {value!r}")
        name, argument = next(iter(value.items()))
        match name:
            case "Condition":
                return self.condition(argument)
            case "Fn::Equals":
                left, right = (self.resolve(side) for side in argument)
                return str(left) == str(right)
            case "Fn::Not":
                return not self._truth(argument[0])
            case "Fn::And":
                return all(self._truth(item) for item in argument)
            case "Fn::Or":
                return any(self._truth(item) for item in argument)
            case _:
                raise TemplateInvalid(f"{name} cannot be worked out locally")

    def ref(self, name: str) -> Any:
        """What `Ref` gives."""
        for known in (self._pseudo, self._parameters):
            if name in known:
                return known[name]
        if name not in self._resources:
            raise TemplateInvalid(f"Ref to {name}, which the template does not have")
        kind = self._resources[name]["Type"]
        if kind == "AWS::Lambda::Alias":
            properties = self._resources[name]["Properties"]
            function = self.resolve(properties["FunctionName"]).rsplit(":", 1)[-1]
            return f"{self._arn('AWS::Lambda::Function', function)}:{properties['Name']}"
        if kind == "AWS::Lambda::Version":
            function = self.resolve(self._resources[name]["Properties"]["FunctionName"])
            return f"{self._arn('AWS::Lambda::Function', function)}:1"
        physical = self._name(name)
        return self._arn(kind, physical) if kind in _REF_IS_ARN else physical

    def _name(self, logical_id: str) -> str:
        if logical_id in self._physical_ids:
            return self._physical_ids[logical_id]
        resource = self._resources[logical_id]
        name_property = _NAME_PROPERTIES.get(resource["Type"], "")
        named = self.resolve(resource.get("Properties", {}).get(name_property, _NO_VALUE))
        return f"{self._stack}-{logical_id}" if named is _NO_VALUE else str(named)

    def _arn(self, kind: str, name: str) -> str:
        if name.startswith("arn:"):
            return name
        return "arn:aws:" + _ARNS[kind].format(name=name, **self._place)

    def _attribute(self, logical_id: str, attribute: str) -> str:
        if logical_id not in self._resources:
            raise TemplateInvalid(f"GetAtt of {logical_id}, which the template does not have")
        kind = self._resources[logical_id]["Type"]
        # A secret's Id is its ARN: AWS's words, and what the embedded AWS gives nowhere else.
        is_arn = attribute == "Arn" or (attribute == "Id" and kind in _REF_IS_ARN)
        if is_arn and kind in _ARNS:
            return self._arn(kind, self._name(logical_id))
        if attribute in {"APIKeyId", "RestApiId", "Id"}:
            return self._name(logical_id)
        return f"{self._name(logical_id)}.{attribute}"

    def _sub(self, argument: Any) -> str:
        text, variables = (argument, {}) if isinstance(argument, str) else argument

        def value(match: re.Match[str]) -> str:
            literal, name = match[1], match[2].strip()
            if literal:
                return "${" + name + "}"
            if name in variables:
                return str(self.resolve(variables[name]))
            if "." in name:
                return self._attribute(*name.split(".", 1))
            return str(self.ref(name))

        return _PLACEHOLDER.sub(value, text)
