"""As much of DynamoDB as the boards store asks for, in memory. The contract suite runs it too."""

from __future__ import annotations

import copy
from typing import Any

from chatgrid_auth.domain.errors import ConditionFailed

Item = dict[str, Any]


class MemoryTransport:
    """One table with ``pk`` and ``sk``; faults on demand."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Item] = {}
        self.fault: Exception | None = None

    def call(self, operation: str, payload: dict[str, Any]) -> dict[str, Any]:
        if self.fault is not None:
            raise self.fault
        answer: dict[str, Any] = getattr(self, f"_{operation}")(copy.deepcopy(payload))
        return copy.deepcopy(answer)

    def _at(self, key: Item) -> tuple[str, str]:
        return key["pk"]["S"], key["sk"]["S"]

    def _PutItem(self, payload: Item) -> Item:  # noqa: N802 - DynamoDB's name
        assert payload["ConditionExpression"] == "attribute_not_exists(pk)"
        if self._at(payload["Item"]) in self.items:
            raise ConditionFailed(None)
        self.items[self._at(payload["Item"])] = payload["Item"]
        return {}

    def _GetItem(self, payload: Item) -> Item:  # noqa: N802 - DynamoDB's name
        assert payload["ConsistentRead"] is True
        found = self.items.get(self._at(payload["Key"]))
        return {} if found is None else {"Item": found}

    def _Query(self, payload: Item) -> Item:  # noqa: N802 - DynamoDB's name
        assert payload["KeyConditionExpression"] == "pk = :pk AND sk BETWEEN :first AND :last"
        assert payload["ConsistentRead"] is True
        pk, first, last = (
            payload["ExpressionAttributeValues"][name]["S"] for name in (":pk", ":first", ":last")
        )
        keys = [(pk_, sk) for pk_, sk in self.items if pk_ == pk and first <= sk <= last]
        keys.sort(reverse=not payload["ScanIndexForward"])
        return {"Items": [self.items[key] for key in keys[: payload["Limit"]]]}

    def _UpdateItem(self, payload: Item) -> Item:  # noqa: N802 - DynamoDB's name
        item = self._existing(payload)
        for term in payload["UpdateExpression"].removeprefix("SET ").split(", "):
            name, value = term.split(" = ")
            item[payload["ExpressionAttributeNames"][name]] = payload["ExpressionAttributeValues"][
                value
            ]
        assert payload["ReturnValues"] == "ALL_NEW"
        return {"Attributes": item}

    def _DeleteItem(self, payload: Item) -> Item:  # noqa: N802 - DynamoDB's name
        self._existing(payload)
        del self.items[self._at(payload["Key"])]
        return {}

    def _existing(self, payload: Item) -> Item:
        assert payload["ConditionExpression"] == "attribute_exists(pk)"
        item = self.items.get(self._at(payload["Key"]))
        if item is None:
            raise ConditionFailed(None)
        return item
