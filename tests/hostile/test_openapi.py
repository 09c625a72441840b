"""Schemathesis reads the OpenAPI document and tries to prove it, or the API, wrong."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.hostile.operations import operations
from tests.support.stack.api import Api

ROOT = Path(__file__).parents[2]
#: The document says with words what no schema can: a moment in the future, within a hundred years.
FUTURE = "2099-01-01T00:00:00Z"
#: Names within a range of which every character is one that people can read.
ASSIGNED = r"^[ -~\u00a1-\u00ac\u00ae-\u024f]*[!-~\u4e00-\u9fa5][ -~]*$"
#: What stands in the lists of a key, and in its notes.
RULES = {
    "allowed_ips": ["192.0.2.0/24", "127.0.0.1", "2001:db8::/32"],
    "permissions": ["boards:read", "exports:*", "*"],
}
NOTE = {"type": "string", "pattern": "^[a-zA-Z0-9 ]{1,40}$"}
#: An API of API Gateway cannot have the method TRACE, so it is unknown (404) and not wrong (405).
NOT_TO_BE_HAD = ("UnsupportedMethodResponse", "TRACE")
#: 422 says of a name (`Idempotency-Key`) that it was used for another request: no schema can.
SETTINGS = """
headers = { Authorization = "Bearer ${CHATGRID_KEY}" }
[cache]
enabled = false
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 401, 403, 404, 409, 422, 429]
"""


def document() -> dict[str, Any]:
    """The OpenAPI document, with values in place of what its words say and no schema can."""
    described: dict[str, Any] = json.loads((ROOT / "docs" / "openapi.json").read_text())
    found = copy.deepcopy(described)
    # Nobody here can sign as GitHub: of what is well formed nothing would be accepted.
    del found["paths"]["/leaks/github"]
    # It ends the key that all the others are asked with.
    del found["paths"]["/me/api-key"]["delete"]
    # Spans that run backwards or have too many buckets are refused.
    for path in ("/me/usage", "/me/api-keys/{id}/usage"):
        asked = found["paths"][path]["get"]
        asked["parameters"] = [
            one for one in asked["parameters"] if one["name"] not in {"from", "to"}
        ]
    schemas = found["components"]["schemas"]
    for schema in ("NewApiKey", "ApiKeyChanges"):
        fields = schemas[schema]["properties"]
        # Not together with `expires_at`; only with a kind; only where there are some already.
        for field in ("expires_in_seconds", "kind", "allowed_origins", "credits"):
            fields.pop(field, None)
        moment = fields["expires_at"]["anyOf"][0]
        assert moment == {"type": "string", "format": "date-time"}
        moment["enum"] = [FUTURE]
        for field, values in RULES.items():
            assert fields[field]["anyOf"][0]["items"] == {"type": "string"}
            fields[field]["anyOf"][0] |= {"minItems": 1, "items": {"enum": values}}
        notes = fields["metadata"]["anyOf"][0]
        notes |= {"propertyNames": NOTE, "additionalProperties": NOTE, "maxProperties": 4}
    networks = schemas["NewToken"]["properties"]["allowed_ips"]["anyOf"][0]
    networks |= {"minItems": 1, "items": {"enum": RULES["allowed_ips"]}}
    for schema in ("NewApiKey", "ApiKeyChanges", "NewBoard", "BoardChanges"):
        # Words say that characters which Unicode has not assigned show nothing.
        schemas[schema]["properties"]["name"]["pattern"] = ASSIGNED
    return found


def failures(report: dict[str, Any]) -> list[tuple[str, str]]:
    """Each failed check with its operation."""
    return [
        (failure["type"], operation)
        for failure in report["failures"]
        for operation in failure["operations"]
        if (failure["type"], operation.split()[0]) != NOT_TO_BE_HAD
    ]


def test_all_of_schemathesis_checks_hold(tmp_path: Path, stack: dict[str, Any], admin: Api) -> None:
    # A limit that no run reaches, and a key of its own: it may be found in a list, and revoked.
    raw_key = admin.create_key(scopes=["admin"], rate_limit=60_000)["raw_key"]
    (tmp_path / "openapi.json").write_text(json.dumps(document()))
    (tmp_path / "schemathesis.toml").write_text(SETTINGS)
    report = tmp_path / "report.json"
    examples = os.environ.get("CHATGRID_FUZZ_EXAMPLES", "5")
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("st")), "--config-file", "schemathesis.toml"),
            *("run", "openapi.json", "--url", stack["url"]),
            *("--checks", "all", "--seed", "1", "--max-examples", examples, "--no-color"),
            *("--report", "json", "--report-json-path", str(report)),
        ],
        cwd=tmp_path,
        env={**os.environ, "CHATGRID_KEY": raw_key},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert report.exists(), done.stdout + done.stderr
    found = json.loads(report.read_text())
    assert failures(found) == [], done.stdout
    assert found["errors"] == [], done.stdout
    assert found["complete"], done.stdout
    assert found["operations"]["tested"] == len(operations()) - 2
    assert found["test_cases"]["generated"] > 250
    assert raw_key not in done.stdout + done.stderr
