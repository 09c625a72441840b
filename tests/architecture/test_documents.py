"""What the documents point at is there: files, headings, and one number for each decision."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DECISIONS = ROOT / "docs" / "decisions"
#: The labels of what every decision's record tells.
PARTS = ["Context", "Decision", "Rejected", "Consequences"]


def documents() -> Iterator[Path]:
    """Every Markdown file of ours; a template's links are relative to what is made of it."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [f for f in folders if not f.startswith(".") and f != "node_modules"]
        yield from (
            Path(folder, name)
            for name in files
            if name.endswith(".md") and not name.endswith("_template.md")
        )


def prose(document: Path) -> str:
    """The text without its blocks of code, in which `[…](…)` is no link and `#` no heading."""
    return re.sub(
        r"^ *```.*?^ *```", "", document.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL
    )


def links(document: Path) -> list[str]:
    text = re.sub(r"`[^`\n]*`", "", prose(document))
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors(document: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a document."""
    found: Counter[str] = Counter()
    names = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *$", prose(document), flags=re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        names.add(f"{name}-{found[name]}" if found[name] else name)
        found[name] += 1
    return names


@pytest.mark.parametrize(
    "document", sorted(documents()), ids=lambda path: str(path.relative_to(ROOT))
)
def test_every_link_of_a_document_leads_somewhere(document: Path) -> None:
    for target in links(document):
        file, _, anchor = target.partition("#")
        leads_to = document.parent / file if file else document
        assert leads_to.exists(), target
        if anchor:
            assert anchor in anchors(leads_to), target


def test_there_are_documents_with_links_to_check() -> None:
    assert sum(len(links(document)) for document in documents()) > 70


def test_each_decision_has_a_number_of_its_own() -> None:
    names = sorted(path.name for path in DECISIONS.glob("*.md"))
    assert [name[:4] for name in names] == [f"{n:04}" for n in range(1, len(names) + 1)]


@pytest.mark.parametrize("record", sorted(DECISIONS.glob("*.md")), ids=lambda path: path.name)
def test_a_decisions_title_tells_its_number(record: Path) -> None:
    assert record.read_text("utf-8").startswith(f"# {record.name[:4]}: ")


@pytest.mark.parametrize("record", sorted(DECISIONS.glob("*.md")), ids=lambda path: path.name)
def test_every_decision_has_the_same_four_parts_in_one_order(record: Path) -> None:
    """Further parts may stand between and after them, as labelled paragraphs too."""
    text = prose(record)
    labels = re.findall(r"^\*\*([^*]+?)\.?\*\*", text, flags=re.MULTILINE)
    assert [label for label in labels if label in PARTS] == PARTS
    assert labels[0] == "Context"
    assert len(re.findall(r"^#", text, flags=re.MULTILINE)) == 1, "only the title is a heading"
