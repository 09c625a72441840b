"""Known vulnerabilities in what the lock files name, told apart from not knowing.

Where the advisory service cannot be reached, that is said loudly and fails nothing: the lock files
are no worse for it. It needs pip-audit, which has an environment of its own (`make audit`).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

_SECONDS = 900
#: How the ways to the service fail; a certificate that is not the service's is one of them.
_UNREACHABLE = ("ServiceError", "ConnectionError", "SSLError", "ProxyError", "Timeout")


class AuditFailed(Exception):
    """pip-audit itself failed, for another reason than the network; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What is known of the packages.

    Attributes:
        vulnerable: a line for each known vulnerability.
        audited: how many packages the service knew.
        unknown: packages that it said nothing about.
    """

    vulnerable: tuple[str, ...]
    audited: int
    unknown: tuple[str, ...]

    def report(self) -> str:
        """What to tell, unpleasant things first."""
        lines = list(self.vulnerable)
        if not self.audited:
            lines.append("NOT AUDITED: the advisory service cannot be reached; nothing is known.")
        elif self.unknown:
            lines.append(f"NOT AUDITED: {', '.join(self.unknown)}.")
        lines.append(f"{self.audited} packages audited, {len(self.vulnerable)} vulnerabilities.")
        return "\n".join(lines)


def findings(report: dict[str, Any]) -> Findings:
    """What pip-audit's JSON report says."""
    known = [found for found in report["dependencies"] if "skip_reason" not in found]
    return Findings(
        vulnerable=tuple(
            f"VULNERABLE: {found['name']} {found['version']}: {flaw['id']}, "
            f"fixed in {', '.join(flaw['fix_versions']) or 'no version yet'}"
            for found in known
            for flaw in found["vulns"]
        ),
        audited=len(known),
        unknown=tuple(f["name"] for f in report["dependencies"] if "skip_reason" in f),
    )


def audit(pip_audit: str, locks: list[str]) -> Findings:
    """Ask the advisory service about these lock files.

    Raises:
        AuditFailed: they cannot be read, or pip-audit is broken.
    """
    command = [pip_audit, "--format", "json", "--progress-spinner", "off", "--timeout", "15"]
    command += ["--disable-pip", "--no-deps"]
    for lock in locks:
        command += ["--requirement", lock]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        return Findings(vulnerable=(), audited=0, unknown=())
    if done.stdout.startswith("{"):
        return findings(json.loads(done.stdout))
    if any(error in done.stderr for error in _UNREACHABLE):
        return Findings(vulnerable=(), audited=0, unknown=())
    raise AuditFailed((done.stderr.strip().splitlines() or ["it said nothing"])[-1])


def main() -> None:
    """Look for known vulnerabilities; exit status 1 when there are any, 2 when it cannot work."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("pip_audit", help="the pip-audit command")
    parser.add_argument("locks", nargs="+", help="lock files")
    given = parser.parse_args()
    try:
        found = audit(given.pip_audit, given.locks)
    except AuditFailed as failed:
        print(f"audit: {failed}", file=sys.stderr)
        sys.exit(2)
    print(found.report())
    sys.exit(1 if found.vulnerable else 0)


if __name__ == "__main__":
    main()
