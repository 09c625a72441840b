"""Derived tokens at the gate: the MAC is checked here, and then the key's own home is asked.

It is the very question that the key itself would ask, with the tag of the secret that made the
token. So a token counts on its key's budget, and nothing that ends the key is slower to end it.
"""

from __future__ import annotations

from chatgrid_auth.domain import scopes
from chatgrid_auth.domain.errors import TokenSecretUnavailable
from chatgrid_auth.domain.tokens import format as token_format
from chatgrid_auth.domain.verdicts import DerivedFrom

TYPE_CHECKING = False
if TYPE_CHECKING:
    from chatgrid_auth.domain.rules.policy import Rules
    from chatgrid_auth.domain.tokens.format import Token
    from chatgrid_auth.services.gate.ports import Keys, KnownKey, TokenSecrets
    from chatgrid_auth.services.gate.requests import Request
    from chatgrid_auth.services.gate.token_fence import Fence

_EFFECTIVE = {granted: scopes.effective(granted) for granted in token_format.GRANTED}


class DerivedTokens:
    """Reads tokens.

    Args:
        secrets: the stack's, current and previous.
    """

    def __init__(self, secrets: TokenSecrets) -> None:
        self._secrets = secrets

    def read(self, text: str, *, now_ms: int) -> Presented | None:
        """The token that a text is; ``None`` for what is none, and for one ended by itself.

        One that ended together with the secret that made it is given: its key tells why.

        Raises:
            TokenSecretUnavailable: it cannot be known whether it is one.
        """
        parts = token_format.parts_of(text)
        if parts is None:
            return None
        token = token_format.read(parts, self._secrets.accepted(now_ms))
        if token is None:
            if self._secrets.is_overdue(now_ms):
                raise TokenSecretUnavailable("another secret may have made this token")
            return None
        ended = token.expires_at_ms <= now_ms
        return None if ended and not token.capped else Presented(token, ended=ended)


class Presented:
    """A token that the stack has made.

    Attributes:
        facts: what is told of it.
    """

    __slots__ = ("_ended", "_scopes", "_token", "facts")

    def __init__(self, token: Token, *, ended: bool) -> None:
        self._token = token
        self._ended = ended
        self._scopes = _EFFECTIVE[token.scopes]
        self.facts = DerivedFrom(expires_at_ms=token.expires_at_ms, scopes=token.scopes)

    def admit(self, keys: Keys, *, request: Request, now_ms: int) -> KnownKey | None:
        """Count one request on the key if everything about it and about the token allows that.

        Returns:
            What the key is, with what of it the token has; ``None`` when there is no such key.

        Raises:
            StoreUnavailable: the store could not decide.
        """
        token = self._token
        fence = _fence(token.allowed_ips) if token.allowed_ips else None
        good = (
            not self._ended
            and request.scope in self._scopes
            and (fence is None or fence.broken_by(request) is None)
        )
        known = keys.admit(
            token.home,
            now_ms=now_ms,
            # What the token itself does not allow is asked about all the same: the key may be dead,
            # and that comes first.
            request=request if good else request.refused(),
            tag=token.tag,
        )
        if known is None or known.fault is not None:
            return known
        if self._ended:
            known.fault = "token_ended"
        if fence is not None:
            known.rules = _both(fence, known.rules)
        known.environment = token.environment
        if len(self._scopes) < len(known.scopes):  # each includes the ones before it
            known.scopes = self._scopes
        ends_ms = token.expires_at_ms
        if known.expires_at_ms is None or ends_ms < known.expires_at_ms:
            known.expires_at_ms = ends_ms
        return known


def _fence(allowed_ips: tuple[str, ...]) -> Fence:
    """The addresses that a token itself may come from."""
    from chatgrid_auth.services.gate.token_fence import Fence  # noqa: PLC0415 - few tokens have one

    return Fence.of(allowed_ips)


def _both(fence: Fence, rules: Rules | None) -> Rules:
    """The key's rules with the token's own."""
    return fence if rules is None else fence.beside(rules)
