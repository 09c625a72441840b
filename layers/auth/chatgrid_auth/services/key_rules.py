"""What a key may be, checked here once for the API, the operator's command and the import."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from chatgrid_auth.domain import readable_text
from chatgrid_auth.domain.errors import ChatGridError
from chatgrid_auth.domain.keys import ENVIRONMENTS
from chatgrid_auth.domain.scopes import SCOPES

LONGEST_NAME = 64
#: A key that is to outlive this wants no expiry at all, or is a slip of the pen.
LONGEST_LIFE_YEARS = 100
LONGEST_LIFE_SECONDS = 36_525 * 86_400
LONGEST_LIFE_MS = LONGEST_LIFE_SECONDS * 1_000
#: One item of DynamoDB takes 1,000 writes a second, whatever a deployment allows.
HIGHEST_RATE_LIMIT = 60_000
_IN_SECONDS = "expires_in_seconds"


class Unsaid(Enum):
    """The type of what nobody said, where ``None`` says something."""

    UNSAID = "unsaid"


UNSAID = Unsaid.UNSAID


class Lifetimes(NamedTuple):
    """How long the keys of a deployment live.

    Attributes:
        default_seconds: where nobody says anything; 0 for the ceiling, or for ever without one.
        ceiling_seconds: the longest that may be asked for; 0 for any.
    """

    default_seconds: int = 0
    ceiling_seconds: int = 0

    @property
    def unsaid_seconds(self) -> int | None:
        """How long a key lives of which nobody says it; ``None`` for ever."""
        return min(filter(None, self), default=None)


#: Keys live for ever, unless somebody says otherwise.
ANY_LIFETIME = Lifetimes()


class KeyProblem(NamedTuple):
    """One rule that a key breaks.

    Attributes:
        path: the field, by the API's name; a place in a list behind a dot (``scopes.0``).
        code: one of the contract's codes of ``details``.
        message: the rule, never the value.
    """

    path: str
    code: str
    message: str


class InvalidKey(ChatGridError):
    """A key breaks rules.

    Args:
        problems: all of them, in the order of the fields.
    """

    def __init__(self, problems: Sequence[KeyProblem]) -> None:
        super().__init__("; ".join(f"{one.path}: {one.message}" for one in problems))
        self.problems = tuple(problems)


def check_new_key(
    *,
    name: str,
    scopes: Sequence[object],
    environment: object,
    rate_limit: int | None,
    of_expiry: Sequence[KeyProblem],
    rate_limit_ceiling: int,
    rate_limit_floor: int = 1,
) -> list[KeyProblem]:
    """All rules that a new key breaks, in the order of the fields; none when it may be made.

    Args:
        rate_limit: requests in any 60 seconds; ``None`` for the default.
        of_expiry: what is wrong with its expiry, as `resolve_expiry` or `check_expiry` tells.
        rate_limit_ceiling: the highest limit that whoever asks may give.
        rate_limit_floor: what the deployment's dearest request takes.
    """
    return [
        *check_name(name),
        *check_scopes(scopes),
        *check_rate_limit(rate_limit, ceiling=rate_limit_ceiling, floor=rate_limit_floor),
        *of_expiry,
        *_one_of("environment", environment, ENVIRONMENTS),
    ]


def check_name(name: str) -> list[KeyProblem]:
    """What is wrong with a name."""
    if not name:
        return [KeyProblem("name", "too_small", "Must contain at least 1 character(s)")]
    if len(name) > LONGEST_NAME:
        return [KeyProblem("name", "too_big", f"Must contain at most {LONGEST_NAME} character(s)")]
    unreadable = readable_text.problem_of(name)
    return [] if unreadable is None else [KeyProblem("name", "invalid_value", unreadable)]


def check_rate_limit(rate_limit: int | None, *, ceiling: int, floor: int = 1) -> list[KeyProblem]:
    """What is wrong with a limit; ``None`` stands for the default, which is always right."""
    if rate_limit is None:
        return []
    if rate_limit < floor:
        return [KeyProblem("rate_limit", "too_small", f"Must be at least {floor}")]
    highest = min(ceiling, HIGHEST_RATE_LIMIT)
    if rate_limit > highest:
        return [KeyProblem("rate_limit", "too_big", f"Must be at most {highest}")]
    return []


def resolve_expiry(
    given: Mapping[str, int | None], *, lifetimes: Lifetimes, now_ms: int
) -> tuple[int | None, list[KeyProblem]]:
    """When a key ends, in Unix milliseconds (``None`` for never), and what is wrong with that.

    Args:
        given: what was said, by the API's names: ``expires_at`` in Unix milliseconds,
            ``expires_in_seconds``; ``None`` says never, what is left out says nothing.
        lifetimes: the deployment's.
        now_ms: the clock, in Unix milliseconds.
    """
    if len(given) > 1:
        both = "Must not be given together with expires_at"
        return None, [KeyProblem(_IN_SECONDS, "invalid_value", both)]
    path, value = next(iter(given.items()), (_IN_SECONDS, lifetimes.unsaid_seconds))
    if given and value is None and lifetimes.ceiling_seconds:
        return None, [KeyProblem(path, "too_big", _at_most(lifetimes.ceiling_seconds))]
    if path == _IN_SECONDS and value is not None:
        if problems := check_lifetime(value):
            return None, problems
        value = now_ms + value * 1_000
    problems = check_expiry(value, now_ms=now_ms)
    ceiling_ms = lifetimes.ceiling_seconds * 1_000
    if not problems and value is not None and ceiling_ms and value > now_ms + ceiling_ms:
        problems = [KeyProblem(path, "too_big", _at_most(lifetimes.ceiling_seconds))]
    return value, problems


def check_lifetime(seconds: int) -> list[KeyProblem]:
    """What is wrong with a key's time to live, whatever the deployment's ceiling is."""
    if seconds < 1:
        return [KeyProblem(_IN_SECONDS, "too_small", "Must be at least 1")]
    if seconds > LONGEST_LIFE_SECONDS:
        return [KeyProblem(_IN_SECONDS, "too_big", f"Must be at most {LONGEST_LIFE_SECONDS}")]
    return []


def check_expiry(
    expires_at_ms: int | None, *, now_ms: int, may_have_expired: bool = False
) -> list[KeyProblem]:
    """What is wrong with an expiry, in Unix milliseconds; ``None`` stands for never."""
    if expires_at_ms is None:
        return []
    if expires_at_ms <= (0 if may_have_expired else now_ms):
        return [KeyProblem("expires_at", "too_small", "Must be in the future")]
    if expires_at_ms > now_ms + LONGEST_LIFE_MS:
        within = f"Must be within {LONGEST_LIFE_YEARS} years"
        return [KeyProblem("expires_at", "too_big", within)]
    return []


def _at_most(seconds: int) -> str:
    return f"Must be at most {seconds} seconds away"


def check_scopes(scopes: Sequence[object]) -> Iterator[KeyProblem]:
    """What is wrong with scopes."""
    if not scopes:
        yield KeyProblem("scopes", "too_small", "Must contain at least 1 item(s)")
    for place, scope in enumerate(scopes):
        yield from _one_of(f"scopes.{place}", scope, SCOPES)


def _one_of(path: str, value: object, allowed: tuple[str, ...]) -> Iterator[KeyProblem]:
    if value not in allowed:
        *others, last = (f"'{one}'" for one in allowed)
        yield KeyProblem(path, "invalid_value", f"Expected {', '.join(others)} or {last}")
