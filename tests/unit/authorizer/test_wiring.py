"""The composition root: a missing setting is named at init, and no value is ever shown."""

from __future__ import annotations

import pytest

from chatgrid_auth.settings import SettingError
from chatgrid_authorizer import wiring
from tests.unit.authorizer.environment import SETTINGS

REQUIRED = [
    "AWS_REGION",
    "KEYS_TABLE",
    "RATE_LIMITS_TABLE",
    "USAGE_KEY_STANDARD",
    "USAGE_KEY_WEB",
    "METRICS_NAMESPACE",
]


def test_a_complete_environment_makes_a_gate() -> None:
    gate = wiring.build(SETTINGS)
    assert gate.cold
    assert gate.metrics_namespace == "ChatGrid/test"


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_setting_is_named(name: str, value: str | None) -> None:
    environ = {n: v for n, v in SETTINGS.items() if n != name}
    if value is not None:
        environ[name] = value
    with pytest.raises(SettingError, match=name):
        wiring.build(environ)


def test_a_wrong_jwt_setting_is_named_at_init_without_its_value() -> None:
    with pytest.raises(ValueError, match="SUPABASE_URL") as error:
        wiring.build({**SETTINGS, "SUPABASE_URL": "http://example.org"})
    assert "example.org" not in str(error.value)
