"""Addresses that keep failing pay for it themselves, and never with somebody else's good key.

A guess cannot be told from a good key before the store is asked, and many people share one
address. So a credential that has not failed from an address is always looked up. What an address
over its limit loses is the short memory: a credential that failed from there is refused without
a store request for a minute, not for seconds, and what fails from there is remembered apart, so
that a flood of guesses cannot push out what the container knows of other credentials.

In the memory of one container, and bounded: the address heard of the longest ago goes first.
"""

from __future__ import annotations

from chatgrid_auth.services.gate.refusals import Refusals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from chatgrid_auth.services.gate.refusals import Refusal

MINUTE_MS = 60_000
_ADDRESSES = 1_024
_CREDENTIALS = 2_048
#: The longest text of an IPv6 address (RFC 4291, an IPv4 address mapped into it).
_LONGEST_ADDRESS = 45
_NONE = (0, 0)


class Throttle:
    """Counts failed attempts by source address.

    Args:
        per_minute: failed attempts in a minute that are not throttled yet; 0 turns it off.
        addresses: how many addresses are counted at most.
        credentials: how many failed credentials of addresses over the limit are kept at most.
    """

    def __init__(
        self, *, per_minute: int, addresses: int = _ADDRESSES, credentials: int = _CREDENTIALS
    ) -> None:
        self._per_minute = per_minute
        self._capacity = addresses
        self._counts: dict[str, tuple[int, int]] = {}
        self._failed = Refusals(capacity=credentials, kept_ms=MINUTE_MS)

    def count(self, address: str, *, now_ms: int) -> None:
        """Take note that an attempt from this address failed."""
        if not self._per_minute or not 0 < len(address) <= _LONGEST_ADDRESS:
            return
        source = network_of(address) if ":" in address else address
        until_ms, failed = self._counts.pop(source, _NONE)
        if until_ms <= now_ms:
            until_ms, failed = now_ms + MINUTE_MS, 0
        if len(self._counts) >= self._capacity:
            del self._counts[next(iter(self._counts))]
        self._counts[source] = (until_ms, failed + 1)

    def is_over(self, address: str, *, now_ms: int) -> bool:
        """Whether this address has used up the failed attempts of its minute."""
        if not self._counts:
            return False
        until_ms, failed = self._counts.get(network_of(address), (0, 0))
        return now_ms < until_ms and failed >= self._per_minute

    def recall(self, address: str, name: str, *, now_ms: int) -> Refusal | None:
        """The refusal of a credential that failed from this address while it was over."""
        if not self._counts:
            return None
        return self._failed.recall(f"{network_of(address)} {name}", now_ms=now_ms)

    def remember(self, address: str, name: str, refusal: Refusal, *, now_ms: int) -> bool:
        """Keep a refusal for a minute if the address is over its limit; whether it was kept."""
        if not self.is_over(address, now_ms=now_ms):
            return False
        self._failed.remember(f"{network_of(address)} {name}", refusal, asked_ms=now_ms)
        return True


def network_of(address: str) -> str:
    """What one customer of a provider holds: an IPv4 address, or an IPv6 network of 64 bits.

    Never raises, whatever the text.
    """
    if ":" not in address:
        return address
    if address.lower().startswith("::ffff:") and "." in address:  # IPv4, mapped into IPv6
        return address[len("::ffff:") :]
    head, _, tail = address.partition("::")
    groups, rest = head.split(":") if head else [], tail.split(":") if tail else []
    missing = 8 - len(groups) - len(rest)
    return ":".join([*groups, *["0"] * missing, *rest][:4])
