"""The built artefacts for other tools: zips, a plain CloudFormation template, and a manifest.

``python -m chatgrid_devkit.packaging template.yaml .aws-sam/build dist/package``. The same build
gives the same bytes: a file's name has its hash, and nothing in it depends on when or where.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatgrid_devkit.template.expansion import expand

#: Parameters of the packed template: where its zips were uploaded to.
BUCKET_PARAMETER, PREFIX_PARAMETER = "ArtifactsBucket", "ArtifactsPrefix"

_PLACE = "packed-artifacts"
_TIME = (1980, 1, 1, 0, 0, 0)  # the first that a zip can tell
_READABLE, _EXECUTABLE = 0o100644, 0o100755
_DEPLOYMENT = "AWS::ApiGateway::Deployment"
#: What linters say of SAM's own work: one condition within itself, and the retention that it hands
#: from a function to its versions and routes (template.yaml tells why).
_SAMS_OWN = ["W1028", "W3011"]
_KINDS = {"AWS::Lambda::Function": "functions", "AWS::Lambda::LayerVersion": "layers"}


class NotBuilt(Exception):
    """There is no build of a function or a layer."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A zip of the package: its name there, and its SHA-256."""

    file: str
    digest: bytes


def pack(template: Path, build: Path, target: Path, *, region: str) -> dict[str, Any]:
    """Write the package, and give its manifest.

    Args:
        template: the SAM template that was built.
        build: the folder that ``sam build`` wrote: one folder for each function and layer.
        target: the package's folder; made when missing.
        region: the Region for which SAM expands the template.

    Raises:
        NotBuilt: the build lacks one of them.
        TemplateInvalid: SAM refuses the template.
    """
    target.mkdir(parents=True, exist_ok=True)
    packed: dict[str, Packed] = {}

    def code(logical_id: str, folder: str) -> dict[str, str]:  # noqa: ARG001  # its build counts
        packed[logical_id] = _zip(build / logical_id, target)
        return {"Bucket": _PLACE, "Key": packed[logical_id].file}

    expanded = expand(template, parameters={}, region=region, code=code)
    written = _with_steady_deployment(_placed(expanded))
    written["Parameters"] |= {
        BUCKET_PARAMETER: {
            "Type": "String",
            "Description": "The bucket, in the stack's Region, that the package was uploaded to.",
        },
        PREFIX_PARAMETER: {
            "Type": "String",
            "Default": "",
            "Description": "What stands before the files' names there, with its slash.",
        },
    }
    written["Metadata"]["cfn-lint"] = {"config": {"ignore_checks": _SAMS_OWN}}
    _write(target / "template.json", written)
    manifest = _manifest(expanded, packed)
    _write(target / "manifest.json", manifest)
    return manifest


def _zip(folder: Path, target: Path) -> Packed:
    """A folder as a zip that says nothing of when it was made."""
    if not folder.is_dir():
        raise NotBuilt(f"{folder} is not there: `make build` makes it")
    part = target / f"{folder.name}.part"
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _TIME)
            entry.create_system = 3  # Unix, whose permissions follow
            executable = path.stat().st_mode & 0o100
            entry.external_attr = (_EXECUTABLE if executable else _READABLE) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(entry, path.read_bytes())
    digest = hashlib.sha256(part.read_bytes()).digest()
    name = f"{folder.name}-{digest.hex()[:16]}.zip"
    part.replace(target / name)
    return Packed(name, digest)


def _placed(value: Any) -> Any:
    """A part of the template, its code in the bucket that the parameters name."""
    if isinstance(value, list):
        return [_placed(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("S3Bucket") == _PLACE:
        key = f"${{{PREFIX_PARAMETER}}}{value['S3Key']}"
        return {"S3Bucket": {"Ref": BUCKET_PARAMETER}, "S3Key": {"Fn::Sub": key}}
    return {name: _placed(item) for name, item in value.items()}


def _with_steady_deployment(template: dict[str, Any]) -> dict[str, Any]:
    """The API's deployment named by what it deploys: SAM names it by the time, too.

    So the same build is the same template; what only a parameter changes is deployed by hand, or
    by who names it anew (docs/package.md).
    """
    (name,) = (n for n, r in template["Resources"].items() if r["Type"] == _DEPLOYMENT)
    text = json.dumps(template, sort_keys=True)
    timed = template["Resources"][name]["Properties"]["Description"].rpartition(" ")[2]
    steady = hashlib.sha256(text.replace(timed, "").replace(name, "").encode()).hexdigest()
    named = text.replace(timed, steady[: len(timed)]).replace(name, f"ApiDeployment{steady[:10]}")
    renamed: dict[str, Any] = json.loads(named)
    return renamed


def _manifest(expanded: dict[str, Any], packed: dict[str, Packed]) -> dict[str, Any]:
    """What is in the package, by the logical ids of the SAM template."""
    found: dict[str, Any] = {"functions": {}, "layers": {}}
    by_file = {entry.file: name for name, entry in packed.items()}
    names: dict[str, str] = {}
    for logical_id, resource in expanded["Resources"].items():
        if resource["Type"] in _KINDS:
            properties = resource["Properties"]
            content = properties.get("Code") or properties["Content"]
            names[logical_id] = by_file[content["S3Key"]]
    for logical_id, name in names.items():
        resource, entry = expanded["Resources"][logical_id], packed[name]
        found[_KINDS[resource["Type"]]][name] = {
            "logical_id": logical_id,  # in template.json; a layer's tells its content
            "file": entry.file,
            "sha256": entry.digest.hex(),
            # As Lambda tells it of a function's version: CodeSha256.
            "code_sha256": base64.b64encode(entry.digest).decode(),
            **_settings(resource["Properties"], names),
        }
    return found


def _settings(properties: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    if "Handler" not in properties:
        return {
            "runtimes": properties["CompatibleRuntimes"],
            "architectures": properties["CompatibleArchitectures"],
        }
    return {
        "handler": properties["Handler"],
        "runtime": properties["Runtime"],
        "architectures": properties["Architectures"],
        "layers": [names[layer["Ref"]] for layer in properties["Layers"]],
    }


def _write(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Write a package; 1 when the build lacks something."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("template", type=Path, help="template.yaml")
    parser.add_argument("build", type=Path, help="what `sam build` wrote: .aws-sam/build")
    parser.add_argument("target", type=Path, help="the folder to write")
    parser.add_argument("--region", default="us-east-1", help="Region to expand the template for")
    given = parser.parse_args(arguments)
    try:
        manifest = pack(given.template, given.build, given.target, region=given.region)
    except NotBuilt as reason:
        print(f"chatgrid-package: {reason}", file=sys.stderr)
        return 1
    count = sum(len(part) for part in manifest.values())
    print(f"{given.target}: {count} zips, manifest.json, template.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
