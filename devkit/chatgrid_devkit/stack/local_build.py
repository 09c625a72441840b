"""The template as this machine can run it: its own processor, AWS and Supabase at home.

Nothing else differs from template.yaml. ``python -m chatgrid_devkit.stack.local_build`` writes
it for `sam build`, which then packs what the containers of `sam local` and the embedded AWS run.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from chatgrid_devkit.template.expansion import load

#: The parameter that names the address of DynamoDB and of API Gateway's control plane.
ENDPOINT_PARAMETER = "LocalEndpoint"

_ENDPOINTS = ("DYNAMODB", "API_GATEWAY", "SECRETS_MANAGER", "SSM")
_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_ARCHITECTURE_KEYS = {"Architectures", "CompatibleArchitectures", "BuildArchitecture"}


class MachineUnknown(Exception):
    """Lambda has no architecture like this machine's."""


def architecture(machine: str | None = None) -> str:
    """Lambda's name of a machine's architecture, this one's by default.

    Raises:
        MachineUnknown: Lambda has none like it.
    """
    machine = machine or platform.machine()
    try:
        return _ARCHITECTURES[machine.lower()]
    except KeyError:
        raise MachineUnknown(f"Lambda has no architecture like {machine}") from None


def for_machine(template: dict[str, Any], lambda_architecture: str) -> dict[str, Any]:
    """The template for this architecture, with every function's AWS at ``ENDPOINT_PARAMETER``.

    An identity provider on this machine speaks http, which template.yaml does not admit.
    """
    local: dict[str, Any] = _rewritten(template, lambda_architecture)
    local["Parameters"][ENDPOINT_PARAMETER] = {"Type": "String"}
    local["Parameters"]["SupabaseUrl"].pop("AllowedPattern")
    function = local["Globals"]["Function"]
    variables = function.setdefault("Environment", {}).setdefault("Variables", {})
    for name in _ENDPOINTS:
        variables[f"AWS_ENDPOINT_URL_{name}"] = {"Ref": ENDPOINT_PARAMETER}
    for resource in local["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            _drop(resource["Properties"].get("Environment", {}).get("Variables", {}), variables)
    return local


def _drop(own: dict[str, Any], names: Iterable[str]) -> None:
    """A function's own value would go before the one for all functions."""
    for name in names:
        own.pop(name, None)


def _rewritten(value: Any, lambda_architecture: str) -> Any:
    if isinstance(value, list):
        return [_rewritten(item, lambda_architecture) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: _rewritten(item, lambda_architecture) for key, item in value.items()}
    for key in _ARCHITECTURE_KEYS & found.keys():
        is_list = isinstance(found[key], list)
        found[key] = [lambda_architecture] if is_list else lambda_architecture
    return found


def main() -> None:
    """Write the template of this machine."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("template", type=Path, help="template.yaml")
    parser.add_argument("target", type=Path, help="the file to write (JSON)")
    given = parser.parse_args()
    local = for_machine(load(given.template), architecture())
    given.target.parent.mkdir(parents=True, exist_ok=True)
    given.target.write_text(json.dumps(local, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
