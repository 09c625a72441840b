"""The dashboard and the API's reference: three public routes, answered from files.

They hold nothing of anybody's. The function that answers them has no right to anything, and loads
the standard library alone: who opens the page waits for no web framework.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from binascii import b2a_base64
from functools import cached_property
from pathlib import Path

from chatgrid_auth.domain import error_table
from chatgrid_pages.assets import STATIC, Asset, Assets, read_assets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Event = Mapping[str, Any]
    ProxyResponse = dict[str, Any]

PAGE = "/dashboard"
ASSET = "/dashboard/{asset}"
REFERENCE = "/reference"

#: A returning visitor starts no function for this long; what a page refers to is kept forever.
PAGE_SECONDS = 300
_FOREVER = "public, max-age=31536000, immutable"

#: Written into the page, which is not painted without it: one way to the server less.
_STYLE = "style.css"
_LINK = re.compile(r'\b(href|src)="([a-z-]+\.(?:css|js|svg))"')
#: What the reference says of the example of a backend.
_EXAMPLE = re.compile("<!--example-->.*?<!--/example-->\n", re.DOTALL)
_SETTING = re.compile(r"\{\{([a-z_]+)\}\}")


class Brand:
    """By what people know the service.

    Attributes:
        name: what it is called.
        logo_url: an https address without blanks, commas, semicolons or a query, which stand for
            something else in the policy; empty for the page's own picture.
        documentation_url: an https address; empty for no link.
    """

    __slots__ = ("documentation_url", "logo_url", "name")

    def __init__(self, *, name: str, logo_url: str, documentation_url: str) -> None:
        self.name = name
        self.logo_url = logo_url
        self.documentation_url = documentation_url


class PageSettings:
    """What the stack tells the page.

    Attributes:
        supabase_url: the project's URL without a slash at the end; empty while there is none.
        supabase_publishable_key: the project's key for browsers; no secret.
        rate_limit_default: the limit that a key gets when none is asked for.
        rate_limit_ceiling: the highest that may be asked for.
        key_lifetime_default_seconds: how long a key lives of whose expiry nothing is said; 0 for
            as long as the ceiling lets it.
        key_lifetime_ceiling_seconds: the longest that may be asked for; 0 for no ceiling.
        example_boards: whether the stack has the example of a backend.
        brand: by what people know the service.
    """

    __slots__ = (
        "brand",
        "example_boards",
        "key_lifetime_ceiling_seconds",
        "key_lifetime_default_seconds",
        "rate_limit_ceiling",
        "rate_limit_default",
        "supabase_publishable_key",
        "supabase_url",
    )

    def __init__(
        self,
        *,
        supabase_url: str,
        supabase_publishable_key: str,
        rate_limit_default: int,
        rate_limit_ceiling: int,
        key_lifetime_default_seconds: int,
        key_lifetime_ceiling_seconds: int,
        example_boards: bool,
        brand: Brand,
    ) -> None:
        self.brand = brand
        self.example_boards = example_boards
        self.key_lifetime_default_seconds = key_lifetime_default_seconds
        self.key_lifetime_ceiling_seconds = key_lifetime_ceiling_seconds
        self.supabase_url = supabase_url
        self.supabase_publishable_key = supabase_publishable_key
        self.rate_limit_default = rate_limit_default
        self.rate_limit_ceiling = rate_limit_ceiling


class Dashboard:
    """Answers the page's routes; files are read when the first such request comes."""

    def __init__(self, settings: PageSettings, *, folder: Path = STATIC) -> None:
        self._settings = settings
        self._folder = folder

    def handle(self, event: Event, _context: object = None) -> ProxyResponse:
        """The proxy answer to an event of one of the resources, as API Gateway matched it."""
        if event["httpMethod"] not in {"GET", "HEAD"}:
            headers = {"Allow": "GET, HEAD, OPTIONS"}
            return _refusal(error_table.METHOD_NOT_ALLOWED, headers)
        if event["resource"] in {PAGE, REFERENCE}:
            if event["path"].endswith("/"):
                return _without_slash(event)
            if event["resource"] == REFERENCE:
                return self._revalidated(event, self._reference(event), _REFERENCE_HEADERS)
            return self._revalidated(event, self._page, self._page_headers)
        name = (event.get("pathParameters") or {}).get("asset", "")
        asset = self._assets.by_name.get(name) if event["resource"] == ASSET else None
        if asset is None:
            return _refusal(error_table.NOT_FOUND, {}, message="Resource not found")
        return self._revalidated(event, asset, {"Cache-Control": _FOREVER})

    def _revalidated(self, event: Event, asset: Asset, headers: dict[str, str]) -> ProxyResponse:
        """The whole, or 304 for a browser that has it already."""
        # Weak: the stage compresses, so what travels is not byte by byte what is hashed.
        tag = f'W/"{hashlib.sha256(asset.text.encode()).hexdigest()[:32]}"'
        headers = {**_SAFETY, **headers, "ETag": tag, "Content-Type": asset.content_type}
        known = tag.removeprefix("W/") in _if_none_match(event)
        body = "" if known or event["httpMethod"] == "HEAD" else asset.text
        return {"statusCode": 304 if known else 200, "headers": headers, "body": body}

    @cached_property
    def _assets(self) -> Assets:
        return read_assets(self._folder)

    @cached_property
    def _page(self) -> Asset:
        text = _SETTING.sub(lambda found: self._value(found[1]), self._linked("index.html"))
        link = f'<link rel="stylesheet" href="{self._address(_STYLE)}">'
        return _html(text.replace(link, f"<style>{self._style}</style>"))

    @cached_property
    def _style(self) -> str:
        return self._assets.by_source[_STYLE].text

    def _reference(self, event: Event) -> Asset:
        """The reference, with the address at which it was asked for as the API's."""
        given = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        path = event["requestContext"]["path"].removesuffix(REFERENCE)
        url = f"{given.get('x-forwarded-proto', 'https')}://{given.get('host', '')}{path}"
        return _html(self._reference_source.replace("{{url}}", html.escape(url, quote=True)))

    @cached_property
    def _reference_source(self) -> str:
        text = self._linked("reference.html")
        return text if self._settings.example_boards else _EXAMPLE.sub("", text)

    def _linked(self, name: str) -> str:
        """A page's text, which refers to the files that there are."""
        source = (self._folder / name).read_text("utf-8")
        return _LINK.sub(lambda found: f'{found[1]}="{self._address(found[2])}"', source)

    def _value(self, name: str) -> str:
        settings = self._settings
        source = settings.brand if name in Brand.__slots__ else settings
        return html.escape(str(getattr(source, name)), quote=True)

    def _address(self, source: str) -> str:
        """Relative to the page, so that any stage, domain or base path before it will do."""
        return f"dashboard/{self._assets.by_source[source].name}"

    @cached_property
    def _page_headers(self) -> dict[str, str]:
        return {
            **_PAGE_HEADERS,
            "Content-Security-Policy": content_security_policy(
                self._settings.supabase_url, self._settings.brand.logo_url, style=self._style
            ),
        }


