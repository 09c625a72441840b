"""The package for other tools: the same bytes for the same build, and nothing missing."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from chatgrid_devkit.packaging import NotBuilt, main, pack
from chatgrid_devkit.template.expansion import load
from tests.support.stack.packages import made_up_build
from tests.support.stack.templates import FUNCTIONS, TEMPLATE

LAYERS = {"AuthLayer", "HttpLayer", "JwtLayer"}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of a made-up build."""
    folder = tmp_path_factory.mktemp("package")
    pack(TEMPLATE, made_up_build(folder / "build"), folder / "package", region="us-east-1")
    return folder / "package"


def read(package: Path, name: str) -> Any:
    return json.loads((package / name).read_text())


def test_the_manifest_names_each_function_and_layer_with_its_hashes(
    package: Path,
) -> None:
    manifest = read(package, "manifest.json")
    assert set(manifest["functions"]) == set(FUNCTIONS)
    assert set(manifest["layers"]) == LAYERS
    parts = manifest["functions"] | manifest["layers"]
    for part in parts.values():
        digest = hashlib.sha256((package / part["file"]).read_bytes()).digest()
        assert part["sha256"] == digest.hex()
        assert part["code_sha256"] == base64.b64encode(digest).decode()
    files = {path.name for path in package.iterdir()}
    assert files == {"manifest.json", "template.json"} | {p["file"] for p in parts.values()}
    written = load(TEMPLATE)["Resources"]
    for name, part in manifest["functions"].items():
        properties = written[name]["Properties"]
        assert part["handler"] == properties["Handler"]
        assert part["layers"] == [layer["Ref"] for layer in properties["Layers"]]


def test_a_zip_holds_the_build_with_its_permissions_and_no_time(package: Path) -> None:
    (file,) = package.glob("AuthorizerFunction-*.zip")
    with zipfile.ZipFile(file) as content:
        entries = {entry.filename: entry for entry in content.infolist()}
        assert list(entries) == ["package/module.py", "package/tool"]
        assert content.read("package/module.py") == b"AuthorizerFunction"
    assert {entry.date_time for entry in entries.values()} == {(1980, 1, 1, 0, 0, 0)}
    modes = [oct(entry.external_attr >> 16) for entry in entries.values()]
    assert modes == ["0o100644", "0o100755"]


def test_the_same_build_gives_the_same_bytes_whenever_and_wherever(
    package: Path, tmp_path: Path
) -> None:
    build = made_up_build(tmp_path / "another place", backwards=True)
    for path in build.rglob("*.py"):
        os.utime(path, (1, 1))
        path.chmod(0o600)
    pack(TEMPLATE, build, tmp_path / "package", region="us-east-1")
    for path in package.iterdir():
        assert (tmp_path / "package" / path.name).read_bytes() == path.read_bytes(), path.name


def test_another_build_is_another_version_of_what_changed_alone(
    package: Path, tmp_path: Path
) -> None:
    build = made_up_build(tmp_path / "build")
    (build / "BoardsFunction" / "package" / "module.py").write_text("another")
    pack(TEMPLATE, build, tmp_path / "package", region="us-east-1")
    before, after = (
        set(read(p, "template.json")["Resources"]) for p in (package, tmp_path / "package")
    )
    changed = {name.rstrip("0123456789abcdef") for name in after - before}
    assert changed == {"BoardsFunctionVersion", "ApiDeployment"}


def test_the_packed_template_needs_no_transform_and_names_the_zips(package: Path) -> None:
    template = read(package, "template.json")
    assert "Transform" not in template
    assert not [r for r in template["Resources"].values() if "Serverless" in r["Type"]]
    assert template["Parameters"].keys() - load(TEMPLATE)["Parameters"].keys() == {
        *("ArtifactsBucket", "ArtifactsPrefix")
    }
    places = []
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        found = [properties.get("Code"), properties.get("Content")]
        places += [place for place in found if isinstance(place, dict) and "S3Key" in place]
    keys = {place["S3Key"]["Fn::Sub"] for place in places}
    assert {str(place["S3Bucket"]) for place in places} == {"{'Ref': 'ArtifactsBucket'}"}
    zips = {path.name for path in package.glob("*.zip")}
    assert keys == {f"${{ArtifactsPrefix}}{name}" for name in zips}


def test_a_build_that_lacks_a_function_is_no_package(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build = made_up_build(tmp_path / "build", without="LeaksFunction")
    with pytest.raises(NotBuilt, match="LeaksFunction"):
        pack(TEMPLATE, build, tmp_path / "package", region="us-east-1")
    assert main([str(TEMPLATE), str(build), str(tmp_path / "package")]) == 1
    assert "make build" in capsys.readouterr().err
