"""A bounded run of the coverage-guided fuzzer finds nothing."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECONDS = int(os.environ.get("CHATGRID_FUZZ_SECONDS", "15"))
RUNS = 20_000 if "CHATGRID_FUZZ_SECONDS" not in os.environ else -1


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None,
    reason="NOT FUZZED: atheris is missing; python -m pip install -r requirements/fuzz.txt",
)
def test_the_authorizer_withstands_guided_fuzzing(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.hostile.guided"),
            *(f"-max_total_time={SECONDS}", f"-runs={RUNS}", "-seed=7", "-max_len=700"),
            f"-artifact_prefix={tmp_path}/",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS + 120,
    )
    assert done.returncode == 0, done.stderr[-4_000:]
    assert "Done " in done.stderr
