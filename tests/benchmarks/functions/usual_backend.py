"""What a user would write: FastAPI, Mangum, boto3 and Powertools, as documented."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from typing import Annotated, Any
from uuid import uuid4

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from fastapi import Depends, FastAPI, HTTPException, Request
from mangum import Mangum
from pydantic import BaseModel

logger, metrics, tracer = Logger(), Metrics(), Tracer()
app = FastAPI()
table = boto3.resource("dynamodb").Table(os.environ["BOARDS_TABLE"])


class Board(BaseModel):
    """A board."""

    id: str
    name: str


@app.get("/boards")
def boards() -> list[Board]:
    """The caller's boards."""
    found = table.query(
        KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": "USER#1"}
    )
    return [Board(id=str(item["sk"]), name=str(item["name"])) for item in found["Items"]]


class NewBoard(BaseModel):
    """What a board is to be."""

    name: str


class NewKey(BaseModel):
    """What a key is to be."""

    name: str
    scopes: list[str] = ["read", "write"]
    rate_limit: int = 120


class KeyChanges(BaseModel):
    """What of a key is to change."""

    rate_limit: int


class Key(NewKey):
    """A key, as its owner may see it again and again."""

    id: str
    enabled: bool
    created_at: int


class IssuedKey(Key):
    """A key in the one answer that shows its raw form."""

    key: str


def user(request: Request) -> str:
    """Whom the authorizer let in."""
    return f"USER#{request.scope['aws.event']['requestContext']['authorizer']['user_id']}"


User = Annotated[str, Depends(user)]


@app.post("/boards", status_code=201)
def create_board(new: NewBoard, pk: User) -> Board:
    """A new board."""
    board = {"id": str(uuid4()), "name": new.name}
    table.put_item(Item={"pk": pk, "sk": f"BOARD#{board['id']}", **board})
    return Board(**board)


@app.get("/boards/{id_}")
def board(id_: str, pk: User) -> Board:
    """One of the caller's boards."""
    found = table.get_item(Key={"pk": pk, "sk": f"BOARD#{id_}"}, ConsistentRead=True)
    if "Item" not in found:
        raise HTTPException(404)
    return Board.model_validate(found["Item"])


@app.post("/me/api-keys", status_code=201)
def create_key(new: NewKey, pk: User) -> IssuedKey:
    """A new key."""
    raw, hashed = _secret()
    item = {
        **new.model_dump(),
        "id": str(uuid4()),
        "enabled": True,
        "created_at": time.time_ns() // 1_000_000,
    }
    table.put_item(Item={"pk": pk, "sk": f"KEY#{item['id']}", "hash": hashed, **item})
    return IssuedKey(key=raw, **item)


@app.get("/me/api-keys")
def keys(pk: User, limit: int = 50) -> list[Key]:
    """The caller's keys."""
    found = table.query(
        KeyConditionExpression="pk = :pk AND begins_with(sk, :key)",
        ExpressionAttributeValues={":pk": pk, ":key": "KEY#"},
        Limit=limit,
    )
    return [Key.model_validate(item) for item in found["Items"]]


@app.patch("/me/api-keys/{id_}")
def change_key(id_: str, changes: KeyChanges, pk: User) -> Key:
    """Change a key's limit."""
    return Key(**_update(pk, id_, "rate_limit", changes.rate_limit))


@app.post("/me/api-keys/{id_}/rotate")
def rotate_key(id_: str, pk: User) -> IssuedKey:
    """Give a key another secret."""
    raw, hashed = _secret()
    return IssuedKey(key=raw, **_update(pk, id_, "hash", hashed))


def _secret() -> tuple[str, str]:
    raw = secrets.token_urlsafe(32)
    return raw, hashlib.sha256(raw.encode()).hexdigest()


def _update(pk: str, key_id: str, name: str, value: Any) -> dict[str, Any]:
    return table.update_item(
        Key={"pk": pk, "sk": f"KEY#{key_id}"},
        UpdateExpression="SET #name = :value",
        ConditionExpression="attribute_exists(pk)",
        ExpressionAttributeNames={"#name": name},
        ExpressionAttributeValues={":value": value},
        ReturnValues="ALL_NEW",
    )["Attributes"]


_mangum = Mangum(app, lifespan="off")


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: Any) -> Any:
    """Lambda's entry point."""
    return _mangum(event, context)
