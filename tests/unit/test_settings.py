from __future__ import annotations

import pytest

from chatgrid_auth import settings
from chatgrid_auth.settings import SettingError


@pytest.mark.parametrize("environ", [{}, {"KEYS_TABLE": ""}])
def test_a_missing_setting_is_named(environ: dict[str, str]) -> None:
    with pytest.raises(SettingError, match="KEYS_TABLE is not set"):
        settings.text(environ, "KEYS_TABLE")


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", " 1", "٣", "9" * 10])
def test_an_unusable_number_is_named_but_not_shown(value: str) -> None:
    with pytest.raises(SettingError, match="LIMIT is not a positive") as refused:
        settings.positive_integer({"LIMIT": value}, "LIMIT")
    assert value not in str(refused.value)


def test_usable_settings_are_read() -> None:
    assert settings.text({"A": "b"}, "A") == "b"
    assert settings.positive_integer({"A": "120"}, "A") == 120
    assert settings.log_level({"A": "info"}, "A") == "INFO"


def test_an_unknown_log_level_is_refused() -> None:
    with pytest.raises(SettingError, match="A is not a log level"):
        settings.log_level({"A": "LOUD"}, "A")


def test_a_flag_is_true_or_false_and_off_when_unset() -> None:
    assert settings.flag({"A": "true"}, "A")
    assert not settings.flag({"A": "false"}, "A")
    assert not settings.flag({}, "A")
    for value in ("yes", "", "True", "1"):
        with pytest.raises(SettingError, match="A is neither true nor false"):
            settings.flag({"A": value}, "A")


@pytest.mark.parametrize(
    "value", ["x", "[1]", '"x"', "1", '{"a": 1}', '{"a": {"b": "c"}}', '{"a": "b", "a": "c"}']
)
def test_what_is_no_object_of_texts_is_refused_unshown(value: str) -> None:
    with pytest.raises(settings.SettingError, match=r"^the environment variable X is not a JSON"):
        settings.texts_by_name({"X": value}, "X")
    assert settings.texts_by_name({"X": '{"a": "b"}'}, "X") == {"a": "b"}
    assert settings.texts_by_name({"X": " "}, "X") == settings.texts_by_name({}, "X") == {}
