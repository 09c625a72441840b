"""Who did something to a key: a user's session, a key, an operator, or the system by itself."""

from __future__ import annotations

from dataclasses import dataclass

JWT = "jwt"
API_KEY = "api_key"
OPERATOR = "operator"
SYSTEM = "system"


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
    """Who is acting now, and by which request.

    Attributes:
        type: ``jwt``, ``api_key``, ``operator`` or ``system``.
        id: the user's id; an operator's IAM ARN, or ``None`` where AWS does not tell it.
        key_id: the key that acts; ``None`` for the others.
        source_ip: the address that the request came from, as API Gateway tells it.
        request_id: API Gateway's id of the request; ``None`` where there was none.
        permissions: those of the key that acts; ``None`` where nothing limits it.
    """

    type: str
    id: str | None = None
    key_id: str | None = None
    source_ip: str | None = None
    request_id: str | None = None
    permissions: tuple[str, ...] | None = None

    @property
    def maker(self) -> Maker:
        """What a key that this actor makes tells of it."""
        return Maker(type=self.type, key_id=self.key_id)


#: An operator whom nobody has named.
SOME_OPERATOR = Actor(type=OPERATOR)
#: Nobody: time ran out, or something was done by hand that nothing tells of.
THE_SYSTEM = Actor(type=SYSTEM)
