"""What must hold when the load is over: no secret too many or too few, one entry for each deed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.domain import audit
from chatgrid_auth.domain.keys import hash_of, tag_of
from tests.soak.ledger import Key, State
from tests.support.tables.admissions import Admitted

if TYPE_CHECKING:
    from tests.soak.load import Client


def of_secrets(table: Iterable[dict[str, Any]], keys: Iterable[Key]) -> Iterator[str]:
    """Where a key's item lets through what nobody was given, or not what somebody was."""
    homes = {
        items.uuid_text(item[items.KEY_ID]["B"]): item
        for item in table
        if items.KEY_ID in item and items.HOME not in item and item["sk"]["S"] == items.CREDENTIAL
    }
    now, now_ms = time.monotonic(), time.time() * 1000
    for key in keys:
        home = homes.get(key.id)
        if home is None:
            yield f"key {key.id} has no item"
            continue
        if key.state is not State.LIVE or key.unsure:
            continue
        told = {name: int(value["N"]) for name, value in home.items() if items.is_until(name)}
        passing = {name for name, until_ms in told.items() if until_ms > now_ms}
        at_once = Admitted(now, now)
        known = {items.until(tag_of(hash_of(s.raw))): s.during(at_once) for s in key.secrets}
        if passing - {name for name, passes in known.items() if passes is not False}:
            yield f"key {key.id} lets a secret through that nobody was given, or that has ended"
        if {name for name, passes in known.items() if passes} - passing:
            yield f"key {key.id} has lost a secret that was given"


def of_trail(client: Client) -> Iterator[str]:
    """Where a user's audit log is broken, or does not tell once of each deed."""
    response, _ = client.ask("verify", "GET", "me/audit-log/verify", client.admin)
    entries = client.pages("me/audit-log", limit=100)
    if not client.expect("verify", response, 200) or entries is None:
        yield f"the audit log of {client.user} cannot be read without faults"
        return
    verified = response.json()["data"]
    if (verified["status"], verified["first_broken_seq"]) != ("ok", None):
        yield f"the audit log of {client.user} is broken"
    if verified["entries"] != len(entries):
        yield f"the audit log of {client.user} has another number of entries than it shows"
    told = Counter(
        (entry["target"]["id"], entry["action"])
        for entry in entries
        if entry["actor"]["type"] != "system"
    )
    for key in client.keys:
        for action in audit.ACTIONS:
            sure, maybe = key.deeds.get(action, (0, 0))
            if not sure <= told[key.id, action] <= sure + maybe:
                yield (
                    f"key {key.id}: {told[key.id, action]} entries of {action}, "
                    f"done {sure} times and perhaps {maybe} more"
                )
