"""Where a key may be used from: addresses and networks, IPv4 and IPv6, each in one meaning.

Standard library only, and none of its heavy parts: the authorizer reads networks with this.
Sources: RFC 4291 (IPv6 text, mapped addresses), RFC 4632 (CIDR), RFC 6890.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    #: An address: how many bits it has, and those as a number.
    Address = tuple[int, int]
    #: A network: the bits of its addresses, how many of them are free, and the fixed ones.
    Network = tuple[int, int, int]

IPV4, IPV6 = 32, 128
#: The longest text of an address (RFC 4291, one with an IPv4 address at its end).
LONGEST_ADDRESS = 45
_DIGITS = frozenset("0123456789")
_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")
#: What the first 96 bits of an IPv4 address are that is mapped into IPv6.
_MAPPED = 0xFFFF


def read_address(text: str) -> Address | None:
    """The one address that a text names; ``None`` for any other text.

    One that is mapped into IPv6 is the IPv4 address. No text makes it fail.
    """
    found = _read(text)
    if found is None:
        return None
    bits, value = found
    if bits == IPV6 and value >> IPV4 == _MAPPED:
        return IPV4, value & 0xFFFFFFFF
    return found


def read_network(text: str) -> Network:
    """The network that a text names: an address, or a prefix in CIDR notation.

    A network of mapped addresses alone (``::ffff:0:0/96`` and longer) is an IPv4 network.

    Raises:
        ValueError: the text names none; what it says is the rule that is broken, never the text.
    """
    address, slash, length_text = text.partition("/")
    found = _read(address)
    if found is None:
        raise ValueError("Must be an IPv4 or IPv6 address, or a network in CIDR notation")
    bits, value = found
    length = bits if not slash else _decimal(length_text, most=bits)
    if length is None:
        raise ValueError(f"The prefix length must be a whole number from 0 to {bits}")
    free = bits - length
    if value & ((1 << free) - 1):
        raise ValueError("No bit may be set behind the prefix length")
    if bits == IPV6 and value >> IPV4 == _MAPPED:  # so at most 32 bits are free
        return IPV4, free, (value & 0xFFFFFFFF) >> free
    return bits, free, value >> free


def holds(networks: Iterable[Network], source: str) -> bool:
    """Whether one of these networks holds the address; none holds what is no address."""
    address = read_address(source)
    if address is None:
        return False
    family, value = address
    return any(bits == family and value >> free == fixed for bits, free, fixed in networks)


def _read(text: str) -> Address | None:
    if len(text) > LONGEST_ADDRESS:
        return None
    if ":" in text:
        value = _ipv6(text)
        return None if value is None else (IPV6, value)
    value = _ipv4(text)
    return None if value is None else (IPV4, value)


def _ipv4(text: str) -> int | None:
    parts = text.split(".")
    if len(parts) != 4:
        return None
    value = 0
    for part in parts:
        byte = _decimal(part, most=255)
        if byte is None:
            return None
        value = value << 8 | byte
    return value


def _ipv6(text: str) -> int | None:
    """Eight groups, of which ``::`` stands for one or more that are zero."""
    head, gap, tail = text.partition("::")
    first = _groups(head, last=not gap)
    rest = _groups(tail, last=True)
    if first is None or rest is None:
        return None
    missing = 8 - len(first) - len(rest)
    if missing < 1 if gap else missing:
        return None
    value = 0
    for group in (*first, *[0] * missing, *rest):
        value = value << 16 | group
    return value


def _groups(text: str, *, last: bool) -> list[int] | None:
    """The groups of 16 bits in a text; at the very end two may stand as an IPv4 address."""
    if not text:
        return []
    parts = text.split(":")
    groups: list[int] = []
    for place, part in enumerate(parts, start=1):
        if "." in part:
            low = _ipv4(part) if last and place == len(parts) else None
            if low is None:
                return None
            groups += (low >> 16, low & 0xFFFF)
        elif 1 <= len(part) <= 4 and _HEX_DIGITS.issuperset(part):
            groups.append(int(part, 16))
        else:
            return None
    return groups


def _decimal(text: str, *, most: int) -> int | None:
    """A whole number in its one spelling: no sign, no zeros ahead (some read those as octal)."""
    if not 1 <= len(text) <= 3 or not _DIGITS.issuperset(text):
        return None
    if text[0] == "0" and len(text) > 1:
        return None
    value = int(text)
    return value if value <= most else None
