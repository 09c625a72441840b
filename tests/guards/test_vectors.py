"""The Python guard gives the responses of the vectors, as decorator and as middleware."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.guard_vectors import FILES, by_decorator, by_middleware, read

VECTORS = {kind: read(path) for kind, path in FILES.items()}
BOTH = pytest.mark.parametrize("guard", [by_decorator, by_middleware])
CASES = pytest.mark.parametrize(
    ("now_s", "case"),
    [
        pytest.param(now_s, case, id=f"{kind}: {case['name']}")
        for kind, (now_s, _, cases) in VECTORS.items()
        for case in cases
    ],
)


@BOTH
@CASES
def test_a_request_gets_the_response_of_its_vector(
    guard: Any, now_s: float, case: dict[str, Any]
) -> None:
    if guard is by_decorator or "handlers_only" not in case:
        assert guard(case, now_s=now_s) == case["expected"]


def test_the_vectors_let_in_and_keep_out() -> None:
    for _, _, cases in VECTORS.values():
        statuses = [case["expected"]["status"] for case in cases]
        assert {200, 401, 403, 429, 503} <= set(statuses)
        for case in cases:
            assert (case["expected"]["caller"] is None) == (case["expected"]["status"] >= 400)
