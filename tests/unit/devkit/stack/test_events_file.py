"""A local stack's events are kept once each, in a private file, over restarts too."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatgrid_auth.adapters.audit_table import layout
from chatgrid_auth.adapters.audit_table.chain import AuditChain
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.domain import audit
from chatgrid_devkit.stack.events_file import EventsFile
from tests.support.audit import event
from tests.support.tables.stores import audit_of, keys_table, moto_client


class World:
    def __init__(self, client: Any, file: Path) -> None:
        self.client = client
        self.table = audit_of(keys_table(self.client))
        self.file = file
        self.shown: list[str] = []
        self.chain = AuditChain(Boto3Transport(self.client), table=self.table, pause=lambda _: None)

    def events(self) -> EventsFile:
        return EventsFile(self.file, client=self.client, table=self.table, show=self.shown.append)

    def happen(self, key_id: str) -> None:
        self.chain.transact([], event(audit.CREATED, "ada", key_id, at_ms=1_773_133_200_000))

    def told(self) -> list[str]:
        return [json.loads(line)["detail"]["key_id"] for line in self.file.read_text().splitlines()]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with moto_client() as client:
        yield World(client, tmp_path / "events.jsonl")


def test_each_event_is_kept_and_shown_once_over_restarts(world: World) -> None:
    world.happen("key-1")
    events = world.events()
    events.look()
    events.look()
    world.happen("key-2")
    world.events().look()
    assert world.told() == ["key-1", "key-2"]
    assert len(world.shown) == 2
    assert stat.S_IMODE(world.file.stat().st_mode) == 0o600
    (first, _) = (json.loads(line) for line in world.shown)
    assert (first["source"], first["detail-type"]) == ("chatgrid.auth", "api_key.created")


def test_a_spoiled_entry_and_a_foreign_file_stop_nothing(world: World) -> None:
    world.file.write_text("not an event\n")
    world.client.put_item(
        TableName=world.table,
        Item={"pk": {"S": layout.pk("ada")}, "sk": {"S": layout.sk(9)}, "entry": {"S": "["}},
    )
    world.happen("key-1")
    world.events().look()
    assert "key-1" in world.file.read_text()
