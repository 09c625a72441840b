"""The budgets, and whether a run held them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.benchmarks.authorizer import everything_on
from tests.benchmarks.authorizer.figures import Figures
from tests.benchmarks.authorizer.subjects import OURS, SINGLE


class Budget(NamedTuple):
    """One promise: what, at most how much, and what was measured."""

    what: str
    at_most: float
    measured: float
    unit: str = "times"

    @property
    def held(self) -> bool:
        """Whether the promise holds."""
        return self.measured <= self.at_most


def budgets(figures: Figures) -> list[Budget]:
    """All of them, stretch goals last."""
    start, start_tls = (
        figures.ratio("start", f"{OURS} key{tls}", "python") for tls in ("", " tls")
    )
    share = figures.ratio("decide", f"{OURS} key", f"{SINGLE} key")
    store = figures.found["store"]
    return [
        Budget("process start to first key decision, over HTTP, by `python -c pass`", 4, start),
        Budget("the same over TLS, handshake included", 4, start_tls),
        Budget("CPU of a key decision by (b), boto3 with the same UpdateItem", 0.2, share),
        *_by_peer(figures),
        *_of_kinds(figures),
        Budget("store requests of a key decision", 1, store[f"{OURS} key"]["requests"], unit=""),
        Budget("write units of a key decision", 1, store[f"{OURS} key"]["write_units"], unit=""),
        Budget(
            "a mistyped key's decision by SHA-256 of the key",
            4,
            figures.ratio("decide", "part decide_malformed", "part sha256_key"),
        ),
        Budget(
            "store requests of a mistyped key",
            0,
            store[f"{OURS} malformed"]["requests"],
            unit="",
        ),
        Budget(
            "recognising a JWT seen before by SHA-256 of the token",
            4,
            figures.ratio("decide", "part recognise_token", "part sha256_token"),
        ),
        Budget(
            "store requests of a JWT seen before",
            1,
            store[f"{OURS} jwt_seen"]["requests"],
            unit="",
        ),
        Budget(
            "peak memory before the first JWT, over HTTP",
            24,
            figures.peak_mib(f"{OURS} key"),
            unit="MiB",
        ),
        Budget("the same over TLS", 24, figures.peak_mib(f"{OURS} key tls"), unit="MiB"),
        Budget("stretch: first key decision, over HTTP", 2.7, start),
        Budget("stretch: the same over TLS", 3.2, start_tls),
        Budget(
            "stretch: first JWT in a container",
            6,
            figures.ratio("start", f"{OURS} jwt", "python"),
        ),
        Budget("stretch: CPU of a key decision by (b)", 0.1, share),
    ]


def _of_kinds(figures: Figures) -> Iterator[Budget]:
    if "everything_on" not in figures.found:
        return
    seconds, requests = (figures.found["everything_on"][name] for name in ("cpu", "requests"))
    ratios = {name: everything_on.ratio(seconds, name) for name in seconds}
    del ratios[everything_on.TOGETHER]
    dearest = max(ratios, key=lambda name: ratios[name])
    what = f"CPU of any other warm decision by the plain key's: {dearest}"
    yield Budget(what, everything_on.AT_MOST, ratios[dearest])
    yield Budget("store requests of any of them", 1, max(requests.values()), unit="")


def _by_peer(figures: Figures) -> Iterator[Budget]:
    for subject in figures.subjects:
        if subject.counts and subject.name not in {OURS, SINGLE}:
            yield Budget(
                f"CPU of a key decision by {subject.title}",
                1,
                figures.ratio("decide", f"{OURS} key", f"{subject.name} key"),
            )
