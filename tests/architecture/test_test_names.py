"""A test's name states its guarantee briefly; what does not fit goes into its docstring."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
MOST_WORDS = 12


def names() -> set[str]:
    """The name of every test function, in modules and in classes, without its `test_`."""
    return {
        name
        for module in TESTS.rglob("*.py")
        for name in re.findall(
            r"^ *(?:async )?def test_(\w+)", module.read_text("utf-8"), re.MULTILINE
        )
    }


def test_a_tests_name_has_at_most_twelve_words() -> None:
    assert len(names()) > 1000  # so a test that finds none cannot pass
    assert sorted(name for name in names() if len(name.split("_")) > MOST_WORDS) == []
