"""A model of one DynamoDB item that evaluates the shipped expression strings, and an exact log.

The evaluator knows the documented semantics only: all conditions are judged, and all right sides
computed, from the item before the update; a comparison with an absent attribute is false; an
update that reads an absent attribute, or names one twice, is an error.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from chatgrid_auth.domain.limits import window, window_upkeep

Numbers = dict[str, int]
Values = Mapping[str, int]
Predicate = Callable[[Numbers, Values], bool]
Term = Callable[[Numbers, Values], int]

WINDOW_US = 60_000_000
SKEW_US = 500_000
FLIGHT_US = 2_000_000

_TOKEN = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*|[:#][A-Za-z0-9_]+|<=|>=|<>|[()<>=,+-])")
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    "=": lambda left, right: left == right,
}


class InvalidExpression(Exception):
    """DynamoDB would answer ValidationException."""


def tokens(expression: str) -> list[str]:
    found = []
    position = 0
    while position < len(expression):
        match = _TOKEN.match(expression, position)
        if not match:
            raise InvalidExpression(expression[position:])
        found.append(match[1])
        position = match.end()
    return found


class _Parser:
    def __init__(self, expression: str) -> None:
        self.rest = deque(tokens(expression))

    def take(self, *expected: str) -> str:
        if not self.rest or (expected and self.rest[0] not in expected):
            raise InvalidExpression(f"expected {expected} before {list(self.rest)[:3]}")
        return self.rest.popleft()

    def next_is(self, *choices: str) -> bool:
        return bool(self.rest) and self.rest[0] in choices

    def condition(self) -> Predicate:
        either = [self._all()]
        while self.next_is("OR"):
            self.take()
            either.append(self._all())
        if len(either) == 1:
            return either[0]
        first, *others = either
        return lambda item, values: first(item, values) or any(p(item, values) for p in others)

    def _all(self) -> Predicate:
        parts = [self._one()]
        while self.next_is("AND"):
            self.take()
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda item, v: all(p(item, v) for p in parts)

    def _one(self) -> Predicate:
        if self.next_is("("):
            self.take()
            inner = self.condition()
            self.take(")")
            return inner
        if self.next_is("attribute_exists", "attribute_not_exists"):
            wanted = self.take() == "attribute_exists"
            self.take("(")
            name = self.take()
            self.take(")")
            return lambda item, values: (name in item) is wanted
        left, compare, right = self.take(), _COMPARE[self.take(*_COMPARE)], self.take()

        def judge(item: Numbers, values: Values) -> bool:
            one = values[left] if left[0] == ":" else item.get(left)
            other = values[right] if right[0] == ":" else item.get(right)
            return one is not None and other is not None and compare(one, other)

        return judge

    def assignment(self) -> tuple[str, Term]:
        name = self.take()
        self.take("=")
        left = self._operand()
        if not self.next_is("+", "-"):
            return name, left
        sign = 1 if self.take() == "+" else -1
        right = self._operand()
        return name, lambda item, values: left(item, values) + sign * right(item, values)

    def _operand(self) -> Term:
        if self.next_is("if_not_exists"):
            self.take()
            self.take("(")
            name = self.take()
            self.take(",")
            other = self._operand()
            self.take(")")
            return lambda item, v: item[name] if name in item else other(item, v)
        name = self.take()
        if name[0] == ":":
            return lambda item, values: values[name]
        return lambda item, values: item[name]

    def names(self) -> list[str]:
        found = [self.take()]
        while self.next_is(","):
            self.take()
            found.append(self.take())
        return found


_CEILING = re.compile(r"\(attribute_not_exists\((\w+)\) OR used<(\w+)\)")
_FIRST = "used<cap AND "


def ceilings(expression: str) -> Predicate | None:
    """What `parse` makes of a conjunction of ceilings, many times faster; None for any other."""
    pairs = _CEILING.findall(expression)
    if not expression.startswith(_FIRST):
        return None
    names = [name for name, _ in pairs]
    shape = (f"(attribute_not_exists({name}) OR used<{other})" for name, other in pairs)
    if any(name != other for name, other in pairs) or expression != _FIRST + " AND ".join(shape):
        return None

    def holds(item: Numbers, values: Values) -> bool:
        used = item.get("used")
        if used is None or "cap" not in item or used >= item["cap"]:
            return False
        return all(name not in item or used < item[name] for name in names)

    return holds


@lru_cache(maxsize=4_096)
def condition(expression: str) -> Predicate:
    return ceilings(expression) or parse(expression)


def parse(expression: str) -> Predicate:
    """A condition as the predicate that it stands for."""
    parser = _Parser(expression)
    parsed = parser.condition()
    if parser.rest:
        raise InvalidExpression(f"left over: {list(parser.rest)}")
    return parsed


@lru_cache(maxsize=4_096)
def update(expression: str) -> tuple[list[tuple[str, Term]], list[str]]:
    parser = _Parser(expression)
    sets: list[tuple[str, Term]] = []
    removes: list[str] = []
    if parser.next_is("SET"):
        parser.take()
        sets.append(parser.assignment())
        while parser.next_is(","):
            parser.take()
            sets.append(parser.assignment())
    if parser.next_is("REMOVE"):
        parser.take()
        removes = parser.names()
    touched = [name for name, _ in sets] + removes
    if parser.rest or not touched or len(touched) != len(set(touched)):
        raise InvalidExpression(expression)
    return sets, removes


@lru_cache(maxsize=64)
def _of_used(expression: str) -> str:
    return expression.replace("#u", "used")


def _plain(value: Mapping[str, str]) -> Any:
    return int(value["N"]) if "N" in value else value["S"]


class Item:
    """One item's numbers; `low_level` shows it as the store would return it."""

    def __init__(self, numbers: Mapping[str, int]) -> None:
        self.numbers = dict(numbers)

    @classmethod
    def of(cls, low_level: Mapping[str, Mapping[str, str]]) -> Item:
        return cls({name: _plain(value) for name, value in low_level.items()})

    def copy(self) -> Item:
        return Item(self.numbers)

    @property
    def low_level(self) -> dict[str, dict[str, str]]:
        typed: dict[str, Any] = self.numbers
        return {
            name: {"S" if isinstance(value, str) else "N": str(value)}
            for name, value in typed.items()
        }

    def write(
        self, expression: str, *, when: str, values: Values, names: Mapping[str, str] | None = None
    ) -> bool:
        """One conditional UpdateItem; False is ConditionalCheckFailedException."""
        for alias, name in (names or {}).items():
            expression, when = expression.replace(alias, name), when.replace(alias, name)
        if not condition(when)(self.numbers, values):
            return False
        sets, removes = update(expression)
        try:
            changed = {name: term(self.numbers, values) for name, term in sets}
        except KeyError as absent:
            raise InvalidExpression(f"refers to an absent attribute: {absent}") from absent
        self.numbers.update(changed)
        for name in removes:
            self.numbers.pop(name, None)
        return True

    def apply(self, parts: Mapping[str, Any]) -> bool:
        """One UpdateItem with the parameters of the upkeep."""
        values = parts.get("ExpressionAttributeValues", {})
        return self.write(
            parts["UpdateExpression"],
            when=parts["ConditionExpression"],
            values={name: _plain(value) for name, value in values.items()},
            names=parts.get("ExpressionAttributeNames"),
        )

    def admit(self, *, now_ms: int, requests: int = 1) -> int:
        """How many of so many requests at the same reading of a clock the item admits.

        From the second on they change `used` and `cap` only, so they are written as one update,
        with the largest number for which the condition still holds for the last of them.
        """
        if requests < 1:
            return 0
        plan = window.MINUTE.admission(now_ms)
        expression, when = (
            f"SET {plan.assignments} REMOVE {plan.removals}",
            _of_used(plan.condition),
        )
        if not self.write(expression, when=when, values={":c": 1}):
            return 0
        holds, used, cap = condition(when), self.numbers["used"], self.numbers["cap"]

        def admits(number: int) -> bool:
            self.numbers["used"], self.numbers["cap"] = used + number - 1, cap + number - 1
            return holds(self.numbers, {})

        low, high = 0, requests - 1
        if high and admits(high):
            low = high
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if admits(middle + 1) else (low, middle)
        self.numbers["used"], self.numbers["cap"] = used + low, cap + low
        return 1 + low


