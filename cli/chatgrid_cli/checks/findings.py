"""What a check found, and how checks are run: one that cannot be made never hides the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from chatgrid_cli.errors import error_of
from chatgrid_cli.stacks import Stack

OK, WARN, FAIL, SKIPPED = "ok", "warn", "fail", "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the doctor's answer; ``advice`` says what to do when it is not ok."""

    check: str
    status: str
    message: str
    advice: str | None = None


#: Looks at a part of a stack.
Check = Callable[[Stack], Iterable[Finding]]


def ok(check: str, message: str) -> Finding:
    """As it should be."""
    return Finding(check=check, status=OK, message=message)


def warn(check: str, message: str, advice: str) -> Finding:
    """It works, but an operator should know."""
    return Finding(check=check, status=WARN, message=message, advice=advice)


def fail(check: str, message: str, advice: str) -> Finding:
    """A promise of the system does not hold like this."""
    return Finding(check=check, status=FAIL, message=message, advice=advice)


def skipped(check: str, message: str) -> Finding:
    """It could not be looked at, and why."""
    return Finding(check=check, status=SKIPPED, message=message)


#: What the embedded AWS, which plays CloudFormation here, takes and does not keep.
_NOT_KEPT = {
    *("point-in-time recovery", "time to live", "key source", "gateway responses", "access log"),
    "routes",  # it drops methods ANY
}


def run(stack: Stack, checks: Iterable[tuple[str, Check]]) -> Iterator[Finding]:
    """All findings; a check that meets a trouble says so, and the next one is made."""
    for name, check in checks:
        try:
            for finding in check(stack):
                yield _as_far_as_kept(finding) if stack.emulated else finding
        except Exception as error:  # what is no known trouble is raised again
            trouble = error_of(error)
            if trouble is None:
                raise
            yield skipped(name, f"could not be looked at: {trouble.text}")


def _as_far_as_kept(finding: Finding) -> Finding:
    if finding.check in _NOT_KEPT and finding.status != OK:
        return skipped(finding.check, "an emulator of AWS that does not keep this plays it here")
    return finding
