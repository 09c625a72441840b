"""The local sign-in does what Supabase's library asks of it, for its own pages only."""

from __future__ import annotations

import asyncio
import hashlib
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from chatgrid_devkit.identity.auth import DEVELOPER_EMAIL, DEVELOPER_PASSWORD, LocalAuth
from chatgrid_devkit.identity.grants import CODE_SECONDS, LINK_SECONDS, REUSE_SECONDS
from chatgrid_devkit.identity.issuer import LocalIssuer

ORIGIN = "http://127.0.0.1:8765"
#: What the API allows by name.
APP = "https://app.example"
BACK = f"{ORIGIN}/v1/dashboard"
DEVELOPER = "00000000-0000-4000-8000-0000000000de"
VERIFIER = "a-verifier-that-only-one-browser-knows"
CHALLENGE = urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "s256"}


@dataclass
class World:
    """The provider, its clock, and the mail that it sends."""

    folder: Path
    now_s: int = 1_800_000_000
    sent: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.auth = LocalAuth(
            LocalIssuer(self.folder, ORIGIN),
            developer_id=DEVELOPER,
            now_s=lambda: self.now_s,
            deliver=lambda email, link: self.sent.append((email, link)),
            origins=(APP,),
        )

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.auth)
            async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
                return await client.request(method, path, **request)

        return asyncio.run(send())

    def token(self, grant: str, **body: str) -> httpx.Response:
        return self.ask("POST", f"/auth/v1/token?grant_type={grant}", json=body)

    def session(self) -> dict[str, Any]:
        answer = self.token("password", email=DEVELOPER_EMAIL, password=DEVELOPER_PASSWORD)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    def click(self) -> str:
        """The code of a one-click sign-in."""
        asked = {"provider": "development", "redirect_to": BACK, **PKCE}
        return code_of(self.ask("GET", "/auth/v1/authorize", params=asked))

    def link(self, email: str, **more: Any) -> str:
        answer = self.ask(
            "POST",
            "/auth/v1/otp",
            params={"redirect_to": BACK},
            json={"email": email, **PKCE, **more},
        )
        assert answer.status_code == 200, answer.text
        return self.sent[-1][1]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def code_of(answer: httpx.Response) -> str:
    assert answer.status_code == 303
    there = urlsplit(answer.headers["location"])
    assert f"{there.scheme}://{there.netloc}{there.path}" == BACK
    (code,) = parse_qs(there.query)["code"]
    return code


