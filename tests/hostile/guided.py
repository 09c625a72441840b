"""A fuzzer that watches which lines run: ``python -m tests.hostile.guided`` with libFuzzer's flags.

It fails at the first input that the authorizer answers with anything but a well-formed refusal.
"""

from __future__ import annotations

import base64
import importlib
import json
import sys
from typing import Any

atheris: Any = importlib.import_module("atheris")

with atheris.instrument_imports(include=["chatgrid_auth", "chatgrid_authorizer"]):
    from chatgrid_authorizer.response import respond
    from tests.hostile.answers import check
    from tests.support.memory.gate import World
    from tests.unit.authorizer.test_event import request_event

WORLD = World(failed_attempts_per_minute=30, imported_keys=True)
GOOD = {*WORLD.keys.values(), WORLD.token}


def credential(data: Any) -> str:
    """Text out of fuzzed bytes: anything, a good key that is spoiled, or three parts of a JWT."""
    kind = data.ConsumeIntInRange(0, 2)
    if kind == 0:
        return str(data.ConsumeUnicode(300))
    if kind == 1:
        whole = WORLD.keys["admin"]
        start, end = sorted(data.ConsumeIntInRange(0, len(whole)) for _ in range(2))
        return whole[:start] + str(data.ConsumeUnicode(10)) + whole[end:]
    parts = [data.ConsumeBytes(data.ConsumeIntInRange(0, 80)) for _ in range(3)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def attack(fuzzed: bytes) -> None:
    """One input, as an event of its own or in the header of a well-formed one."""
    data = atheris.FuzzedDataProvider(fuzzed)
    WORLD.lines.clear()
    if data.ConsumeBool():
        held = credential(data)
        event: Any = request_event(multiValueHeaders={"Authorization": [f"Bearer {held}"]})
    else:
        held = ""
        try:
            event = json.loads(data.ConsumeUnicode(600))
        except (ValueError, RecursionError):
            return
    effect = check(respond(event, gate=WORLD.gate))
    json.loads(WORLD.lines[0])
    assert effect == "Deny" or held.strip(" ") in GOOD, "a made-up credential got in"


if __name__ == "__main__":
    atheris.Setup(sys.argv, attack)
    atheris.Fuzz()
