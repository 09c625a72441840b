"""The addresses of a token, which hold beside those of its key."""

from __future__ import annotations

from chatgrid_auth.domain.rules import addresses
from chatgrid_auth.domain.rules.policy import ADDRESS, Rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from chatgrid_auth.domain.rules.addresses import Network
    from chatgrid_auth.domain.rules.policy import Asked


class Fence(Rules):
    """A key's rules, and the networks that the token may come from.

    Args:
        own: the token's networks.
        rules: the key's; ``None`` for none.
    """

    __slots__ = ("_own",)

    def __init__(self, own: tuple[Network, ...], rules: Rules | None = None) -> None:
        if rules is None:
            super().__init__()
        else:
            super().__init__(
                networks=rules.networks, origins=rules.origins, permissions=rules.permissions
            )
        self._own = own

    @classmethod
    def of(cls, allowed_ips: tuple[str, ...]) -> Fence:
        """The rules of a token whose key has none.

        Raises:
            ValueError: one of them is no network; the stack makes no such token.
        """
        return cls(tuple(addresses.read_network(one) for one in allowed_ips))

    def beside(self, rules: Rules) -> Fence:
        """These networks beside a key's rules."""
        return Fence(self._own, rules)

    def broken_by(self, request: Asked) -> str | None:
        """The first rule that a request breaks; ``None`` when it breaks none."""
        if not addresses.holds(self._own, request.source):
            return ADDRESS
        return super().broken_by(request)
