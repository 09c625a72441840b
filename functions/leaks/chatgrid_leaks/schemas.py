"""What the leak routes take and give, as the contract and GitHub's protocol word it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from chatgrid_auth.http_api.responses import Response
from chatgrid_auth.services.leaks.reports import MOST_AT_ONCE


class LeakReport(BaseModel):
    """Strings that may be credentials of ours."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [{"credentials": ["what was found, character by character"]}]
        },
    )

    credentials: Annotated[
        list[str],
        Field(
            min_length=1,
            max_length=MOST_AT_ONCE,
            description="Whole keys or derived tokens, as they were found. Whatever else is in it "
            "is passed over.",
        ),
    ]


class LeakReportData(Response):
    """That the report has come."""

    received: int = Field(description="How many strings came; not how many are known.")


class LeakReportResponse(Response):
    """The report has come. Nothing is said of what is in it."""

    object: Literal["leak_report"] = "leak_report"
    data: LeakReportData


class GithubMatch(BaseModel):
    """One match of GitHub's. Fields that GitHub may add are passed over."""

    model_config = ConfigDict(extra="ignore", strict=True)

    token: str
    type: str
    url: str | None = None
    source: str | None = None


class GithubFeedback(Response):
    """What became of one match."""

    token_hash: str = Field(description="SHA-256 of the token, in lower-case hex.")
    token_type: str
    label: Literal["true_positive", "false_positive"]
