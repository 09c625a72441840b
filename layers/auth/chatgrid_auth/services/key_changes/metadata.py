"""An owner's own notes on a key: a few pairs of strings, which no decision ever looks at."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping

from chatgrid_auth.services.key_rules import KeyProblem

MOST_PAIRS = 16
LONGEST_NAME = 64
MOST_BYTES = 2_048
#: Backends are told of no more than this; of more than that they are told nothing.
_MOST_TOLD_BYTES = 1_024


def merged(known: Mapping[str, str], given: Mapping[str, str | None] | None) -> dict[str, str]:
    """The pairs after a merge patch: a null value deletes its pair, a null patch all of them."""
    if given is None:
        return {}
    both = {**known, **given}
    return {name: value for name, value in both.items() if value is not None}


def check_metadata(pairs: Mapping[str, str]) -> list[KeyProblem]:
    """What is wrong with the pairs, as they would be kept; none of them is repeated."""
    if len(pairs) > MOST_PAIRS:
        return [KeyProblem("metadata", "too_big", f"Must contain at most {MOST_PAIRS} pairs")]
    if any(not name for name in pairs):
        return [KeyProblem("metadata", "too_small", "Names must contain at least 1 character(s)")]
    if any(len(name) > LONGEST_NAME for name in pairs):
        most = f"Names must contain at most {LONGEST_NAME} character(s)"
        return [KeyProblem("metadata", "too_big", most)]
    texts = [text for pair in pairs.items() for text in pair]
    if any(unicodedata.category(character) == "Cc" for text in texts for character in text):
        control = "Must not contain control characters"
        return [KeyProblem("metadata", "invalid_value", control)]
    if sum(len(text.encode()) for text in texts) > MOST_BYTES:
        most = f"Must be at most {MOST_BYTES} bytes in UTF-8"
        return [KeyProblem("metadata", "too_big", most)]
    return []


def is_told(pairs: Mapping[str, str]) -> bool:
    """Whether backends are told of these pairs."""
    return bool(pairs) and len(json.dumps(dict(pairs))) <= _MOST_TOLD_BYTES