class Decision:
    def __init__(self, admitted: int, reading: window.WindowState, requests: int) -> None:
        self.admitted = admitted
        self.reading = reading
        self.requests = requests


def decide(item: Item, *, now_ms: int, limit: int, requests: int = 1) -> Decision:
    """What a container without memory does: the one write and, when asked for, the upkeep."""
    admitted = item.admit(now_ms=now_ms, requests=requests)
    seen = item.low_level
    reading = window.read(seen, now_ms=now_ms, limit=limit)
    upkeep = window_upkeep.maintenance(seen, now_ms=now_ms, limit=limit) if reading.upkeep else None
    if upkeep:
        item.apply(upkeep)
    return Decision(admitted, reading, requests + bool(upkeep))


class ExactLog:
    """Every admitted request with its real time: the oracle, and the reference for what is lost."""

    def __init__(self, span_us: int = WINDOW_US) -> None:
        self.span_us = span_us
        self.recent: deque[tuple[int, int]] = deque()
        self.in_window = 0
        self.total = 0

    def count(self, now_us: int) -> int:
        """How many were admitted in the window that ends now (one that begins with it is out)."""
        while self.recent and self.recent[0][0] <= now_us - self.span_us:
            self.in_window -= self.recent.popleft()[1]
        return self.in_window

    def add(self, now_us: int, number: int = 1) -> int:
        """The number admitted in the window that ends now, these included."""
        self.recent.append((now_us, number))
        self.in_window += number
        self.total += number
        return self.count(now_us)

    def admit(self, now_us: int, *, limit: int, requests: int = 1) -> int:
        """The ideal: admit whatever leaves the window within its limit; how many of these."""
        number = max(0, min(requests, limit - self.count(now_us)))
        if number:
            self.add(now_us, number)
        return number


