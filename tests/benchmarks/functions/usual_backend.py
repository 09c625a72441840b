"""What a user would write for boards: FastAPI, Mangum, boto3 and Powertools, as documented."""

from __future__ import annotations

import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from fastapi import FastAPI
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


_mangum = Mangum(app, lifespan="off")


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: Any) -> Any:
    """Lambda's entry point."""
    return _mangum(event, context)
