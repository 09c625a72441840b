"""Who did something to a key: a user's session, a key, or an operator with rights in AWS."""

from __future__ import annotations

from dataclasses import dataclass

JWT = "jwt"
API_KEY = "api_key"
OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """What made a key, as the key itself tells for good.

    Attributes:
        type: ``jwt``, ``api_key`` or ``operator``.
        key_id: the key that made it; ``None`` for the others.
    """

    type: str
    key_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who is acting now.

    Attributes:
        type: ``jwt``, ``api_key`` or ``operator``.
        id: the user's id; an operator's IAM ARN, or ``None`` where AWS does not tell it.
        key_id: the key that acts; ``None`` for the others.
    """

    type: str
    id: str | None = None
    key_id: str | None = None

    @property
    def maker(self) -> Maker:
        """What a key that this actor makes tells of it."""
        return Maker(type=self.type, key_id=self.key_id)


#: An operator whom nobody has named.
SOME_OPERATOR = Actor(type=OPERATOR)
