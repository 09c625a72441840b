"""The soak in small: it finds nothing, and Ctrl-C ends it with its books checked."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
_REQUESTS = 120
_WAIT_SECONDS = 90.0


def test_a_short_soak_keeps_every_promise_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    figures_file, output = tmp_path / "figures.json", tmp_path / "output"
    options = ("--minutes", "30", "--users", "4", "--rate", "30", "--faults", "0.1")
    with output.open("wb") as written:
        soak = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.soak", *options),
                *("--kill-every", "3", "--tell-every", "1", "--json", str(figures_file)),
            ],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + _WAIT_SECONDS
        while requests_in(output) < _REQUESTS:
            assert soak.poll() is None, output.read_text()
            assert time.monotonic() < deadline, output.read_text()
            time.sleep(0.1)
        soak.send_signal(signal.SIGINT)
        assert soak.wait(_WAIT_SECONDS) == 0, output.read_text()
    finally:
        if soak.poll() is None:
            soak.kill()
            soak.wait()
    figures = json.loads(figures_file.read_text())
    assert figures["broken"] == []
    assert figures["requests"] >= _REQUESTS
    assert figures["keys_checked"] > 0
    assert figures["items_checked"] > figures["keys_checked"]
    assert sum(figures["faults"].values()) > 0
    assert {row[0] for row in figures["memory"]} >= {"embedded AWS", "gateway"}
    shown = output.read_text()
    assert "Promises broken: 0" in shown
    assert "cgk_" not in shown, "no key is ever shown"


def requests_in(output: Path) -> int:
    """How many requests the last line of progress tells of."""
    lines = [line for line in output.read_text().splitlines() if " requests, " in line]
    return int(lines[-1].split(":")[1].split()[0]) if lines else 0
