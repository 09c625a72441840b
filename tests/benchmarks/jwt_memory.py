"""What recognising a token costs, in multiples of hashing it.

    python -m tests.benchmarks.jwt_memory

The two take turns in one run and the best of many rounds counts, so that other work on the
machine does not. Only the ratio means something.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import sha256

from chatgrid_auth.adapters.jwt.verifier import JwtVerifier
from tests.support.jwt_material import NOW_MS, Provider, verifier_for

CALLS = 2_000
ROUNDS = 40


def best_ratio(candidate: Callable[[], object], reference: Callable[[], object]) -> float:
    """The best time of the candidate over the best time of the reference."""
    best = [float("inf"), float("inf")]
    for _ in range(ROUNDS):
        for place, call in enumerate((candidate, reference)):
            started = time.perf_counter()
            for _ in range(CALLS):
                call()
            best[place] = min(best[place], time.perf_counter() - started)
    return best[0] / best[1]


def recognising(algorithm: str, *, crowded: bool) -> float:
    """Recognising a token of this algorithm, in multiples of its SHA-256.

    Args:
        algorithm: who signed it, which decides how long it is.
        crowded: whether the memory is full of other tokens.
    """
    provider = Provider()
    verifier: JwtVerifier = verifier_for(provider)
    forge = provider.forge()
    if crowded:
        for number in range(4_200):
            other = forge.token({"alg": "HS256", "claims": {"n": number}})
            assert verifier.verify(other, now_ms=NOW_MS) is not None
    token = forge.token({"alg": algorithm})
    assert verifier.verify(token, now_ms=NOW_MS) is not None
    raw = token.encode("ascii")
    return best_ratio(
        lambda: verifier.verify(token, now_ms=NOW_MS),
        lambda: sha256(raw).digest(),
    )


def main() -> None:
    for algorithm in ("ES256", "RS256", "HS256"):
        for crowded in (False, True):
            ratio = recognising(algorithm, crowded=crowded)
            memory = "full" if crowded else "empty"
            print(f"{algorithm}, memory otherwise {memory}: {ratio:.2f} x SHA-256")


if __name__ == "__main__":
    main()
