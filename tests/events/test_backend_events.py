"""Each proxy and schedule event leads to the status that it is named for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import pytest

from chatgrid_auth.domain.credentials import ApiKey
from chatgrid_auth.http_api.telemetry import Telemetry
from chatgrid_auth.services.usage_plans.ports import RunSummary
from chatgrid_boards import wiring as boards
from chatgrid_boards.store import BoardStore
from chatgrid_management import wiring as management
from chatgrid_reconciler import wiring as reconciler
from tests.support.audit import created
from tests.support.http_api import Context, Handler
from tests.support.memory.audit_log import MemoryAuditLog
from tests.support.memory.boards_table import MemoryTransport
from tests.support.memory.key_store import MemoryKeyStore
from tests.support.memory.usage import MemoryUsage
from tests.support.tokens import Secrets
from tests.unit.leaks.conftest import World

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

EVENTS = Path(__file__).parents[2] / "events"
OWNER = "6f1f0a8e-6b5b-4b8e-9a36-0f2b7e4a1c11"
KEY_ID = "01890a5d-ac96-774b-bcce-b302099a8057"


def common() -> dict[str, Any]:
    # A logger holds on to the standard output that it met first: a name for each test.
    return {
        "allowed_origin": "*",
        "telemetry": Telemetry(service=f"events-{uuid4()}", namespace="Test", level="INFO"),
    }


def management_handler() -> Handler:
    store = MemoryKeyStore()
    key = ApiKey(
        id=KEY_ID,
        owner=OWNER,
        name="CI",
        prefix="cgk_live_a1b2",
        scopes=("admin",),
        environment="live",
        rate_limit=120,
        created_at_ms=1_795_000_000_000,
    )
    store.create(key, key_hash="0" * 64, keys_per_user=10, event=created(key))
    settings = management.Settings(
        keys_table="keys",
        audit_table="audit",
        usage_table="usage",
        rate_limit_default=120,
        rate_limit_ceiling=5_000,
        keys_per_user=1_000,
        own_gateway_keys=True,
        key_creations_per_hour=0,
        revoked_retention_days=400,
        **common(),
    )
    return management.compose(
        settings,
        store=store,
        audit_log=lambda: MemoryAuditLog(store),
        usage=MemoryUsage,
        token_secret=Secrets(),
    )


def boards_handler() -> Handler:
    settings = boards.Settings(boards_table="boards", **common())
    return boards.compose(settings, store=BoardStore(MemoryTransport(), table="boards"))


def leaks_handler() -> Handler:
    return World().handler


HANDLERS = {"management": management_handler, "boards": boards_handler, "leaks": leaks_handler}
FILES = [file for name in HANDLERS for file in sorted((EVENTS / name).glob("[0-9]*.json"))]


def load(file: Path) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(file.read_text())
    return event


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_an_event_gets_the_status_in_its_name(file: Path) -> None:
    answer = HANDLERS[file.parent.name]()(load(file), Context())
    assert answer["statusCode"] == int(file.stem[:3])
    body = json.loads(answer["body"])
    if answer["statusCode"] >= 400:
        assert (body["object"], body["status"]) == ("error", answer["statusCode"])


def test_the_queues_event_is_acted_upon() -> None:
    world = World()
    world.keys.ours["0" * 64] = True
    answer = world.handler(load(EVENTS / "leaks" / "queue.json"), Context())
    assert answer == {"batchItemFailures": []}
    assert world.keys.done == [("disable", "0" * 64)]


class Rehearsal:
    """Stands in for the reconciler: notes how it was called."""

    def __init__(self) -> None:
        self.sweeps: list[bool] = []

    def run(self, *, time_left: Callable[[], float], sweep: bool) -> RunSummary:
        self.sweeps.append(sweep)
        return RunSummary()


@pytest.mark.parametrize(("name", "sweep"), [("drain", False), ("sweep", True)])
def test_the_reconcilers_event_tells_what_to_do(name: str, *, sweep: bool) -> None:
    dry_run = Rehearsal()
    settings = reconciler.Settings(
        keys_table="keys",
        audit_table="audit",
        usage_plan="standard",
        stack="chatgrid",
        most_keys=8_000,
        own_keys=True,
        dry_run=False,
        dormant_after_days=0,
        calls_per_second=4,
        telemetry=Telemetry(service=f"events-{uuid4()}", namespace="Test", level="INFO"),
    )
    handle = reconciler.compose(settings, dry_run)  # type: ignore[arg-type] # only what it calls
    context = cast("LambdaContext", Context())
    handle(load(EVENTS / "reconciler" / f"{name}.json"), context)
    assert dry_run.sweeps == [sweep]


def test_every_event_is_used_by_a_test() -> None:
    folders = {file.parent.name for file in EVENTS.rglob("*.json")}
    assert folders == {"authorizer", "boards", "leaks", "management", "reconciler"}
    assert len(list(EVENTS.rglob("*.json"))) >= 20
