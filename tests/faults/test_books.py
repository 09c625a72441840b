"""The checks that the suites rely on: right books pass, and each kind of wrong ones is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chatgrid_auth.adapters.keys_table import key_items
from chatgrid_auth.adapters.keys_table.items import n, s, uuid
from chatgrid_auth.domain.credentials import ApiKey
from tests.support.tables.admissions import Admitted, most_in_a_window
from tests.support.tables.books import errors_in

Item = dict[str, Any]
ADA = "6f1f0a8e-6b5b-4b8e-9a36-0f2b7e4a1c11"
ID = "0197c1f2-0000-7000-8000-00000000000"


def key(number: int) -> tuple[Item, Item]:
    """The credential and the record of a key."""
    made = ApiKey(
        id=ID + str(number),
        owner=ADA,
        name="key",
        prefix="cgk_live_0000",
        scopes=("read",),
        environment="live",
        rate_limit=120,
        created_at_ms=0,
        expires_at_ms=None,
    )
    return key_items.credential(made, f"{number:064}", imported=False), key_items.record(
        made, f"{number:064}"
    )


def right() -> list[Item]:
    """Two keys of one owner, and a third that is revoked."""
    gone, buried = key(3)
    gone["off"] = s("revoked")
    del gone["lvl"]
    buried["sk"] = s(f"REVOKED#{ID}3")
    count = {"pk": s(f"USER#{ADA}"), "sk": s("COUNT"), "active": n(2)}
    work = key_items.work("provision", ADA, ID + "1", "0" * 64)
    return [*key(1), *key(2), gone, buried, count, work]


def without(index: int) -> Callable[[list[Item]], None]:
    return lambda items: items.__delitem__(index)


def changed(index: int, **attributes: Item) -> Callable[[list[Item]], None]:
    return lambda items: items[index].update(attributes)


def test_right_books_are_found_right() -> None:
    assert errors_in(right()) == []


@pytest.mark.parametrize(
    ("harm", "complaint"),
    [
        (without(0), "record without a credential"),
        (without(1), "credential without a record"),
        (changed(4, off=s("manual")), "half revoked"),
        (changed(0, off=s("revoked")), "half revoked"),
        (changed(0, off=s("manual")), "active and off"),
        (changed(6, active=n(3)), "is counted 3"),
        (changed(4, m={"SS": ["token1"]}), "marked for books"),
        (without(6), "is counted 0"),
        (changed(0, id=uuid(ID + "9")), "credential of another"),
        (changed(0, cap=n(121)), "allows 121"),
        (changed(1, rate_limit=n(5)), "shows a limit of 5"),
        (changed(0, note=s("x" * 1024)), "bytes"),
        (lambda items: items.append({**items[1], "sk": s(f"KEY#{ID}8")}), "second record"),
    ],
)
def test_wrong_books_are_found_wrong(harm: Callable[[list[Item]], None], complaint: str) -> None:
    items = right()
    harm(items)
    assert any(complaint in error for error in errors_in(items))


@pytest.mark.parametrize(
    ("log", "most"),
    [
        ([], 0),
        ([(0, 1), (1, 2), (59, 60)], 3),
        ([(0, 1), (30, 31), (61, 62)], 2),
        ([(0, 100), (1, 2)], 1),
        ([(5, 6), (0, 1), (64, 65), (64, 66)], 2),
    ],
)
def test_the_most_in_a_window_counts_what_certainly_arrived_in_it(
    log: list[tuple[float, float]], most: int
) -> None:
    assert most_in_a_window(Admitted(*pair) for pair in log) == most
