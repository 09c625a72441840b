"""Measures the authorizer beside what its user would pick instead: `make bench`.

    python -m tests.benchmarks.authorizer.run [--rounds 15] [--output docs/benchmarks]

Prints a table and writes `authorizer.json`, `authorizer.md` and plots. Only ratios from one run
mean something: times are the machine's.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.benchmarks.authorizer import everything_on, measure, memory, plots, preparation, report
from tests.benchmarks.authorizer.figures import Figures, rounded
from tests.benchmarks.authorizer.material import ROOT, Issuer
from tests.benchmarks.authorizer.sizes import deployed_bytes
from tests.benchmarks.authorizer.stub_process import Stub, write_certificate
from tests.benchmarks.authorizer.subjects import present

PACKAGES = (
    *("boto3", "botocore", "PyJWT", "cryptography", "aws-lambda-powertools", "django"),
    *("djangorestframework", "djangorestframework-api-key", "safe-api-keys"),
)
NODE_PACKAGES = (
    "@aws-sdk/client-dynamodb",
    "aws-jwt-verify",
    "better-auth",
    "@better-auth/api-key",
)

#: What OpenSSL calls the file of a certificate for `localhost`: `openssl x509 -subject_hash`.
LOCALHOST = "ce275665.0"


def about(rounds: int) -> dict[str, Any]:
    """Machine, versions, date and command."""
    model = [line for line in _read("/proc/cpuinfo").splitlines() if line.startswith("model name")]
    memory = [line for line in _read("/proc/meminfo").splitlines() if line.startswith("MemTotal")]
    versions = {name: version(name) for name in PACKAGES}
    node = shutil.which("node")
    if node:
        told = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
        versions["node"] = told.stdout.strip().removeprefix("v")
        lock = json.loads(_read(str(Path(__file__).parent / "node" / "package-lock.json")))
        for name in NODE_PACKAGES:
            versions[name] = lock["packages"][f"node_modules/{name}"]["version"]
    revision = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": f"make bench BENCH_ROUNDS={rounds}",
        "revision": revision,
        "machine": {
            "processor": model[0].partition(":")[2].strip() if model else platform.machine(),
            "cores": os.cpu_count(),
            "memory_mib": int(memory[0].split()[1]) // 1024 if memory else None,
            "system": f"{platform.system()} {platform.release()}",
            "load_average_at_start": round(os.getloadavg()[0], 1),
        },
        "python": platform.python_version(),
        "versions": versions,
        "rounds": rounds,
    }


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except OSError:
        return ""


def measured(rounds: int, folder: Path) -> dict[str, Any]:
    """Everything, measured once."""
    subjects = present()
    issuer = Issuer()
    (folder / "jwks.json").write_text(json.dumps(issuer.public), "utf-8")
    write_certificate(folder)
    credentials = preparation.prepare(subjects, folder)
    settings = {
        "jwks": issuer.public,
        "keys": 1_000,
        "items": preparation.items_for_the_stub(folder),
    }
    found: dict[str, Any] = {
        "about": about(rounds),
        "subjects": [subject._asdict() for subject in subjects],
        "bytes": {subject.name: deployed_bytes(subject) for subject in subjects},
    }
    with Stub(folder, settings) as stub:
        roots = ROOT / "layers/auth/chatgrid_auth/adapters/awslite/amazon_roots"
        shutil.copytree(roots, folder / "roots")
        shutil.copy(folder / "certificate.pem", folder / "roots" / LOCALHOST)
        bench = measure.Bench(
            subjects,
            stub=stub,
            folder=folder,
            credentials=credentials,
            tokens=issuer.tokens(stub.url),
        )
        few = max(3, rounds // 2)
        steps: dict[str, Callable[[], Any]] = {
            "store": bench.store_requests,
            "peak_kib": bench.peak_memory,
            "decide": lambda: bench.decide(rounds),
            "everything_on": lambda: everything_on.measured(4 * rounds),
            "start": lambda: bench.start(rounds),
            "stored_keys": lambda: bench.stored_keys(few),
            "processes": lambda: bench.processes(few),
        }
        for name, step in steps.items():
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            found[name] = step()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks")
    parser.add_argument("--again", action="store_true", help="only write the report again")
    given = parser.parse_args()
    path = given.output / "authorizer.json"
    if not given.again:
        with tempfile.TemporaryDirectory() as folder:
            found = measured(given.rounds, Path(folder))
        found["about"]["load_average_at_end"] = round(os.getloadavg()[0], 1)
        path.write_text(json.dumps(rounded(found), indent=1) + "\n", "utf-8")
    figures = Figures(json.loads(path.read_text("utf-8")))
    text = report.write(figures)
    (given.output / "authorizer.md").write_text(text, "utf-8")
    (given.output.parent / "memory-sizing.md").write_text(memory.write(figures), "utf-8")
    for name, picture in plots.draw(figures).items():
        (given.output / name).write_text(picture, "utf-8")
    print(report.table(figures))


if __name__ == "__main__":
    main()
