"""Writes the vectors that hold the guards of all languages to the same responses.

The Python guard says what is expected, so what a change of it moves is read in the diff:
``.venv/bin/python -m tests.vectors.guard.generate``. A case that is wanted goes into ``cases``.
"""

from __future__ import annotations

import json
from typing import Any

from chatgrid_auth import guard
from tests.support.guard_vectors import FILES, by_decorator
from tests.vectors.guard.cases import NOW_S, Case, cases, http_api_cases


def text(of: list[Case]) -> str:
    """The file for these cases: one line for each."""
    known: dict[str, Any] = {"now_s": NOW_S, "exposed_headers": guard.EXPOSED_HEADERS}
    lines = [json.dumps({**case, "expected": by_decorator(case, now_s=NOW_S)}) for case in of]
    return json.dumps(known)[:-1] + ', "cases": [\n' + ",\n".join(lines) + "\n]}\n"


if __name__ == "__main__":
    FILES["rest-api"].write_text(text(list(cases())))
    FILES["http-api"].write_text(text(list(http_api_cases())))
