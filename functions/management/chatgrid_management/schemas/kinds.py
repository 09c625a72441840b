"""What may be said of what a key is."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import Field, WithJsonSchema

from chatgrid_auth.domain.keys import KINDS, PUBLISHABLE
from chatgrid_auth.domain.scopes import READ
from chatgrid_auth.services.key_changes.policies import MOST_ORIGINS

#: Whatever was given for a kind: the rules of new keys say what may be.
GivenKind: TypeAlias = Annotated[
    Any,
    Field(
        description="`publishable`: for pages that anybody may read; `read` only, and needs "
        "`allowed_origins`. `canary`: a trap, answered like an unknown key."
    ),
    WithJsonSchema({"enum": list(KINDS), "type": "string"}),
]


GivenOrigins: TypeAlias = Annotated[
    list[str] | None,
    Field(
        description=f"1 to {MOST_ORIGINS} exact origins, as browsers send them; publishable keys "
        "have them, and no others.",
        json_schema_extra={"minItems": 1, "maxItems": MOST_ORIGINS},
        examples=[["https://app.example.com"]],
    ),
]


def scopes_of(kind: object, scopes: list[Any], *, said: bool) -> list[Any]:
    """The scopes of a new key; where nothing was said, those that a key of this kind may have."""
    return scopes if said or kind != PUBLISHABLE else [READ]
