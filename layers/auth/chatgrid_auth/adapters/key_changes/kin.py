"""Which of an owner's keys other keys made: asked when one is revoked with all that it made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatgrid_auth.adapters.dynamodb.pages import every_item
from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.items import s
from chatgrid_auth.domain.actors import API_KEY
from chatgrid_auth.services.descendants import Kin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chatgrid_auth.adapters.dynamodb.transport import Transport


def made_by_keys(transport: Transport, *, table: str, owner: str) -> Iterator[Kin]:
    """Keys of this owner that other keys made, revoked ones too."""
    # Read whole: an imported key keeps its id, so ids do not tell what could have made what.
    for lives in (True, False):
        question = {
            "TableName": table,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
            "FilterExpression": "begins_with(made_by, :by_key)",
            "ExpressionAttributeValues": {
                ":pk": s(items.user_pk(owner)),
                ":prefix": s(items.record_sk("") if lives else items.revoked_sk("")),
                ":by_key": s(f"{API_KEY} "),
            },
            "ProjectionExpression": "sk, made_by",
            "ConsistentRead": True,
        }
        for item in every_item(transport, "Query", question):
            yield Kin(
                id=item["sk"]["S"].partition("#")[2],
                maker=item["made_by"]["S"].partition(" ")[2],
                lives=lives,
            )
