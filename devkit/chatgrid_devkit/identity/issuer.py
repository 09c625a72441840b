"""The identity provider of the local run: what Supabase's Auth publishes, and tokens like its own.

Its keys and its shared secret are random for each state folder and stay in one file there that
nobody else may read. Whoever can read that file can be anybody, on this laptop and nowhere else.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt import PyJWK, encode
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

AUDIENCE = "authenticated"
ALGORITHMS = ("ES256", "RS256", "HS256")

_FILE = "issuer.json"
_JWKS_PATH = "/auth/v1/.well-known/jwks.json"
_PRIVATE_MEMBERS = frozenset(("d", "p", "q", "dp", "dq", "qi", "k"))

Message = MutableMapping[str, Any]


class LocalIssuer:
    """Plays Supabase's Auth for one state folder.

    Every process that names the same folder sees the same keys, a rotation included.

    Args:
        state_dir: where keys and secret are kept; made when missing.
        base_url: what ``SUPABASE_URL`` is to be, without a slash at the end.
    """

    def __init__(self, state_dir: Path, base_url: str) -> None:
        self._file = state_dir / _FILE
        self.issuer = f"{base_url.rstrip('/')}/auth/v1"
        if not self._file.exists():
            state_dir.mkdir(parents=True, exist_ok=True)
            self._write({"keys": _new_keys(), "secret": secrets.token_urlsafe(48)})

    async def asgi(
        self,
        scope: Message,
        _receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Serve the public key set, and nothing else."""
        if scope["type"] != "http":
            return
        found = scope["path"] == _JWKS_PATH and scope["method"] in {"GET", "HEAD"}
        body = json.dumps(self.public_jwks() if found else {"error": "not found"}).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        if found:
            headers.append((b"cache-control", b"public, max-age=600"))
        status = 200 if found else 404
        await send({"type": "http.response.start", "status": status, "headers": headers})
        sent = b"" if scope["method"] == "HEAD" else body
        await send({"type": "http.response.body", "body": sent})

    def mint(
        self,
        user_id: str,
        *,
        now_s: int,
        email: str | None = None,
        expires_in_s: int = 3600,
        anonymous: bool = False,
        alg: str = "ES256",
    ) -> str:
        """An access token as Supabase would issue it.

        Args:
            user_id: the user's UUID.
            now_s: the time of issue in Unix seconds.
            email: the user's address, when there is one.
            expires_in_s: for how long it is good; negative for a token that has expired.
            anonymous: whether the user signed in anonymously.
            alg: one of `ALGORITHMS`.

        Raises:
            ValueError: no UUID, or another algorithm.
        """
        state = self._read()
        claims = {
            "iss": self.issuer,
            "sub": str(UUID(user_id)),
            "aud": AUDIENCE,
            "exp": now_s + expires_in_s,
            "iat": now_s,
            "email": email or "",
            "phone": "",
            "app_metadata": {},
            "user_metadata": {},
            "role": "authenticated",
            "aal": "aal1",
            "amr": [{"method": "anonymous" if anonymous else "password", "timestamp": now_s}],
            "session_id": str(uuid4()),
            "is_anonymous": anonymous,
        }
        if alg == "HS256":
            return encode(claims, state["secret"], algorithm=alg)
        for jwk in state["keys"]:
            if jwk["alg"] == alg:
                headers = {"kid": jwk["kid"]}
                return encode(claims, PyJWK(jwk), algorithm=alg, headers=headers)
        raise ValueError(f"the local issuer signs with {', '.join(ALGORITHMS)}")

    def rotate(self) -> None:
        """Sign with new keys from now on; the last ones stay published until the next time."""
        state = self._read()
        newest = len(ALGORITHMS) - 1
        self._write({**state, "keys": [*_new_keys(), *state["keys"][:newest]]})

    def withdraw(self) -> None:
        """Publish the current keys only: whatever earlier ones signed is worth nothing now."""
        state = self._read()
        self._write({**state, "keys": state["keys"][: len(ALGORITHMS) - 1]})

    def public_jwks(self) -> dict[str, list[dict[str, Any]]]:
        """The key set as it is published."""
        return {
            "keys": [
                {name: value for name, value in jwk.items() if name not in _PRIVATE_MEMBERS}
                | {"key_ops": ["verify"]}
                for jwk in self._read()["keys"]
            ]
        }

    def stack_entry(self) -> dict[str, Any]:
        """What ``.devkit/stack.json`` says about the identity provider; tests mint with it."""
        state = self._read()
        return {
            "issuer": self.issuer,
            "audience": AUDIENCE,
            "jwt_secret": state["secret"],
            "private_jwks": {"keys": state["keys"]},
        }

    def _read(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self._file.read_text("utf-8"))
        return state

    def _write(self, state: dict[str, Any]) -> None:
        write_private(self._file, json.dumps(state))


def write_private(file: Path, text: str) -> None:
    """Replace a file in one step; at no moment can anybody but its owner read it."""
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:  # mkstemp made it 0600
        stream.write(text)
    Path(temporary).replace(file)


def _new_keys() -> list[dict[str, Any]]:
    elliptic = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True)
    modular = RSAAlgorithm.to_jwk(rsa.generate_private_key(65_537, 2_048), as_dict=True)
    return [
        {**jwk, "kid": str(uuid4()), "alg": alg, "use": "sig", "key_ops": ["sign"]}
        for jwk, alg in ((elliptic, "ES256"), (modular, "RS256"))
    ]
