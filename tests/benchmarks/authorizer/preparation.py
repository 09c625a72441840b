"""What is made before anything is measured: keys in the stores that subjects bring along."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.benchmarks.authorizer.processes import Worker
from tests.benchmarks.authorizer.subjects import OURS, SINGLE, USUAL, Subject, environment


def prepare(subjects: list[Subject], folder: Path) -> dict[str, str]:
    """Let each subject with a store of its own make a key; the credentials."""
    credentials: dict[str, str] = {}
    for subject in subjects:
        if subject.name in {OURS, SINGLE, USUAL, "aws_sdk"}:
            continue
        environ = environment("http://127.0.0.1:9", folder)
        with Worker(subject, environ, folder) as worker:
            credentials[subject.name] = worker.ask("prepare", folder=str(folder))["credential"]
    return credentials


def items_for_the_stub(folder: Path) -> dict[str, Any]:
    """Items that a subject wants the stub to hold."""
    path = folder / "items.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found
