"""Tokens out of recipes: what hostile.json and valid.json describe, made with keys of the moment.

A recipe starts from a token as Supabase would issue it and says what is different. So no key and
no token is ever stored, and the same recipes run against any issuer whose private keys are known.

=================  ===============================================================================
member             meaning
=================  ===============================================================================
alg                which of the issuer's keys signs and what the header says; ES256 by default
header, claims     members to set
header_drop, …     members to leave out
header_tail, …     JSON text to add before the closing brace: a second `alg`, a number like 1e999
header_text, …     the whole JSON text
header_hex, …      the whole content in bytes
sign               who signs: {"by": "own" | "stranger" | "hmac" | "nobody" | "bytes", …}
signature          what happens to the signature afterwards
compact            what happens to the finished token, step by step
=================  ===============================================================================

In values, `$now+60`, `$kid:RS256`, `$jwk:RS256` (public), `$stranger-jwk`, `$stranger-cert`,
`$issuer`, `$user` and `$trap` (an address that nobody may ever ask) are replaced.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt import PyJWK
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

Recipe = dict[str, Any]

USER = "7b1c6a52-3f0e-4d7a-9a44-5e2f0c1d9b10"
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

_HERE = Path(__file__).parent
_NOW = re.compile(r"\$now([+-]\d+)?")


def recipes(name: str) -> list[Recipe]:
    """The recipes of `hostile` or `valid`."""
    content: list[Recipe] = json.loads((_HERE / f"{name}.json").read_text("utf-8"))
    return content


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def new_private_jwks() -> list[dict[str, Any]]:
    """An ES256, an RS256 and an EdDSA key, as an issuer would keep them."""
    pairs = (
        (ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True), "ES256"),
        (RSAAlgorithm.to_jwk(rsa.generate_private_key(65_537, 2_048), as_dict=True), "RS256"),
        (OKPAlgorithm.to_jwk(ed25519.Ed25519PrivateKey.generate(), as_dict=True), "EdDSA"),
    )
    return [
        {**jwk, "kid": f"{alg.lower()}-{hashlib.sha256(str(jwk).encode()).hexdigest()[:12]}"}
        | {"alg": alg, "use": "sig"}
        for jwk, alg in pairs
    ]


def public_jwk(jwk: dict[str, Any]) -> dict[str, Any]:
    private = {"d", "p", "q", "dp", "dq", "qi", "k", "key_ops"}
    return {name: value for name, value in jwk.items() if name not in private}


class Forge:
    """Makes tokens by recipe.

    Args:
        private_jwks: the issuer's signing keys; the first of an algorithm is the current one.
        secret: the issuer's HS256 secret.
        issuer: its `iss`.
        audience: its `aud`.
        now_s: the time that `$now` stands for.
        trap: what `$trap` stands for.
    """

    def __init__(
        self,
        *,
        private_jwks: list[dict[str, Any]],
        secret: str,
        issuer: str,
        audience: str,
        now_s: int,
        trap: str = "http://127.0.0.1:1",
    ) -> None:
        self.own: dict[str, dict[str, Any]] = {}
        for jwk in private_jwks:
            self.own.setdefault(jwk["alg"], jwk)
        self._secret = secret
        self._issuer = issuer
        self._audience = audience
        self._now_s = now_s
        self._trap = trap
        self._strangers: dict[str, Any] = {}

    def makes(self, recipe: Recipe) -> bool:
        """Whether this issuer has the keys that the recipe asks for."""
        needed = {recipe.get("alg", "ES256"), recipe.get("sign", {}).get("alg", "ES256")}
        return needed <= {*self.own, "HS256"}

    def token(self, recipe: Recipe) -> str:
        """The token of this recipe."""
        alg = recipe.get("alg", "ES256")
        header: dict[str, Any] = {"alg": alg, "typ": "JWT"}
        if alg in self.own:
            header["kid"] = self.own[alg]["kid"]
        head = b64(self._part(recipe, "header", header))
        body = b64(self._part(recipe, "claims", self._claims()))
        signed = f"{head}.{body}"
        signature = self._sign(signed.encode(), alg, recipe.get("sign", {"by": "own"}))
        signature = _change_signature(signature, recipe.get("signature", "as is"))
        token = f"{signed}.{b64(signature)}"
        for step in recipe.get("compact", []):
            token = _COMPACT_STEPS[step[0]](token, *step[1:])
        return token

    def _claims(self) -> dict[str, Any]:
        return {
            "iss": self._issuer,
            "sub": USER,
            "aud": self._audience,
            "exp": self._now_s + 3600,
            "iat": self._now_s - 60,
            "email": "kim@example.org",
            "phone": "",
            "app_metadata": {"provider": "email", "providers": ["email"]},
            "user_metadata": {"name": "Kim"},
            "role": "authenticated",
            "aal": "aal1",
            "amr": [{"method": "password", "timestamp": self._now_s - 60}],
            "session_id": "0c9b7f5e-9d0d-4b2e-8a53-6b6f7c1e2d3f",
            "is_anonymous": False,
        }

    def _part(self, recipe: Recipe, part: str, members: dict[str, Any]) -> bytes:
        if f"{part}_hex" in recipe:
            return bytes.fromhex(recipe[f"{part}_hex"])
        if f"{part}_text" in recipe:
            return str(self._filled(recipe[f"{part}_text"], as_text=True)).encode()
        members = {**members, **self._filled(recipe.get(part, {}))}
        for name in recipe.get(f"{part}_drop", []):
            members.pop(name, None)
        text = json.dumps(members, separators=(",", ":"), ensure_ascii=False)
        if tail := recipe.get(f"{part}_tail"):
            text = f"{text[:-1]},{self._filled(tail, as_text=True)}}}"
        return text.encode(recipe.get(f"{part}_encoding", "utf-8"), "surrogatepass")

    def _filled(self, value: Any, *, as_text: bool = False) -> Any:
        if isinstance(value, dict):
            return {name: self._filled(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self._filled(member) for member in value]
        if not isinstance(value, str):
            return value
        if not as_text and (now := _NOW.fullmatch(value)):
            return self._now_s + int(now[1] or 0)
        if value in {"$stranger-jwk", "$stranger-cert"} or value.startswith("$jwk:"):
            return self._key_object(value)
        value = _NOW.sub(lambda found: str(self._now_s + int(found[1] or 0)), value)
        for name in re.findall(r"\$kid:(\w+)", value):
            value = value.replace(f"$kid:{name}", self.own[name]["kid"])
        value = value.replace("$trap", self._trap)
        return value.replace("$issuer", self._issuer).replace("$user", USER)

    def _key_object(self, name: str) -> Any:
        if name.startswith("$jwk:"):
            return public_jwk(self.own[name[5:]])
        public = self._stranger("P-256").public_key()
        if name == "$stranger-cert":
            der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            return [base64.b64encode(der).decode()]
        return ECAlgorithm.to_jwk(public, as_dict=True) | {"kid": "mine", "alg": "ES256"}

    def _sign(self, message: bytes, alg: str, how: dict[str, Any]) -> bytes:
        match how["by"]:
            case "nobody":
                return b""
            case "bytes":
                return bytes.fromhex(how["hex"])
            case "hmac":
                return hmac.digest(self._material(how["key"]), message, how.get("hash", "sha256"))
            case "stranger":
                return _asymmetric(self._stranger(how["kind"]), message)
            case _:
                return self._own_signature(message, how.get("alg", alg), pss=how.get("pss", False))

    def _own_signature(self, message: bytes, alg: str, *, pss: bool) -> bytes:
        if alg not in self.own:
            return hmac.digest(self._secret.encode(), message, "sha256")
        return _asymmetric(PyJWK(self.own[alg]).key, message, pss=pss)

    def _stranger(self, kind: str) -> Any:
        makers: dict[str, Callable[[], Any]] = {
            "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
            "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
            "secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
            "RSA": lambda: rsa.generate_private_key(65_537, 2_048),
            "Ed25519": ed25519.Ed25519PrivateKey.generate,
        }
        if kind not in self._strangers:
            self._strangers[kind] = makers[kind]()
        return self._strangers[kind]

    def _material(self, name: str) -> bytes:
        """What an attacker might take for an HMAC secret: everything public about the issuer."""
        form, _, alg = name.partition(":")
        match form:
            case "text":
                return alg.encode()
            case "secret":
                return self._secret.encode()
            case "jwks":
                published = {"keys": [public_jwk(key) for key in self.own.values()]}
                return json.dumps(published).encode()
            case "jwk":
                return json.dumps(public_jwk(self.own[alg])).encode()
            case "member":
                return str(self.own[alg].get("n", self.own[alg].get("x"))).encode()
            case _:
                return _public_bytes(form, PyJWK(public_jwk(self.own[alg])).key)


def _public_bytes(form: str, key: Any) -> bytes:
    spki = PublicFormat.SubjectPublicKeyInfo
    encodings = {
        "pem": (Encoding.PEM, spki),
        "pem-stripped": (Encoding.PEM, spki),
        "pem-crlf": (Encoding.PEM, spki),
        "pem1": (Encoding.PEM, PublicFormat.PKCS1),
        "der": (Encoding.DER, spki),
        "ssh": (Encoding.OpenSSH, PublicFormat.OpenSSH),
        "point": (Encoding.X962, PublicFormat.UncompressedPoint),
    }
    raw = bytes(key.public_bytes(*encodings[form]))
    if form == "pem-stripped":
        return raw.rstrip(b"\n")
    return raw.replace(b"\n", b"\r\n") if form == "pem-crlf" else raw


def _asymmetric(key: Any, message: bytes, *, pss: bool = False) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32) if pss else padding.PKCS1v15()
        return key.sign(message, scheme, hashes.SHA256())
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    size = (key.curve.key_size + 7) // 8
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return bytes(r.to_bytes(size, "big") + s.to_bytes(size, "big"))


def _change_signature(signature: bytes, how: str) -> bytes:
    half = len(signature) // 2
    r, s = signature[:half], signature[half:]
    order = P256_ORDER.to_bytes(32, "big")
    changes: dict[str, Callable[[], bytes]] = {
        "as is": lambda: signature,
        "truncated by one": lambda: signature[:-1],
        "truncated to half": lambda: r,
        "one byte more": lambda: signature + b"\0",
        "a zero in front": lambda: b"\0" + signature,
        "first bit flipped": lambda: bytes([signature[0] ^ 0x80]) + signature[1:],
        "last bit flipped": lambda: signature[:-1] + bytes([signature[-1] ^ 1]),
        "halves swapped": lambda: s + r,
        "doubled": lambda: signature * 2,
        "r zero": lambda: bytes(half) + s,
        "s zero": lambda: r + bytes(half),
        "r order": lambda: order + s,
        "s order": lambda: r + order,
        "r plus order": lambda: (int.from_bytes(r, "big") + P256_ORDER).to_bytes(33, "big") + s,
        "DER": lambda: _der(r, s),
        "ones": lambda: b"\xff" * len(signature),
        "r one s one": lambda: b"\1".rjust(half, b"\0") * 2,
    }
    return changes[how]()


def _der(r: bytes, s: bytes) -> bytes:
    integers = [b"\2" + bytes([len(n)]) + n for n in (b"\0" + r, b"\0" + s)]
    return b"\x30" + bytes([sum(map(len, integers))]) + b"".join(integers)


def _part_changed(token: str, index: int, change: Callable[[str], str]) -> str:
    parts = token.split(".")
    parts[index] = change(parts[index])
    return ".".join(parts)


def _stray_bits(part: str) -> str:
    """Another spelling of the same bytes, where there is one."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    if len(part) % 4 == 0:
        return part + "="
    return part[:-1] + alphabet[alphabet.index(part[-1]) | 1]


