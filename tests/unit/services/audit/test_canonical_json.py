"""RFC 8785: one spelling for each value, the same as every other implementation's."""

from __future__ import annotations

from typing import Any

import pytest

from chatgrid_auth.services.audit.canonical_json import canonical


@pytest.mark.parametrize(
    ("value", "text"),
    [
        # RFC 8785, section 3.2.2: escapes, and nothing more than these.
        ('\u20ac$\u000f\nA\'B"\\\\"/', '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'),
        ("\b\t\n\f\r\u001f\u007f", '"\\b\\t\\n\\f\\r\\u001f\u007f"'),
        ([56, {"d": True, "10": None, "1": []}], '[56,{"1":[],"10":null,"d":true}]'),
        (-9007199254740991, "-9007199254740991"),
    ],
)
def test_values_have_the_spelling_of_the_rfc(value: Any, text: str) -> None:
    assert canonical(value) == text.encode()


def test_names_are_in_the_order_of_their_utf_16_code_units() -> None:
    """The RFC's own example, section 3.2.3: an emoji sorts before a Hebrew presentation form."""
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    ordered = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    text = canonical(dict.fromkeys(names, 0)).decode()
    assert text == "{" + ",".join(f"{canonical(name).decode()}:0" for name in ordered) + "}"


@pytest.mark.parametrize("value", [1.5, float("nan"), 2**53, "\ud800", {1}, b"x"])
def test_what_has_no_one_spelling_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json's own, or ours
        canonical(value)
