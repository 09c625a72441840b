"""The queue between a report and what is done about it: hashes alone, once for each report."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from chatgrid_auth.domain.actors import SYSTEM, Actor
from chatgrid_auth.services.leaks.reports import Sighting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chatgrid_auth.http_api.problems import Log
    from chatgrid_auth.services.leaks.acting import Leaks


@cache
def sqs() -> Any:
    """SQS's client; region, endpoint and credentials come from Lambda.

    boto3 is loaded with it, for the first report: neither GitHub's nor the queue's own wait.
    """
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    from chatgrid_auth.adapters.dynamodb.boto3_client import rejecting_non_json  # noqa: PLC0415

    # A reporter waits for it; what failed, the reporter sends again.
    patience = Config(
        connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2}
    )
    return rejecting_non_json(boto3.client("sqs", config=patience))


class SqsReports:
    """Reports in SQS.

    Args:
        client: gives boto3's SQS client.
        url: the queue's.
    """

    def __init__(self, client: Callable[[], Any], *, url: str) -> None:
        self._client = client
        self._url = url

    def put(self, hashes: list[str], *, request_id: str | None) -> None:
        """Leave a report.

        Raises:
            StoreUnavailable: it may not be there.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

        from chatgrid_auth.adapters.dynamodb.boto3_transport import fault_of  # noqa: PLC0415

        body = json.dumps({"request_id": request_id, "hashes": hashes})
        try:
            self._client().send_message(QueueUrl=self._url, MessageBody=body)
        except (ClientError, BotoCoreError) as error:
            raise fault_of("SendMessage", error) from None


def act_on(batch: Mapping[str, Any], leaks: Leaks, *, log: Log) -> dict[str, Any]:
    """Act on the reports of a batch.

    Returns:
        Those that failed, as Lambda asks of a queue's function: they alone come again.
    """
    failed: list[dict[str, str]] = []
    faults: list[str] = []
    for message in batch["Records"]:
        try:
            report = json.loads(message["body"])
            sightings = [Sighting(secret_hash=one) for one in report["hashes"]]
            leaks.act(sightings, actor=Actor(type=SYSTEM, request_id=report["request_id"]))
        except Exception as fault:  # it comes again, and in the end lies with the dead
            faults.append(type(fault).__name__)
            failed.append({"itemIdentifier": message["messageId"]})
    if faults:
        log.error("reports not acted upon", extra={"faults": faults})
    return {"batchItemFailures": failed}