def _general_json(token: str) -> str:
    head, body, signature = token.split(".")
    return json.dumps(
        {"payload": body, "signatures": [{"protected": head, "signature": signature}]}
    )


def _flattened_json(token: str) -> str:
    head, body, signature = token.split(".")
    return json.dumps({"protected": head, "payload": body, "signature": signature})


def _claim_rewritten(token: str, old: str, new: str) -> str:
    """Another payload under the old signature."""

    def change(part: str) -> str:
        text = base64.urlsafe_b64decode(part + "===").decode()
        assert old in text
        return b64(text.replace(old, new).encode())

    return _part_changed(token, 1, change)


_COMPACT_STEPS: dict[str, Callable[..., str]] = {
    "before": lambda token, text: text + token,
    "after": lambda token, text: token + text,
    "replace": lambda token, old, new: token.replace(old, new),
    "part": lambda token, index, text: _part_changed(token, index, lambda _: text),
    "part after": lambda token, index, text: _part_changed(token, index, lambda p: p + text),
    "part before": lambda token, index, text: _part_changed(token, index, lambda p: text + p),
    "part inside": lambda token, index, text: _part_changed(
        token, index, lambda p: p[:5] + text + p[5:]
    ),
    "part cut": lambda token, index, count: _part_changed(token, index, lambda p: p[:-count]),
    "padded": lambda token: ".".join(p + "=" * (-len(p) % 4 or 4) for p in token.split(".")),
    "stray bits": lambda token, index: _part_changed(token, index, _stray_bits),
    "without part": lambda token, index: ".".join(
        p for i, p in enumerate(token.split(".")) if i != index
    ),
    "reversed": lambda token: ".".join(reversed(token.split("."))),
    "twice": lambda token, between: token + between + token,
    "repeat": lambda token, text, count: token + text * count,
    "general JSON": _general_json,
    "flattened JSON": _flattened_json,
    "rewrite": _claim_rewritten,
    "upper": lambda token: token.upper(),
    "nothing but": lambda _token, text: text,
}
