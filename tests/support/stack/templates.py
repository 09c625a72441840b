"""The templates as they are deployed: expanded by SAM, with every function worked out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from chatgrid_devkit.template.expansion import expand, load
from chatgrid_devkit.template.intrinsics import Resolver

ROOT = Path(__file__).parents[3]
TEMPLATE = ROOT / "template.yaml"
MONITORING = ROOT / "monitoring.yaml"
PLACE = {"stack": "gate", "region": "eu-central-1", "account": "123456789012"}

FUNCTIONS = {
    "AuthorizerFunction": "authorizer",
    "ManagementFunction": "management",
    "BoardsFunction": "boards",
    "ReconcilerFunction": "reconciler",
    "EventsFunction": "events",
    "LeaksFunction": "leaks",
    "UsageFunction": "usage",
    "PagesFunction": "pages",
}


class Stack:
    """What a template deploys with these parameters, the others at their defaults.

    Attributes:
        raw: the template as written.
        expanded: the template as SAM expands it, its functions left as they are.
        resources: properties of what is deployed, worked out, by logical id.
        outputs: what the stack tells others, worked out.
    """

    def __init__(self, template: Path, parameters: Mapping[str, str]) -> None:
        self.raw = load(template)
        self.expanded = expand(template, parameters=parameters, region=PLACE["region"])
        resolver = Resolver(
            self.expanded, parameters=parameters, physical_ids={}, exports=None, **PLACE
        )
        self._kinds = {
            name: resource["Type"]
            for name, resource in self.expanded["Resources"].items()
            if resolver.present(name)
        }
        self.resources: dict[str, dict[str, Any]] = {
            name: resolver.resolve(self.expanded["Resources"][name].get("Properties", {}))
            for name in self._kinds
        }
        self.outputs: dict[str, str] = {
            name: resolver.resolve(output["Value"])
            for name, output in self.expanded["Outputs"].items()
            if "Condition" not in output or resolver.condition(output["Condition"])
        }

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """The resources of one type, by logical id."""
        return {name: self.resources[name] for name, found in self._kinds.items() if found == kind}

    def one(self, kind: str) -> dict[str, Any]:
        """The only resource of one type."""
        (found,) = self.of(kind).values()
        return found

    @property
    def definition(self) -> dict[str, Any]:
        """The API's OpenAPI document."""
        body: dict[str, Any] = self.one("AWS::ApiGateway::RestApi")["Body"]
        return body

    def methods(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Path, method (``ANY`` for the rest) and definition of each method of the API."""
        for path, item in self.definition["paths"].items():
            for name, method in item.items():
                shown = "ANY" if name == "x-amazon-apigateway-any-method" else name.upper()
                yield path, shown, method

    def environment(self, function: str) -> dict[str, str]:
        """The environment variables of a function."""
        variables: dict[str, str] = self.resources[function]["Environment"]["Variables"]
        return variables


@cache
def _deployed(parameters: tuple[tuple[str, str], ...]) -> Stack:
    return Stack(TEMPLATE, dict(parameters))


def deployed(**parameters: str) -> Stack:
    """What the template deploys with these parameters, the others at their defaults."""
    return _deployed(tuple(sorted(parameters.items())))


@cache
def _monitored(gate: Stack, parameters: tuple[tuple[str, str], ...]) -> Stack:
    # As the SAM CLI does, which passes over what the template has no parameter for.
    taken = load(MONITORING)["Parameters"]
    handed_over = {name: value for name, value in gate.outputs.items() if name in taken}
    given = {"GateStackName": PLACE["stack"], **handed_over, **dict(parameters)}
    return Stack(MONITORING, given)


def monitored(gate: Stack | None = None, /, **parameters: str) -> Stack:
    """What monitoring.yaml deploys for a gate (one with its defaults), with these parameters."""
    return _monitored(gate or deployed(), tuple(sorted(parameters.items())))