def refused(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["x-supabase-api-version"] == "2024-01-01"
    return answer.status_code, answer.json()["code"]


def test_a_page_learns_what_it_can_offer(world: World) -> None:
    found = world.ask("GET", "/auth/v1/settings").json()
    assert found["external"] == {"email": True, "phone": False, "development": True}


def test_the_password_gives_a_session_with_a_token_that_the_issuer_signed(world: World) -> None:
    session = world.session()
    assert session["token_type"] == "bearer"
    assert session["expires_at"] == world.now_s + session["expires_in"]
    claims = jwt.decode(session["access_token"], options={"verify_signature": False})
    assert (claims["sub"], claims["email"]) == (DEVELOPER, DEVELOPER_EMAIL)
    assert claims["iss"] == f"{ORIGIN}/auth/v1"
    assert session["user"]["id"] == DEVELOPER


@pytest.mark.parametrize(
    ("email", "password"),
    [(DEVELOPER_EMAIL, "wrong"), ("ada@example.com", DEVELOPER_PASSWORD), ("", ""), ("é", "é")],
)
def test_anything_else_gives_none(world: World, email: str, password: str) -> None:
    answer = world.token("password", email=email, password=password)
    assert refused(answer) == (400, "invalid_credentials")


def test_a_clicks_code_is_good_once_in_that_browser(world: World) -> None:
    """And in no other."""
    code = world.click()
    stolen = world.token("pkce", auth_code=world.click(), code_verifier="another browser's")
    assert refused(stolen) == (400, "bad_code_verifier")
    answer = world.token("pkce", auth_code=code, code_verifier=VERIFIER)
    assert answer.json()["user"]["id"] == DEVELOPER
    again = world.token("pkce", auth_code=code, code_verifier=VERIFIER)
    assert refused(again) == (400, "flow_state_not_found")


def test_a_code_without_a_challenge_opens_nothing(world: World) -> None:
    asked = {"provider": "development", "redirect_to": BACK}
    code = code_of(world.ask("GET", "/auth/v1/authorize", params=asked))
    assert refused(world.token("pkce", auth_code=code, code_verifier="")) == (
        400,
        "bad_code_verifier",
    )


def test_a_code_that_is_too_old_opens_nothing(world: World) -> None:
    code = world.click()
    world.now_s += CODE_SECONDS + 1
    answer = world.token("pkce", auth_code=code, code_verifier=VERIFIER)
    assert refused(answer) == (400, "flow_state_not_found")


def test_a_link_signs_in_whoever_asked_for_it_once(world: World) -> None:
    link = world.link("Ada@Example.com")
    assert world.sent[-1][0] == "ada@example.com"
    code = code_of(world.ask("GET", link))
    session = world.token("pkce", auth_code=code, code_verifier=VERIFIER).json()
    assert session["user"]["email"] == "ada@example.com"
    used = urlsplit(world.ask("GET", link).headers["location"])
    assert parse_qs(used.query)["error_code"] == ["otp_expired"]


def test_the_same_address_is_the_same_user_and_another_is_another(world: World) -> None:
    def user(email: str) -> str:
        code = code_of(world.ask("GET", world.link(email)))
        found: str = world.token("pkce", auth_code=code, code_verifier=VERIFIER).json()["user"][
            "id"
        ]
        return found

    assert user("ada@example.com") == user("ada@example.com") != user("grace@example.com")
    assert user(DEVELOPER_EMAIL) == DEVELOPER


def test_a_link_that_is_too_old_says_so(world: World) -> None:
    link = world.link("ada@example.com")
    world.now_s += LINK_SECONDS + 1
    there = urlsplit(world.ask("GET", link).headers["location"])
    assert parse_qs(there.query)["error_code"] == ["otp_expired"]


def test_no_link_is_made_for_somebody_new_when_nobody_new_is_wanted(world: World) -> None:
    asked = {"email": "new@example.com", "create_user": False, **PKCE}
    answer = world.ask("POST", "/auth/v1/otp", params={"redirect_to": BACK}, json=asked)
    assert refused(answer) == (422, "otp_disabled")
    assert world.sent == []


def test_a_session_is_renewed_with_a_new_token_each_time(world: World) -> None:
    first = world.session()
    second = world.token("refresh_token", refresh_token=first["refresh_token"]).json()
    assert second["user"] == first["user"]
    assert second["refresh_token"] != first["refresh_token"]
    world.now_s += REUSE_SECONDS
    two_tabs = world.token("refresh_token", refresh_token=first["refresh_token"]).json()
    assert two_tabs["refresh_token"] == second["refresh_token"]
    world.now_s += 1
    late = world.token("refresh_token", refresh_token=first["refresh_token"])
    assert refused(late) == (400, "refresh_token_already_used")


def test_signing_out_ends_this_session_and_no_other(world: World) -> None:
    mine, other = world.session(), world.session()
    bearer = {"Authorization": f"Bearer {mine['access_token']}"}
    assert world.ask("GET", "/auth/v1/user", headers=bearer).json()["id"] == DEVELOPER
    assert world.ask("POST", "/auth/v1/logout", headers=bearer).status_code == 204
    assert refused_user(world, mine) == (403, "session_not_found")
    ended = world.token("refresh_token", refresh_token=mine["refresh_token"])
    assert refused(ended) == (400, "refresh_token_not_found")
    still = world.token("refresh_token", refresh_token=other["refresh_token"])
    assert still.status_code == 200


def refused_user(world: World, session: dict[str, Any]) -> tuple[int, str]:
    bearer = {"Authorization": f"Bearer {session['access_token']}"}
    return refused(world.ask("GET", "/auth/v1/user", headers=bearer))


@pytest.mark.parametrize("body", [b"", b"[]", b"not json", b"\xff"])
def test_a_body_that_is_none_is_refused_in_words(world: World, body: bytes) -> None:
    for grant in ("password", "pkce", "refresh_token", "another"):
        answer = world.ask(
            "POST",
            f"/auth/v1/token?grant_type={grant}",
            content=body,
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code == 400


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "text/plain; a=application/json", "multipart/form-data"]
)
def test_what_a_form_could_send_is_no_request(world: World, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    body = json.dumps({"email": "a@b.example", "password": DEVELOPER_PASSWORD, **PKCE})
    for path in ("token?grant_type=password", f"otp?redirect_to={BACK}"):
        answer = world.ask("POST", f"/auth/v1/{path}", content=body, headers=headers)
        assert refused(answer) == (415, "validation_failed")
    assert world.sent == []


@pytest.mark.parametrize(
    "email",
    ["\x1b]0;owned\x07@b.example", "a@b.example\nSign-in link", "\u202ea@b", "a@b@c", "@", "é@b"],
)
def test_no_address_is_delivered_to_that_could_speak_to_a_terminal(
    world: World, email: str
) -> None:
    asked = {"email": email, **PKCE}
    answer = world.ask("POST", "/auth/v1/otp", params={"redirect_to": BACK}, json=asked)
    assert refused(answer) == (400, "validation_failed")
    assert world.sent == []


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "http://127.0.0.1:9999/",
        "https://127.0.0.1:8765/",
        "http://127.0.0.1:8765@evil.example/",
        "javascript:alert(1)",
        "",
        "//x",
    ],
)
def test_nobody_is_sent_anywhere_but_to_known_pages(world: World, elsewhere: str) -> None:
    asked = {"provider": "development", "redirect_to": elsewhere, **PKCE}
    assert world.ask("GET", "/auth/v1/authorize", params=asked).status_code == 400
    asked = {"token": "any", "redirect_to": elsewhere}
    assert world.ask("GET", "/auth/v1/verify", params=asked).status_code == 400
    answer = world.ask(
        "POST", "/auth/v1/otp", params={"redirect_to": elsewhere}, json={"email": "a@b.example"}
    )
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (ORIGIN, True),
        ("http://localhost:8765", True),
        (APP, True),
        ("http://127.0.0.1:5173", False),
        ("https://127.0.0.1:8765", False),
        ("https://evil.example", False),
        ("http://127.0.0.1.evil.example:8765", False),
        ("null", False),
    ],
)
def test_only_pages_of_its_own_and_the_allowed_origin_are_answered(
    world: World, origin: str, allowed: bool
) -> None:
    for method, path in (("GET", "/auth/v1/settings"), ("OPTIONS", "/auth/v1/token")):
        answer = world.ask(method, path, headers={"Origin": origin})
        found = answer.headers.get("access-control-allow-origin")
        assert found == (origin if allowed else None)
        assert (answer.status_code == 403) is not allowed


def test_a_name_that_was_made_to_point_here_is_turned_away(world: World) -> None:
    answer = world.ask("GET", "/auth/v1/settings", headers={"Host": "rebound.example:8765"})
    assert refused(answer) == (403, "forbidden")


def test_the_key_set_is_still_the_issuers_own(world: World) -> None:
    answer = world.ask("GET", "/auth/v1/.well-known/jwks.json")
    assert answer.json() == world.auth._issuer.public_jwks()
    assert world.ask("GET", "/auth/v1/nothing").status_code == 404
