"""An origin is what a browser sends, letter by letter, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chatgrid_auth.domain.rules import origins

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "vectors/rules/origins.json").read_text()
)


RULES = {
    "Must be an origin as browsers send it, such as https://app.example.com",
    "The port must be a whole number from 1 to 65535",
    "Browsers leave the scheme's default port out",
}


@pytest.mark.parametrize("text", VECTORS["accepted"])
def test_what_browsers_send_may_be_allowed_and_is_matched(text: str) -> None:
    origins.check_origin(text)
    assert origins.allows((text,), text)


@pytest.mark.parametrize("number", range(len(VECTORS["refused"])))
def test_what_no_browser_sends_is_refused_without_being_echoed(number: int) -> None:
    text = VECTORS["refused"][number]
    with pytest.raises(ValueError, match=r"^(Must be|The port|Browsers)") as refused:
        origins.check_origin(text)
    assert str(refused.value) in RULES, "a fixed text"


@pytest.mark.parametrize(("allowed", "sent", "passes"), VECTORS["matching"])
def test_an_origin_is_matched_exactly_or_not_at_all(
    allowed: str, sent: str | None, passes: bool
) -> None:
    assert origins.allows((allowed,), sent) is passes


def test_null_matches_nothing_even_where_it_was_stored() -> None:
    assert not origins.allows(("null",), "null")
