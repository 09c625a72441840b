"""What a browser needs of Supabase's Auth, played locally: sign-in, renewal, sign-out.

The dashboard talks to it through Supabase's own library, as it does to a real project. Here one
development account signs in with a click, a password that everybody knows, or a link that is
printed instead of sent; any other address may ask for a link and becomes a user of its own. It
answers loopback only: pages of its own origin, and of the one that the API allows by name.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import NAMESPACE_URL, uuid5

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

from chatgrid_devkit.door.loopback import is_own_origin, is_own_page, the_host
from chatgrid_devkit.identity.grants import CannotGrant, Grants
from chatgrid_devkit.identity.issuer import LocalIssuer
from chatgrid_devkit.identity.messages import (
    back_to,
    bearer,
    body,
    challenge,
    cors,
    is_json,
    not_json,
    refusal,
)

DEVELOPER_EMAIL = "developer@example.com"
DEVELOPER_PASSWORD = "development"  # noqa: S105  # known to everybody, good on loopback only
#: The name under which the one-click sign-in is listed among the OAuth providers.
DEVELOPMENT_PROVIDER = "development"

ACCESS_TOKEN_SECONDS = 3600

#: Printed and put into an address: what no terminal and no log could misread.
_ADDRESS = re.compile(r"[!-?A-~]{1,64}@[!-?A-~]{1,255}")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalUser:
    """Somebody who can sign in."""

    id: str
    email: str


class LocalAuth:
    """The local issuer's public face, as an ASGI application; mount it at ``/auth/v1``.

    Args:
        issuer: signs the tokens; paths that are not of this class are its own.
        developer_id: the user that the development account is.
        now_s: the clock, in Unix seconds.
        deliver: called with an address and a link, where Supabase would send an e-mail.
        access_token_seconds: how long an access token is good.
        origins: whose pages may sign in here, besides those of its own origin.
    """

    def __init__(
        self,
        issuer: LocalIssuer,
        *,
        developer_id: str,
        now_s: Callable[[], int],
        deliver: Callable[[str, str], None],
        access_token_seconds: int = ACCESS_TOKEN_SECONDS,
        origins: Collection[str] = (),
    ) -> None:
        self._origins = frozenset(origins)
        self._issuer = issuer
        self._developer = LocalUser(id=developer_id, email=DEVELOPER_EMAIL)
        self._now_s = now_s
        self._deliver = deliver
        self._access_token_seconds = access_token_seconds
        self._grants: Grants[LocalUser] = Grants(now_s=now_s)
        self._router = Router(
            [
                Route("/auth/v1/settings", self._settings),
                Route("/auth/v1/token", self._token, methods=["POST"]),
                Route("/auth/v1/otp", self._otp, methods=["POST"]),
                Route("/auth/v1/verify", self._verify),
                Route("/auth/v1/authorize", self._authorize),
                Route("/auth/v1/user", self._user),
                Route("/auth/v1/logout", self._logout, methods=["POST"]),
            ],
            default=issuer.asgi,
            redirect_slashes=False,
        )

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, with what a page on loopback needs to read the answer."""
        if scope["type"] != "http":
            return
        host = the_host(scope)
        if host is None:
            # A name that was made to point here: some other site's page.
            await refusal(403, "forbidden", "Loopback only")(scope, receive, send)
            return
        if not is_own_page(scope, host, also=self._origins):
            await refusal(403, "forbidden", "No other site's page")(scope, receive, send)
            return
        request = Request(scope, receive)
        readable = cors(request.headers.get("origin", ""))
        if request.method == "OPTIONS":
            await Response(status_code=204, headers=readable)(scope, receive, send)
            return

        async def send_with_cors(message: Message) -> None:
            if message["type"] == "http.response.start":
                more = [(name.lower().encode(), value.encode()) for name, value in readable.items()]
                message["headers"] = [*message["headers"], *more]
            await send(message)

        await self._router(scope, receive, send_with_cors)

    async def _settings(self, _request: Request) -> Response:
        external = {"email": True, "phone": False, DEVELOPMENT_PROVIDER: True}
        return JSONResponse({"external": external, "disable_signup": False})

    async def _token(self, request: Request) -> Response:
        if not is_json(request):
            return not_json()
        given = await body(request)
        try:
            match request.query_params.get("grant_type"):
                case "password":
                    user = self._with_password(given)
                    return self._session(user, self._grants.begin(user))
                case "pkce":
                    user = self._grants.redeem(
                        str(given.get("auth_code")), str(given.get("code_verifier"))
                    )
                    return self._session(user, self._grants.begin(user))
                case "refresh_token":
                    user, token = self._grants.renew(str(given.get("refresh_token")))
                    return self._session(user, token)
        except CannotGrant as refused:
            return refusal(400, refused.code, refused.message)
        return refusal(400, "validation_failed", "Unsupported grant type")

    def _with_password(self, given: dict[str, Any]) -> LocalUser:
        known = str(given.get("email")).strip().lower() == self._developer.email
        if known and given.get("password") == DEVELOPER_PASSWORD:
            return self._developer
        raise CannotGrant("invalid_credentials", "Invalid login credentials")

    async def _otp(self, request: Request) -> Response:
        if not is_json(request):
            return not_json()
        given = await body(request)
        email = str(given.get("email", "")).strip().lower()
        back = request.query_params.get("redirect_to", "")
        if not _ADDRESS.fullmatch(email) or not self._is_known(back, request):
            return refusal(400, "validation_failed", "Unable to validate email address")
        if email != self._developer.email and not given.get("create_user", True):
            return refusal(422, "otp_disabled", "Signups not allowed for otp")
        link_token = self._grants.link(self._user_of(email), challenge(given))
        asked = {"token": link_token, "type": "magiclink", "redirect_to": back}
        self._deliver(email, f"{self._issuer.issuer}/verify?{urlencode(asked)}")
        return JSONResponse({})

    async def _verify(self, request: Request) -> Response:
        back = request.query_params.get("redirect_to", "")
        if not self._is_known(back, request):
            return refusal(400, "validation_failed", "Redirects go to known origins only")
        try:
            code = self._grants.follow(request.query_params.get("token", ""))
        except CannotGrant as refused:
            error = {"error": "access_denied", "error_code": refused.code}
            return back_to(back, {**error, "error_description": refused.message})
        return back_to(back, {"code": code})

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        back = asked.get("redirect_to", "")
        if asked.get("provider") != DEVELOPMENT_PROVIDER or not self._is_known(back, request):
            return refusal(400, "validation_failed", "Unsupported provider or redirect")
        return back_to(back, {"code": self._grants.code(self._developer, challenge(asked))})

    async def _user(self, request: Request) -> Response:
        session = self._grants.session(bearer(request))
        if session is None:
            return refusal(403, "session_not_found", "The session is gone")
        return JSONResponse(self._described(session))

    async def _logout(self, request: Request) -> Response:
        self._grants.end(bearer(request))
        return Response(status_code=204)

    def _session(self, user: LocalUser, refresh_token: str) -> Response:
        now_s, lasts_s = self._now_s(), self._access_token_seconds
        access_token = self._issuer.mint(
            user.id, now_s=now_s, email=user.email, expires_in_s=lasts_s
        )
        self._grants.remember(access_token, refresh_token)
        return JSONResponse(
            {
                "access_token": access_token,
                "token_type": "bearer",
                "expires_in": lasts_s,
                "expires_at": now_s + lasts_s,
                "refresh_token": refresh_token,
                "user": self._described(user),
            },
            headers={"Cache-Control": "no-store"},
        )

    def _is_known(self, address: str, request: Request) -> bool:
        """Whether a page that may sign in here is at this address."""
        parts = urlsplit(address)
        origin = f"{parts.scheme}://{parts.netloc}".lower()
        return is_own_origin(origin, request.headers["host"].lower()) or origin in self._origins

    def _user_of(self, email: str) -> LocalUser:
        if email == self._developer.email:
            return self._developer
        return LocalUser(id=str(uuid5(NAMESPACE_URL, f"mailto:{email}")), email=email)

    @staticmethod
    def _described(user: LocalUser) -> dict[str, Any]:
        return {
            "id": user.id,
            "aud": "authenticated",
            "role": "authenticated",
            "email": user.email,
            "app_metadata": {},
            "user_metadata": {},
            "identities": [],
            "is_anonymous": False,
        }
