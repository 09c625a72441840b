"""What was measured, asked by name: medians, and ratios of neighbours in time."""

from __future__ import annotations

from statistics import median
from typing import Any

from tests.benchmarks.authorizer.subjects import Subject


class Figures:
    """One run's figures.

    Args:
        found: as `run` wrote them.
    """

    def __init__(self, found: dict[str, Any]) -> None:
        self.found = found
        self.subjects = [
            Subject(**{**given, "packages": tuple(given["packages"])})
            for given in found["subjects"]
        ]

    def has(self, section: str, name: str) -> bool:
        """Whether this was measured."""
        return name in self.found[section]

    def middle(self, section: str, name: str, measure: str = "cpu") -> float:
        """The median of the rounds, in seconds."""
        return float(median(self.found[section][name][measure]))

    def ratio(self, section: str, name: str, to: str, measure: str = "cpu") -> float:
        """The median over the rounds of one figure by another of the same round."""
        ours, theirs = self.found[section][name][measure], self.found[section][to][measure]
        return float(median(a / b for a, b in zip(ours, theirs, strict=True)))

    def peak_mib(self, name: str) -> float:
        """MiB in RAM at most."""
        return float(median(self.found["peak_kib"][name])) / 1024


def rounded(found: Any) -> Any:
    """The same, numbers at four digits."""
    if isinstance(found, dict):
        return {name: rounded(value) for name, value in found.items()}
    if isinstance(found, (list, tuple)):
        return [rounded(value) for value in found]
    return float(f"{found:.4g}") if isinstance(found, float) else found
