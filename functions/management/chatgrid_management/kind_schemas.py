"""What a key is, and what made it, as the contract words it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, WithJsonSchema

from chatgrid_auth.http_api.responses import Response
from chatgrid_auth.services.key_changes.kinds import OFFERED

Kind: TypeAlias = Literal["secret", "publishable", "canary"]
#: Whatever was given for a kind: the rules of new keys say what may be.
GivenKind: TypeAlias = Annotated[
    Any,
    Field(description="`canary`: a trap, answered like an unknown key."),
    WithJsonSchema({"enum": list(OFFERED), "type": "string"}),
]


class MakerData(Response):
    """What made a key."""

    type: Literal["jwt", "api_key", "operator"]
    key_id: Annotated[
        str | None,
        Field(
            description="The key that made it; `null` for the others.",
            json_schema_extra={"format": "uuid"},
        ),
    ]
