"""What a key has made, by itself and through others."""

from __future__ import annotations

from chatgrid_auth.services.descendants import Kin, living_descendants


def kin(*made: tuple[str, str, bool]) -> list[Kin]:
    return [Kin(id=key_id, maker=maker, lives=lives) for maker, key_id, lives in made]


def test_descendants_are_found_behind_revoked_keys_and_nobody_elses() -> None:
    family = kin(
        ("a", "b", False), ("b", "c", True), ("c", "d", True), ("x", "y", True), ("d", "e", False)
    )
    assert living_descendants("a", family) == ["c", "d"]
    assert living_descendants("d", family) == []


def test_a_circle_which_no_key_could_make_ends_all_the_same() -> None:
    assert living_descendants("a", kin(("a", "b", True), ("b", "a", True))) == ["b"]


def test_a_key_read_as_living_and_as_revoked_is_revoked() -> None:
    assert living_descendants("a", kin(("a", "b", True), ("a", "b", False))) == []