#: On every answer of these routes, whatever it is.
_SAFETY = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}


#: On every page.
_PAGE_HEADERS = {
    "Cache-Control": f"public, max-age={PAGE_SECONDS}",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Frame-Options": "DENY",
}
#: The reference runs nothing and asks nobody.
_REFERENCE_HEADERS = {
    **_PAGE_HEADERS,
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}


def _html(text: str) -> Asset:
    return Asset(name="", content_type="text/html; charset=utf-8", text=text)


def content_security_policy(supabase_url: str, logo_url: str, *, style: str) -> str:
    """What the page may load and whom it may ask: its own host and the Supabase project.

    Of another host it may show one picture, which the deployment names; nothing else there. The
    one style that holds is this one, by its hash (https://www.w3.org/TR/CSP3/#hash-source).
    """
    digest = b2a_base64(hashlib.sha256(style.encode()).digest(), newline=False).decode()
    connect = f"connect-src 'self' {supabase_url}".rstrip()
    pictures = f"img-src 'self' {logo_url}".rstrip()
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            f"style-src 'sha256-{digest}'",
            pictures,
            connect,
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _if_none_match(event: Event) -> set[str]:
    """The tags that the browser has, weak ones as if they were strong (RFC 9110, 13.1.2)."""
    headers = event.get("headers") or {}
    given = next((value for name, value in headers.items() if name.lower() == "if-none-match"), "")
    return {tag.strip().removeprefix("W/") for tag in (given or "").split(",")}


def _without_slash(event: Event) -> ProxyResponse:
    """The way to the page from an address that ends in a slash.

    API Gateway takes both for the same resource, but what the page refers to is relative to the
    one without. So is the way there: nothing here knows the stage or a domain's base path.
    """
    location = f"..{event['resource']}"
    # It may be the way back from signing in, with a code.
    if query := event.get("multiValueQueryStringParameters"):
        from urllib.parse import urlencode  # noqa: PLC0415 - seldom needed

        location += "?" + urlencode(query, doseq=True)
    headers = {**_SAFETY, "Cache-Control": "no-store", "Location": location}
    return {"statusCode": 308, "headers": headers, "body": ""}


def _refusal(
    kind: error_table.ErrorKind, headers: dict[str, str], *, message: str = ""
) -> ProxyResponse:
    body = kind.envelope(message)
    headers = {
        **_SAFETY,
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        **headers,
    }
    return {"statusCode": kind.status, "headers": headers, "body": json.dumps(body)}
