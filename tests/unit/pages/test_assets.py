"""A name never means two things, and all of it together is light."""

from __future__ import annotations

import gzip
import re
import shutil
from pathlib import Path

import pytest

from chatgrid_pages.assets import LIBRARY, SCRIPT, STATIC, read_assets

BUDGET_BYTES = 90 * 1024


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(STATIC, tmp_path / "static"))


def test_names_tell_the_content_and_are_the_same_for_the_same_content(copy: Path) -> None:
    assets = read_assets(copy)
    original = read_assets(STATIC)
    assert {name: asset.text for name, asset in assets.by_name.items()} == {
        name: asset.text for name, asset in original.by_name.items()
    }
    for name in assets.by_name:
        assert re.fullmatch(r"[a-z-]+\.[0-9a-f]{16}\.(js|css|svg)", name), name


@pytest.mark.parametrize(
    ("changed", "renamed"),
    [
        ("style.css", {"style.css"}),
        ("icon.svg", {"icon.svg"}),
        ("times.js", {SCRIPT}),
        ("main.js", {SCRIPT}),
        (LIBRARY, {LIBRARY, SCRIPT}),
    ],
)
def test_a_change_renames_what_it_changes_and_nothing_else(
    changed: str, renamed: set[str], copy: Path
) -> None:
    before = read_assets(copy).by_source
    file = copy / changed
    file.write_text(file.read_text("utf-8") + "\n", "utf-8")
    after = read_assets(copy).by_source
    assert {source for source in before if before[source].name != after[source].name} == renamed


def test_the_script_imports_the_library_by_its_name() -> None:
    assets = read_assets()
    imported = re.findall(
        r'^import .* from "\./(.+)";$', assets.by_source[SCRIPT].text, re.MULTILINE
    )
    assert imported == [assets.by_source[LIBRARY].name]


def test_scripts_and_styles_weigh_at_most_90_kb_compressed() -> None:
    texts = [
        asset.text.encode() for name, asset in read_assets().by_name.items() if "svg" not in name
    ]
    assert sum(len(gzip.compress(text)) for text in texts) <= BUDGET_BYTES


def test_licences_lie_beside_the_library_and_its_head_names_them() -> None:
    head = (STATIC / LIBRARY).read_text("utf-8")[:400]
    assert re.search(r"@supabase/auth-js \d+\.\d+\.\d+, MIT License", head)
    licences = (STATIC / "auth-js.LICENSES.txt").read_text("utf-8")
    assert "Supabase" in licences
    assert "Microsoft" in licences


def test_nothing_is_fetched_from_anywhere_else() -> None:
    for file in STATIC.iterdir():
        if file.name == LIBRARY or file.suffix == ".txt":
            continue
        found = re.findall(r"https?://([^\s\"'`)/<]+)", file.read_text("utf-8"))
        hosts = {host.rstrip(".") for host in found}
        # The name of a namespace, and an example of an origin.
        assert hosts <= {"www.w3.org", "app.example.com"}, file.name
