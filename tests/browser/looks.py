"""In which themes and sizes the suite looks at the page, and which of them are left to others."""

from __future__ import annotations

import os
from itertools import product

import pytest

from tests.browser.states import SIZES, THEMES, Theme

Look = tuple[Theme, tuple[int, int]]
LOOKS: tuple[Look, ...] = tuple(product(THEMES, SIZES))

whole = pytest.mark.skipif(
    "CHATGRID_WHOLE_BROWSER" not in os.environ,
    reason="IN ONE LOOK OF FOUR ONLY, since all take minutes: `make browser` has the others too",
)


def look(number: int) -> Look:
    """The one in which this state is looked at each time: by turns, so that all four are met."""
    return LOOKS[number % len(LOOKS)]


def other_looks(number: int) -> list[Look]:
    """Those that are left to `make browser`."""
    return [one for one in LOOKS if one != look(number)]
