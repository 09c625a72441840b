"""Hostile derived tokens as data, and how each is made of good ones.

``hostile.json`` holds recipes, not tokens: a token would look like a credential to every scanner.
``python -m tests.vectors.tokens.forge`` writes it again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b32encode, b64encode, urlsafe_b64encode
from pathlib import Path
from typing import Any

from tests.support.tokens import CURRENT, token_of

FILE = Path(__file__).parent / "hostile.json"
_LABEL = 9
#: Where each part begins, in bytes behind the label, and where the last one ends.
HOME, TAG, GRANTS, END, NETWORKS = 0, 32, 38, 39, 45


def recipes() -> list[dict[str, Any]]:  # noqa: C901, PLR0912 - a list
    """All of them, each with a name of its own."""
    found: list[dict[str, Any]] = []

    def add(name: str, do: str, **how: Any) -> None:
        found.append({"name": name, "do": do, **how})

    for at in (*range(0, 45, 2), *range(45, 77, 2)):
        add(f"bit {at % 8} of byte {at} flipped", "flip", byte=at, bit=at % 8)
    for cut in (1, 2, 3, 8, 16, 32, 63, 64, 65, 128, 152, 153):
        add(f"{cut} digits cut off its end", "cut", digits=cut)
    for cut in (1, 2, 8, 64):
        add(f"{cut} digits cut off behind the label", "behead", digits=cut)
    for extra in ("0", "00", "a", "ff", "=", "==", "\n", "\0", ".", "_", "cgt_live_"):
        add(f"{extra!r} behind it", "append", text=extra)
    for extra in (" ", "\t", "+", "0x", "00"):
        add(f"{extra!r} behind the label", "insert", at=_LABEL, text=extra)
    add("a space in the middle", "insert", at=40, text=" ")
    add("a dot before the MAC", "insert", at=-64, text=".")
    for spelling in ("upper", "title", "upper digits", "upper label", "one upper digit"):
        add(f"spelled in {spelling}", "spell", how=spelling)
    for digit in ("\u0660", "\uff10", "\U0001d7d8", "\u0430", "\u00b2"):
        add(f"U+{ord(digit):05X} for its last digit", "digit", text=digit)
    for encoding in ("base64", "base64url", "base32", "base32 lower", "percent", "reversed"):
        add(f"written in {encoding}", "encode", how=encoding)
    for label in (
        "cgt_test_",
        "cgk_live_",
        "cgp_live_",
        "cgt_prod_",
        "cgt_LIVE_",
        "CGT_live_",
        "cgt-live-",
        "cgt__live",
        "cgt_live",
        "cgt_",
        "",
    ):
        add(f"labelled {label!r}", "label", text=label)
    for secret in ("another stack", "", "none", "null", "current", "0" * 64):
        add(f"made with the secret {secret!r}", "secret", text=secret)
    for algorithm in ("sha1", "sha384", "sha512", "md5", "sha3_256", "blake2s"):
        add(f"HMAC-{algorithm} for HMAC-SHA256", "mac", algorithm=algorithm)
    for algorithm in ("sha256", "sha512"):
        add(f"{algorithm} without a key for the MAC", "hash", algorithm=algorithm)
    add("SHA-256 of the secret and the text", "prefix hash")
    add("a MAC without the label", "unlabelled mac")
    add("a MAC over the digits", "digits mac")
    add("a MAC over the text doubled", "doubled mac")
    for byte in (0x00, 0xFF):
        add(f"a MAC of bytes {byte:#04x} only", "fill mac", byte=byte)
    add("no MAC at all", "cut", digits=64)
    add("half a MAC", "cut", digits=32)
    add("the first half of the MAC twice", "halves")
    add("the MAC of another token of the same key", "other mac")
    add("the MAC of another key's token", "other key's mac")
    for other in ("AAAAAA", "______", "zzzzzz"):
        add(f"another tag ({other})", "replace", at=TAG, hex=other.encode().hex())
    add("its home's bytes in reverse", "reverse home")
    for grants in (0, 2, 3, 4, 5, 6, 7, 8, 0x80, 0xFF):
        add(f"grants {grants:#04x}", "replace", at=GRANTS, hex=f"{grants:02x}")
    for end in ("ffffffffffff", "000000000000", "03a352945000", "7fffffffffff"):
        add(f"ends at {end}", "replace", at=END, hex=end)
    for ended in (0, 1, 1_000, 1_700_000_000_000):
        add(f"ended by itself at {ended}", "said", expires_at_ms=ended)
    add("networks put in", "splice", at=NETWORKS, hex=b"0.0.0.0/0 ::/0".hex())
    add("a JWT without a signature", "text", text="eyJhbGciOiJub25lIn0.e30.")
    add("two tokens with a space", "twice", between=" ")
    add("two tokens with a comma", "twice", between=",")
    add("longer than any token", "append", text="00" * 1_100)
    return found


def forged(recipe: dict[str, Any], raw_key: str, other_key: str) -> str:  # noqa: C901, PLR0911, PLR0912 - a table
    """The hostile text that a recipe makes of a good token of this key."""
    good = token_of(raw_key)
    label, digits = good[:_LABEL], good[_LABEL:]
    said, mac = bytes.fromhex(digits)[:-32], digits[-64:]

    def with_mac(raw: bytes) -> str:
        return label + said.hex() + raw.hex()

    match recipe["do"]:
        case "flip":
            raw = bytearray.fromhex(digits)
            raw[recipe["byte"]] ^= 1 << recipe["bit"]
            return label + raw.hex()
        case "cut":
            return good[: -recipe["digits"]]
        case "behead":
            return label + digits[recipe["digits"] :]
        case "append":
            return good + str(recipe["text"])
        case "insert":
            at, text = recipe["at"], str(recipe["text"])
            return good[:at] + text + good[at:]
        case "spell":
            return _spelled(recipe["how"], label, digits)
        case "digit":
            return good[:-1] + str(recipe["text"])
        case "encode":
            return label + _encoded(recipe["how"], bytes.fromhex(digits))
        case "label":
            return str(recipe["text"]) + digits
        case "secret":
            return token_of(raw_key, secret=recipe["text"].encode())
        case "mac":
            return with_mac(hmac.digest(CURRENT, label.encode() + said, recipe["algorithm"]))
        case "hash":
            return with_mac(hashlib.new(recipe["algorithm"], label.encode() + said).digest())
        case "prefix hash":
            return with_mac(hashlib.sha256(CURRENT + label.encode() + said).digest())
        case "unlabelled mac":
            return with_mac(hmac.digest(CURRENT, said, "sha256"))
        case "digits mac":
            return with_mac(hmac.digest(CURRENT, (label + said.hex()).encode(), "sha256"))
        case "doubled mac":
            return with_mac(hmac.digest(CURRENT, 2 * (label.encode() + said), "sha256"))
        case "fill mac":
            return with_mac(bytes([recipe["byte"]]) * 32)
        case "halves":
            return good[:-32] + mac[:32]
        case "other mac":
            return good[:-64] + token_of(raw_key, scopes=("write",))[-64:]
        case "other key's mac":
            return good[:-64] + token_of(other_key)[-64:]
        case "replace":
            at, put = recipe["at"], bytes.fromhex(recipe["hex"])
            return label + (said[:at] + put + said[at + len(put) :]).hex() + mac
        case "reverse home":
            return label + (said[:TAG][::-1] + said[TAG:]).hex() + mac
        case "splice":
            at, put = recipe["at"], bytes.fromhex(recipe["hex"])
            return label + (said[:at] + put + said[at:]).hex() + mac
        case "said":
            return token_of(raw_key, expires_at_ms=recipe["expires_at_ms"])
        case "text":
            return str(recipe["text"])
        case "twice":
            return good + str(recipe["between"]) + good
        case unknown:
            raise ValueError(f"nobody knows how to {unknown}")


def _spelled(how: str, label: str, digits: str) -> str:
    match how:
        case "upper":
            return (label + digits).upper()
        case "title":
            return (label + digits).title()
        case "upper digits":
            return label + digits.upper()
        case "upper label":
            return label.upper() + digits
        case _:
            at = next(at for at, digit in enumerate(digits) if digit.isalpha())
            return label + digits[:at] + digits[at].upper() + digits[at + 1 :]


def _encoded(how: str, raw: bytes) -> str:
    match how:
        case "base64":
            return b64encode(raw).decode()
        case "base64url":
            return urlsafe_b64encode(raw).decode().rstrip("=")
        case "base32":
            return b32encode(raw).decode()
        case "base32 lower":
            return b32encode(raw).decode().lower().rstrip("=")
        case "percent":
            return "".join(f"%{byte:02x}" for byte in raw)
        case _:
            return raw[::-1].hex()


def main() -> None:
    """Write the file."""
    text = json.dumps(recipes(), indent=1, ensure_ascii=True)
    FILE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
