"""API Gateway keys: random values, names that lead back to their ChatGrid key, a stable choice."""

from __future__ import annotations

import os
from uuid import uuid4

import pytest

from chatgrid_auth.domain import usage_keys
from chatgrid_auth.domain.usage_keys import GatewayKey


def key(identifier: str, *, value: str = "v", created: float = 0.0) -> GatewayKey:
    return GatewayKey(id=identifier, name="name", value=value, enabled=True, created=created)


def test_values_are_letters_and_digits_api_gateway_takes() -> None:
    """Lower-case letters and digits, of a length that it takes."""
    values = {usage_keys.new_value(os.urandom) for _ in range(200)}

    assert len(values) == 200
    assert {len(value) for value in values} == {usage_keys.VALUE_LENGTH} == {20}
    assert set("".join(values)) == set("0123456789abcdefghijklmnopqrstuvwxyz")


def test_bytes_that_would_favour_some_characters_are_thrown_away() -> None:
    # 252 and above would wrap round to the first four characters once more.
    def entropy(size: int) -> bytes:
        return bytes([255, 10] * (size // 2))

    assert usage_keys.new_value(entropy) == "a" * 20


def test_a_name_leads_back_to_its_key() -> None:
    key_id = str(uuid4())

    name = usage_keys.name_of(key_id, prefix="chatgrid")

    assert usage_keys.key_id_of(name, prefix="chatgrid") == key_id


@pytest.mark.parametrize(
    "name",
    [
        "chatgrid-dev-0198c0de-0000-7000-8000-000000000001",
        "0198c0de-0000-7000-8000-000000000001",
        "chatgrid-0198c0de-0000-7000-8000-000000000001-old",
        "chatgrid-0198C0DE-0000-7000-8000-000000000001",
        "chatgrid",
        "chatgrid-",
        "",
    ],
)
def test_a_name_of_another_make_leads_nowhere(name: str) -> None:
    assert usage_keys.key_id_of(name, prefix="chatgrid") is None


def test_a_description_leads_back_to_the_owner() -> None:
    owner = str(uuid4())
    made = GatewayKey(
        id="k",
        name="n",
        value="v",
        enabled=True,
        created=0.0,
        description=usage_keys.description_of(owner),
    )

    assert made.owner == owner
    assert key("k").owner is None


def test_among_keys_of_one_name_value_age_and_id_choose() -> None:
    """The choice is by value, then by age, then by id."""
    young, old, named = key("b", created=2), key("c", created=1), key("a", value="x", created=3)

    assert usage_keys.preferred([young, old, named], value="x") is named
    assert usage_keys.preferred([young, old, named], value=None) is old
    assert usage_keys.preferred([key("b"), key("a")], value=None) == key("a")
    assert usage_keys.preferred([], value="x") is None
