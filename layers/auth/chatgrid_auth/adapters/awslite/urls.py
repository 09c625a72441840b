"""The few URLs that the authorizer's clients connect to, taken apart strictly."""

from __future__ import annotations

_PORTS = {"http": 80, "https": 443}
_HOST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-_")
_ADDRESS = frozenset("0123456789abcdef:.")
#: How a region's name begins, and what the names of its endpoints end in. Source: AWS's own
#: partitions.json, as botocore carries it; a test compares the two.
_SUFFIXES = (
    ("cn-", "amazonaws.com.cn"),
    ("eusc-", "amazonaws.eu"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("eu-isof-", "csp.hci.ic.gov"),
)


class Url:
    """An ``http`` or ``https`` URL in its parts.

    No user part, no fragment, nothing that could end a header line: what is read here as the
    host is what any other reader would take for it.

    Attributes:
        scheme: ``http`` or ``https``.
        host: lower-case name or address, an IPv6 one without its brackets.
        port: as given, or the scheme's own.
        authority: what belongs in a ``Host`` header.
        target: path and query, at least ``/``.

    Raises:
        ValueError: it is no such URL. The text does not repeat it.
    """

    __slots__ = ("authority", "host", "port", "scheme", "target")

    def __init__(self, url: str) -> None:
        scheme, separator, rest = url.partition("://")
        self.scheme = scheme.lower()
        authority, _, path = rest.partition("/")
        if not separator or self.scheme not in _PORTS or not _is_clean(path):
            raise ValueError("not an http or https URL")
        self.target = f"/{path}"
        self.authority = authority.lower()
        self.host, digits = _split_port(self.authority)
        if digits is None:
            self.port = _PORTS[self.scheme]
        elif digits.isascii() and digits.isdigit() and 0 < int(digits[:6]) < 65536:
            self.port = int(digits)
        else:
            raise ValueError("the URL's port is not one")


def _split_port(authority: str) -> tuple[str, str | None]:
    if authority.startswith("["):
        host, bracket, rest = authority[1:].partition("]")
        valid = bracket and ":" in host and _ADDRESS.issuperset(host) and rest[:1] in {"", ":"}
    else:
        host, colon, digits = authority.partition(":")
        rest = colon + digits
        valid = host and _HOST.issuperset(host)
    if not valid:
        raise ValueError("the URL's host is not one")
    return host, rest[1:] if rest else None


def _is_clean(path: str) -> bool:
    return all("!" <= character <= "~" and character != "#" for character in path)


def public_endpoint(service: str, region: str) -> str:
    """The public endpoint of an AWS service in a region, in whichever partition that lies."""
    for prefix, suffix in _SUFFIXES:
        if region.startswith(prefix):
            return f"https://{service}.{region}.{suffix}"
    return f"https://{service}.{region}.amazonaws.com"
