"""API keys: ``cgk_<environment>_<25 random characters><7 characters of checksum>``.

A publishable key begins with ``cgp_``, and is like any other but for that.

The checksum is CRC-32 in base 36 over everything before it, prefix included, so a mistyped
key, or a ``live`` key relabelled ``test``, is refused without asking the store, and a secret
scanner can tell a key from look-alikes. 36^25 is more than 2^129 keys.
"""

from __future__ import annotations

from binascii import b2a_base64, crc32
from hashlib import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

ENVIRONMENTS = ("live", "test")
ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
RANDOM_LENGTH = 25
CHECKSUM_LENGTH = 7
#: ``cgk_live_`` and ``cgk_test_`` are of one length.
LABEL_LENGTH = 9
KEY_LENGTH = LABEL_LENGTH + RANDOM_LENGTH + CHECKSUM_LENGTH
#: How much of a key may be shown: the label and four of its random characters.
PREFIX_LENGTH = 13
#: Keys that another system issued: long enough to be a secret, and no longer than one ever is.
SHORTEST_IMPORTED = 16
LONGEST_IMPORTED = 256

#: Of a secret's tag.
TAG_LENGTH = 6

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
#: What a key is, and what it begins with. A canary looks like any secret.
SECRET, PUBLISHABLE, CANARY = KINDS = ("secret", "publishable", "canary")
SCHEMES = {SECRET: "cgk_", PUBLISHABLE: "cgp_", CANARY: "cgk_"}
_LABELS = frozenset(
    f"{scheme}{environment}_".encode()
    for scheme in SCHEMES.values()
    for environment in ENVIRONMENTS
)
#: Every character of the alphabet as one of its kind, ``_`` as itself, all others as nothing.
_KINDS = bytes(97 if chr(byte) in ALPHABET else byte if byte == 95 else 0 for byte in range(256))
_SHAPE = b"aaa_aaaa_" + b"a" * (RANDOM_LENGTH + CHECKSUM_LENGTH)
_BODY_START = KEY_LENGTH - CHECKSUM_LENGTH
#: Random bytes from here up would make some characters likelier than others.
_UNBIASED_BELOW = 256 - 256 % len(ALPHABET)


def generate(environment: str, *, entropy: Callable[[int], bytes], kind: str = SECRET) -> str:
    """Make a new key, each of its random characters equally likely.

    Args:
        environment: ``live`` or ``test``.
        entropy: gives that many random bytes; ``os.urandom`` outside tests.
        kind: one of ``KINDS``.

    Raises:
        ValueError: the environment is not one of the two.
    """
    if environment not in ENVIRONMENTS:
        raise ValueError("environment must be live or test")
    characters: list[str] = []
    while len(characters) < RANDOM_LENGTH:
        characters += [ALPHABET[byte % 36] for byte in entropy(32) if byte < _UNBIASED_BELOW]
    body = f"{SCHEMES[kind]}{environment}_" + "".join(characters[:RANDOM_LENGTH])
    return body + _checksum(body)


def is_well_formed(candidate: str) -> bool:
    """Whether this could be a key: label, length, alphabet and checksum all hold.

    Never raises, whatever the text; says nothing about whether the key exists.
    """
    if len(candidate) != KEY_LENGTH or not candidate.isascii():
        return False
    raw = candidate.encode()
    if raw.translate(_KINDS) != _SHAPE or raw[:LABEL_LENGTH] not in _LABELS:
        return False
    return int(raw[_BODY_START:], 36) == crc32(raw[:_BODY_START])


def could_be_imported(candidate: str) -> bool:
    """Whether this could be a key that another system issued: 16 to 256 printable ASCII characters.

    Never raises; without a checksum of ours there is no more to tell before the store is asked.
    """
    return (
        SHORTEST_IMPORTED <= len(candidate) <= LONGEST_IMPORTED
        and candidate.isascii()
        and candidate.isprintable()
        and " " not in candidate
    )


def hash_of(raw_key: str) -> str:
    """The SHA-256 of a key in hex: the only form in which a key is ever stored.

    A plain hash is enough, because a key is random and has 129 bits: there is no dictionary
    to try, which is what slow password hashes are for.
    """
    return sha256(raw_key.encode()).hexdigest()


def tag_of(key_hash: str) -> str:
    """The six characters by which a key's item tells its secrets apart: 36 bits of the hash.

    They are names there and prove nothing: what finds the item is the whole hash.
    """
    return b2a_base64(bytes.fromhex(key_hash[:10]))[:TAG_LENGTH].translate(_URL_SAFE).decode()


def environment_of(raw_key: str) -> str:
    """``live`` or ``test``, read from a well-formed key."""
    return raw_key[4:8]


def prefix_of(raw_key: str) -> str:
    """The part of a key that may be shown in lists: its first 13 characters."""
    return raw_key[:PREFIX_LENGTH]


def _checksum(body: str) -> str:
    remainder = crc32(body.encode())
    digits = ""
    for _ in range(CHECKSUM_LENGTH):
        remainder, digit = divmod(remainder, 36)
        digits = ALPHABET[digit] + digits
    return digits
