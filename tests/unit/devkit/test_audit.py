"""Not knowing is never reported as safe, and a known vulnerability never as unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatgrid_devkit.audit import AuditFailed, audit, findings

SOUND = {"name": "a", "version": "1", "vulns": []}
FLAW = {"id": "PYSEC-1", "fix_versions": ["2.1"]}
FLAWED = {"name": "b", "version": "2", "vulns": [FLAW]}
SKIPPED = {"name": "c", "skip_reason": "not found"}


def test_a_vulnerability_is_named_with_its_cure() -> None:
    found = findings({"dependencies": [SOUND, FLAWED]})
    assert found.vulnerable == ("VULNERABLE: b 2: PYSEC-1, fixed in 2.1",)
    assert "2 packages audited, 1 vulnerabilities." in found.report()


def test_packages_that_the_service_does_not_know_are_named() -> None:
    report = findings({"dependencies": [SOUND, SKIPPED]}).report()
    assert "NOT AUDITED: c." in report
    assert "1 packages audited" in report


def test_a_service_that_knows_nothing_is_one_that_cannot_be_reached() -> None:
    found = findings({"dependencies": [SKIPPED]})
    assert found.audited == 0
    assert "NOT AUDITED: the advisory service cannot be reached" in found.report()


@pytest.mark.parametrize("error", ["ConnectionError", "SSLError", "ReadTimeout", "ProxyError"])
def test_no_way_to_the_service_fails_nothing(tmp_path: Path, error: str) -> None:
    command = tmp_path / "pip-audit"
    command.write_text(f"#!/bin/sh\necho 'requests.exceptions.{error}' >&2\nexit 1\n")
    command.chmod(0o700)
    assert audit(str(command), ["lock.txt"]).audited == 0


def test_a_broken_audit_is_not_taken_for_an_unreachable_service(tmp_path: Path) -> None:
    command = tmp_path / "pip-audit"
    command.write_text("#!/bin/sh\necho 'No such file: lock.txt' >&2\nexit 1\n")
    command.chmod(0o700)
    with pytest.raises(AuditFailed, match="No such file"):
        audit(str(command), ["lock.txt"])
