"""Derived tokens: ``cgt_<environment>_<hexadecimal digits>``, one spelling for each.

The digits are what the gate needs to ask the store the very question that it asks of the key:

====  ==================================================================================
  32  the hash under which the key's home lies
   6  the tag of the secret that made the token
   1  its scopes, and whether it ends only because that secret does (``_CAPPED``)
   6  when it ends, in Unix milliseconds
   …  the addresses that it may come from, as text between spaces; nothing for any
  32  HMAC-SHA256 (RFC 2104) over the label and all of these, under a secret of the stack
====  ==================================================================================

The label is covered, so that a ``live`` token relabelled ``test`` is none. There is one algorithm,
and nothing in a token names it. Lower-case digits alone: a double click selects a whole token.
"""

from __future__ import annotations

from hmac import compare_digest, digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    #: What a token says, and the MAC over it.
    Parts = tuple[bytes, bytes]

#: What every token begins with.
SCHEME = "cgt_"
LABELS = ("cgt_live_", "cgt_test_")
#: Scopes that a token may have, as granted.
GRANTABLE = ("read", "write")

_LABEL_LENGTH = 9
_HOME, _TAG, _GRANTS, _END, _MAC = 32, 6, 1, 6, 32
_FIXED = _HOME + _TAG + _GRANTS + _END
#: In hexadecimal digits.
SHORTEST = 2 * (_FIXED + _MAC)
#: 20 networks of the longest text, a space before each but the first.
LONGEST = SHORTEST + 2 * (20 * 50)
_SCOPES_OF = {1: ("read",), 2: ("write",), 3: ("read", "write")}
_MASKS = {granted: mask for mask, granted in _SCOPES_OF.items()}
#: What a token may be granted.
GRANTED = tuple(_MASKS)
_CAPPED = 4


class Token:
    """What a token says.

    Attributes:
        home: the hash that the key's home lies under, in hex.
        tag: of the key's secret that made it.
        environment: the key's.
        scopes: as granted, from the least to the most: ``read``, ``write`` or both.
        expires_at_ms: from when on it is none, in Unix milliseconds.
        capped: whether it ends then because the secret that made it does.
        allowed_ips: the networks that it may come from, as given; none for any.
    """

    __slots__ = ("allowed_ips", "capped", "environment", "expires_at_ms", "home", "scopes", "tag")

    def __init__(
        self,
        *,
        home: str,
        tag: str,
        environment: str,
        scopes: tuple[str, ...],
        expires_at_ms: int,
        capped: bool = False,
        allowed_ips: tuple[str, ...] = (),
    ) -> None:
        self.home = home
        self.tag = tag
        self.environment = environment
        self.scopes = scopes
        self.expires_at_ms = expires_at_ms
        self.capped = capped
        self.allowed_ips = allowed_ips


def write(token: Token, secret: bytes) -> str:
    """The token as a credential, under this secret.

    Raises:
        KeyError: its scopes are none that a token may have.
    """
    label = f"{SCHEME}{token.environment}_"
    said = b"".join(
        (
            bytes.fromhex(token.home),
            token.tag.encode("ascii"),
            bytes([_MASKS[token.scopes] | (_CAPPED if token.capped else 0)]),
            token.expires_at_ms.to_bytes(_END, "big"),
            " ".join(token.allowed_ips).encode("ascii"),
        )
    )
    return label + said.hex() + digest(secret, label.encode() + said, "sha256").hex()


def is_labelled(text: str) -> bool:
    """Whether a text is meant to be a token, well formed or not."""
    return text.startswith(SCHEME)


def parts_of(text: str) -> Parts | None:
    """What a text of a token's form says, label first, and its MAC; ``None`` for every other.

    Never raises, whatever the text; nothing is proven yet.
    """
    label, digits = text[:_LABEL_LENGTH], text[_LABEL_LENGTH:]
    if label not in LABELS or not SHORTEST <= len(digits) <= LONGEST:
        return None
    try:
        raw = bytes.fromhex(digits)
    except ValueError:
        return None
    if raw.hex() != digits:  # capitals, and the spaces that are passed over
        return None
    return label.encode() + raw[:-_MAC], raw[-_MAC:]


def key_of(parts: Parts) -> tuple[str, str]:
    """Which key a token says that it is of, by its home's hash in hex and its secret's tag.

    Nothing is proven: whoever knows the hash has seen a token of the key.
    """
    raw = parts[0][_LABEL_LENGTH:]
    return raw[:_HOME].hex(), raw[_HOME : _HOME + _TAG].decode("ascii", "replace")


def read(parts: Parts, secrets: Iterable[bytes]) -> Token | None:
    """What a token says whose MAC was made with one of these secrets; ``None`` for every other."""
    said, mac = parts
    for secret in secrets:
        if compare_digest(digest(secret, said, "sha256"), mac):
            break
    else:
        return None
    raw = said[_LABEL_LENGTH:]
    grants = raw[_HOME + _TAG]
    scopes = _SCOPES_OF.get(grants & ~_CAPPED)
    if scopes is None:
        return None
    networks = raw[_FIXED:].decode("ascii")
    return Token(
        home=raw[:_HOME].hex(),
        tag=raw[_HOME : _HOME + _TAG].decode("ascii"),
        environment=said[4:8].decode("ascii"),
        scopes=scopes,
        expires_at_ms=int.from_bytes(raw[_HOME + _TAG + _GRANTS : _FIXED], "big"),
        capped=bool(grants & _CAPPED),
        allowed_ips=tuple(networks.split(" ")) if networks else (),
    )