# AWS: "DynamoDB item sizes and formats". What an admitted credential carries besides its window,
# each as long as it can be.
CREDENTIAL: dict[str, dict[str, str]] = {
    "pk": {"S": "KEY#" + 64 * "f"},
    "sk": {"S": "#"},
    "own": {"B": 16 * "b"},
    "id": {"B": 16 * "b"},
    "lvl": {"N": "3"},
    "lim": {"N": "99999"},
    "gw": {"S": 20 * "u"},
    "v": {"N": "999999"},
    "e": {"S": "t"},
    "cur": {"S": 6 * "t"},
    **{f"x{tag}": {"N": "1799999999999"} for tag in ("abcdef", "ghijkl")},
    **{f"s{tag}": {"N": "1799999999999"} for tag in ("ab", "gh")},
    # Credits and their refill; three costs and their shadows of `used`.
    "top": {"N": "9999999999"},
    "due": {"N": "1799999999999"},
    "g": {"S": "997,998,999"},
    "u997": {"N": "999999"},
    "u998": {"N": "999999"},
    "u999": {"N": "999999"},
}


def item_bytes(item: Mapping[str, Mapping[str, str]]) -> int:
    """An item's size by the documented rule: UTF-8 names and strings; a number takes one byte for
    each two significant digits, one more, and one for a minus sign (decimal pairs as written)."""
    size = 0
    for name, value in item.items():
        size += len(name.encode())
        if "N" not in value:
            (content,) = value.values()
            size += len(content.encode())
        else:
            digits = value["N"].lstrip("-")
            size += (len(digits) + 1) // 2 + 1 + value["N"].startswith("-")
    return size
