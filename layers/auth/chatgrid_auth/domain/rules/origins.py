"""By which web pages a key may be used: exact origins, as browsers spell them in ``Origin``.

A fence against other people's pages, which cannot choose what their visitors' browsers send.
Whoever writes requests by hand sends the origin that he likes.
Source: RFC 6454, sections 6.2 and 7.
"""

from __future__ import annotations

from chatgrid_auth.domain.rules import addresses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

LONGEST_ORIGIN = 255
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LOWER = frozenset("abcdefghijklmnopqrstuvwxyz")
_SCHEME = _LOWER | frozenset("0123456789+-.")
_LABEL = _LOWER | frozenset("0123456789-_")
_SHAPE = "Must be an origin as browsers send it, such as https://app.example.com"


def check_origin(text: str) -> None:
    """Make sure that a text is an origin that a browser may send, in the spelling of browsers.

    So there is no other spelling to be matched: no upper case, no default port, no slash at its
    end, no path, no wildcard. ``null``, which stands for any page without an origin, is none.

    Raises:
        ValueError: it is not; what it says is the rule that is broken, never the text.
    """
    scheme, separator, rest = text.partition("://")
    if len(text) > LONGEST_ORIGIN or not separator or not scheme:
        raise ValueError(_SHAPE)
    if scheme[0] not in _LOWER or not _SCHEME.issuperset(scheme):
        raise ValueError(_SHAPE)
    host, colon, port_text = rest, "", ""
    if not rest.endswith("]"):
        before, colon, after = rest.rpartition(":")
        if colon:
            host, port_text = before, after
    if not _is_host(host):
        raise ValueError(_SHAPE)
    if colon:
        port = int(port_text) if _is_port(port_text) else 0
        if not 0 < port < 65_536:
            raise ValueError("The port must be a whole number from 1 to 65535")
        if port == _DEFAULT_PORTS.get(scheme):
            raise ValueError("Browsers leave the scheme's default port out")


def allows(origins: Collection[str], origin: str | None) -> bool:
    """Whether a request with this ``Origin`` header may come; none without exactly one."""
    return origin is not None and origin != "null" and origin in origins


def _is_host(host: str) -> bool:
    if host.startswith("[") and host.endswith("]"):
        inner = host[1:-1]
        return ":" in inner and inner == inner.lower() and addresses.read_address(inner) is not None
    labels = host.split(".")
    return len(host) <= 253 and all(
        1 <= len(label) <= 63 and _LABEL.issuperset(label) for label in labels
    )


def _is_port(text: str) -> bool:
    return 1 <= len(text) <= 5 and text.isascii() and text.isdecimal() and text[0] != "0"
