"""``make soak``: load the local stack for a chosen time with faults on, and print figures.

Ends with 0 when every promise was kept, with 1 when one was broken or the stack cannot run.
Ctrl-C ends the load early; the books are checked all the same.
"""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.soak.report import report
from tests.soak.run import Figures, Settings, Soak, as_json

_TERMINAL_SECONDS = 1.0


def main(arguments: list[str] | None = None) -> int:
    """Run as told."""
    options = _parser().parse_args(arguments)
    settings = Settings(
        seconds=options.seconds + 60 * options.minutes,
        rate=options.rate,
        users=options.users,
        fault_share=options.faults,
        kill_every_seconds=options.kill_every,
        seed=options.seed,
    )
    print(f"Soaking for {settings.seconds:.0f} s, seed {settings.seed} ...", flush=True)
    with tempfile.TemporaryDirectory(prefix="chatgrid-soak-") as folder:
        figures = _run(Soak(settings, Path(folder) / "state"), tell_every=options.tell_every)
    if figures is None:
        return 1
    print(report(figures), flush=True)
    if options.json is not None:
        options.json.write_text(as_json(figures))
    return 1 if figures.broken else 0


def _run(soak: Soak, *, tell_every: float) -> Figures | None:
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: soak.stop.set())
    done = threading.Event()
    telling = threading.Thread(target=_tell, args=(soak, done, tell_every), daemon=True)
    telling.start()
    try:
        return soak.run()
    except AssertionError as reason:
        print(f"soak: the stack did not start:\n{reason}", file=sys.stderr)
        return None
    finally:
        done.set()
        telling.join()


def _tell(soak: Soak, done: threading.Event, every: float) -> None:
    """Say now and then how it goes: in one line on a terminal, in many elsewhere."""
    began, live = time.monotonic(), sys.stderr.isatty()
    start, end = ("\r\x1b[K", "") if live else ("", "\n")
    while not done.wait(_TERMINAL_SECONDS if live else every):
        line = f"{time.monotonic() - began:5.0f} s: {soak.progress}"
        print(start + line, end=end, file=sys.stderr, flush=True)
    print(end="\n" if live else "", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.0, help="how long to load the stack")
    parser.add_argument("--minutes", type=float, default=0.0, help="the same, added")
    parser.add_argument("--rate", type=float, default=30.0, help="actions a second (30)")
    parser.add_argument("--users", type=int, default=8, help="clients at once (8)")
    parser.add_argument("--faults", type=float, default=0.03, help="share of store requests (0.03)")
    parser.add_argument("--kill-every", type=float, default=60.0, help="seconds between kills (60)")
    parser.add_argument(
        "--tell-every", type=float, default=30.0, help="seconds between lines of progress (30)"
    )
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 32))
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
