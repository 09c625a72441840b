"""docs/openapi.json is what the code says, and says all that a client can meet."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from chatgrid_devkit.openapi.document import document, render
from chatgrid_devkit.openapi.examples import ERRORS
from chatgrid_devkit.template.expansion import load

FILE = Path(__file__).parents[4] / "docs" / "openapi.json"
DOCUMENT = document()
#: The contract's table, 401 to 429 as any operation can meet them.
EVERYWHERE = {"401", "403", "429", "500", "503"}
#: Those that need no credential, and so never meet the refusals of one.
PUBLIC = {"/leaks", "/leaks/github"}
OPERATIONS = {
    ("get", "/me"): set(),
    ("get", "/me/api-keys"): {"400"},
    ("post", "/me/api-keys"): {"400", "409", "413", "415", "422"},
    ("get", "/me/api-keys/{id}"): {"404"},
    ("patch", "/me/api-keys/{id}"): {"400", "404", "413", "415"},
    ("delete", "/me/api-keys/{id}"): {"400", "404"},
    ("post", "/me/api-keys/{id}/rotate"): {"400", "404", "409", "413", "415", "422"},
    ("delete", "/me/api-keys/{id}/previous-secret"): {"404"},
    ("get", "/me/api-key"): {"404"},
    ("delete", "/me/api-key"): {"400", "404"},
    ("post", "/me/api-key/rotate"): {"400", "404", "409", "413", "415", "422"},
    ("post", "/me/tokens"): {"400", "404", "413", "415"},
    ("get", "/me/audit-log"): {"400"},
    ("get", "/me/usage"): {"400"},
    ("get", "/me/api-keys/{id}/usage"): {"400", "404"},
    ("get", "/me/audit-log/verify"): set(),
    ("post", "/keys/verify"): {"400", "413", "415"},
    ("post", "/leaks"): {"400", "413", "415"},
    ("post", "/leaks/github"): {"400", "401"},
    ("get", "/boards"): {"400"},
    ("post", "/boards"): {"400", "413", "415"},
    ("get", "/boards/{id}"): {"404"},
    ("patch", "/boards/{id}"): {"400", "404", "413", "415"},
    ("delete", "/boards/{id}"): {"404"},
}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def resolve(value: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in value:
        found: Any = DOCUMENT
        for name in value["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        value = found
    return value


def validate(schema: dict[str, Any], instance: object) -> None:
    whole = {**schema, "components": DOCUMENT["components"]}
    Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(
        instance
    )


def test_the_file_is_what_the_code_says() -> None:
    stale = "docs/openapi.json is stale: run `python -m chatgrid_devkit.openapi.document`"
    assert FILE.read_text(encoding="utf-8") == render(), stale


def test_every_operation_of_the_contract_is_described_and_no_other() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    assert {(method, path) for method, path, _ in operations()} == set(OPERATIONS)


def test_every_operation_is_one_that_is_deployed() -> None:
    template = load(FILE.parents[1] / "template.yaml")
    deployed = {
        (event["Properties"]["Method"].lower(), event["Properties"]["Path"])
        for name in ("ManagementFunction", "AuthorizerFunction", "LeaksFunction", "BoardsFunction")
        for event in template["Resources"][name]["Properties"]["Events"].values()
    }
    assert set(OPERATIONS) <= deployed
    described = {path for _, path in OPERATIONS}
    named = {(method, path) for method, path in deployed if path in described and method != "any"}
    assert named == set(OPERATIONS)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_status_that_an_operation_can_meet_is_described(method: str, path: str) -> None:
    responses = DOCUMENT["paths"][path][method]["responses"]
    errors = {status for status in responses if status >= "400"}
    everywhere = EVERYWHERE - {"401", "403"} if path in PUBLIC else EVERYWHERE
    assert errors >= everywhere | OPERATIONS[method, path]
    assert errors - everywhere - OPERATIONS[method, path] <= {"502", "504"}
    assert "422" in OPERATIONS[method, path] or "422" not in errors  # the framework's own


def test_every_error_is_in_the_envelope_and_every_example_holds() -> None:
    for name, response in DOCUMENT["components"]["responses"].items():
        content = response["content"]["application/json"]
        assert content["examples"], name
        for code, example in content["examples"].items():
            validate(content["schema"], example["value"])
            assert example["value"]["code"] == code
            with pytest.raises(Exception, match=r"is not one of|was expected"):
                validate(content["schema"], {**example["value"], "code": "other", "status": 1})


def test_every_row_of_the_error_table_has_an_example() -> None:
    described = {
        (code, resolve(example)["value"]["status"])
        for response in DOCUMENT["components"]["responses"].values()
        for code, example in response["content"]["application/json"]["examples"].items()
    }
    assert described == set(ERRORS)


def test_every_successful_answer_has_an_example_that_its_schema_accepts() -> None:
    for _, path, operation in operations():
        for status, response in operation["responses"].items():
            if status < "300":
                content = response["content"]["application/json"]
                validate(content["schema"], content["example"])
                if path in PUBLIC:  # GitHub's protocol has an envelope of its own
                    assert set(response["headers"]) == {"Cache-Control"}
                    continue
                with pytest.raises(Exception, match="'data' is a required property"):
                    validate(content["schema"], {"object": content["example"]["object"]})
                assert set(response["headers"]) >= {"X-RateLimit-Limit", "RateLimit"}, path


def test_examples_of_bodies_are_bodies() -> None:
    for name in ("NewApiKey", "NewBoard", "BoardChanges"):
        schema = DOCUMENT["components"]["schemas"][name]
        assert schema["additionalProperties"] is False
        for example in schema["examples"]:
            validate(schema, example)


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("Unauthorized", "WWW-Authenticate"),
        ("RateLimited", "Retry-After"),
        ("Unavailable", "Retry-After"),
        ("MethodNotAllowed", "Allow"),
    ],
)
def test_headers_that_a_client_acts_on_are_described(name: str, header: str) -> None:
    assert header in DOCUMENT["components"]["responses"][name]["headers"]


def test_the_scope_that_an_operation_needs_stands_with_it() -> None:
    needed = {(m, p): operation["security"] for m, p, operation in operations()}
    assert needed["get", "/me"] == [{"bearer": ["read"]}]
    assert needed["get", "/me/api-keys"] == [{"bearer": ["admin"]}]
    assert needed["patch", "/boards/{id}"] == [{"bearer": ["write"]}]
    assert DOCUMENT["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


def test_every_reference_leads_somewhere_and_nothing_is_left_over() -> None:
    text = json.dumps(DOCUMENT)
    referred = set(re.findall(r'"\$ref": "([^"]+)"', text))
    for reference in referred:
        assert resolve({"$ref": reference})
    schemas = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    assert schemas == {ref for ref in referred if "/schemas/" in ref}


def test_no_key_is_in_the_document_but_the_documented_one() -> None:
    found = set(re.findall(r"cgk_(?:live|test)_[a-z0-9]{32}", render()))
    assert found == {"cgk_live_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6"}
