"""The CDK construct, installed from its tarball and synthesized by the real `cdk synth`.

It takes minutes and CDK itself, so it runs after `make cdk` alone, which installs that.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chatgrid_devkit.packaging import pack
from tests.support import node_guard
from tests.support.stack.packages import made_up_build
from tests.support.stack.templates import ROOT, TEMPLATE

SOURCE = ROOT / "constructs" / "cdk"
INSTALLED = SOURCE / "node_modules"
pytestmark = pytest.mark.skipif(
    not INSTALLED.is_dir(), reason="CDK is not installed: `make cdk` does it"
)

Synth = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    pack(TEMPLATE, made_up_build(folder / "build"), folder / "package", region="us-east-1")
    return folder / "package"


@pytest.fixture(scope="module")
def synth(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Synth:
    """Synthesizes the app with these parameters; the stack's template."""
    project = tmp_path_factory.mktemp("app")
    copy = project / "source"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("node_modules", "dist"))
    (copy / "node_modules").symlink_to(INSTALLED)
    tarball = node_guard.packed(copy)
    # The construct from its tarball, CDK itself from where it is installed.
    modules = project / "node_modules"
    modules.mkdir()
    for part in INSTALLED.iterdir():
        if part.name != ".package-lock.json":
            (modules / part.name).symlink_to(part)
    node_guard.run("tar", "-xzf", str(tarball), "-C", str(modules), cwd=project)
    (modules / "package").rename(modules / "chatgrid-cdk")
    shutil.copy(Path(__file__).with_name("app.mjs"), project)

    def run(**parameters: str) -> dict[str, Any]:
        out = project / "cdk.out"
        shutil.rmtree(out, ignore_errors=True)
        settings = {"PACKAGE": str(package), "PARAMETERS": json.dumps(parameters)}
        node_guard.run(
            *("env", *(f"{name}={value}" for name, value in settings.items())),
            *(modules / ".bin" / "cdk", "synth", "--quiet", "--app", "node app.mjs"),
            *("--no-notices", "--no-version-reporting", "--output", str(out)),
            cwd=project,
        )
        for asset in out.glob("asset.*.zip"):
            digest = hashlib.sha256(asset.read_bytes()).hexdigest()
            assert digest in {part["sha256"] for part in _parts(package).values()}
        template: dict[str, Any] = json.loads((out / "Gate.template.json").read_text())
        return template

    return run


def _parts(package: Path) -> dict[str, Any]:
    manifest = json.loads((package / "manifest.json").read_text())
    parts: dict[str, Any] = manifest["functions"] | manifest["layers"]
    return parts


def test_the_synthesized_stack_is_the_template_with_the_zips_as_assets(
    package: Path, synth: Synth
) -> None:
    template = json.loads((package / "template.json").read_text())
    made = synth()
    expected = {name: resource["Type"] for name, resource in template["Resources"].items()}
    found = {name: resource["Type"] for name, resource in made["Resources"].items()}
    deployments = {n for n, kind in expected.items() if kind == "AWS::ApiGateway::Deployment"}
    assert set(expected) - set(found) == deployments
    assert sorted(expected.values()) == sorted(found.values())
    for part in _parts(package).values():
        properties = made["Resources"][part["logical_id"]]["Properties"]
        place = properties.get("Code") or properties["Content"]
        assert "assets" in place["S3Bucket"]["Fn::Sub"]
        assert place["S3Key"].endswith(".zip")
    assert "ArtifactsBucket" not in json.dumps(made)
    kept = made["Resources"]["KeysTable"]
    assert (kept["DeletionPolicy"], kept["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert made["Outputs"]["Authorizer"]["Value"] == {"Ref": "AuthorizerFunctionAliaslive"}
    assert set(template["Outputs"]) < set(made["Outputs"])


def test_another_parameter_is_another_deployment_of_the_api(synth: Synth) -> None:
    def deployment(template: dict[str, Any]) -> str:
        kinds: dict[str, str] = {n: r["Type"] for n, r in template["Resources"].items()}
        (name,) = (n for n, kind in kinds.items() if kind == "AWS::ApiGateway::Deployment")
        assert template["Resources"]["Apiv1Stage"]["Properties"]["DeploymentId"] == {"Ref": name}
        return name

    one, other = synth(), synth(AllowedOrigin="https://app.example.com")
    assert deployment(one) != deployment(other)
    assert "AllowedOrigin" not in other["Parameters"]
