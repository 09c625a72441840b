"""The pages function's composition root: the only reader of its environment."""

from __future__ import annotations

import os

from chatgrid_auth import settings
from chatgrid_pages.page import Brand, Dashboard, PageSettings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def start(environ: Mapping[str, str] = os.environ) -> Dashboard:
    """The pages of this stack.

    Raises:
        SettingError: an environment variable is missing or not usable.
    """
    return Dashboard(
        PageSettings(
            supabase_url=environ.get("SUPABASE_URL", ""),
            supabase_publishable_key=environ.get("SUPABASE_PUBLISHABLE_KEY", ""),
            rate_limit_default=settings.positive_integer(environ, "RATE_LIMIT_DEFAULT"),
            rate_limit_ceiling=settings.positive_integer(environ, "RATE_LIMIT_CEILING"),
            key_lifetime_default_seconds=settings.count(environ, "KEY_LIFETIME_DEFAULT_SECONDS"),
            key_lifetime_ceiling_seconds=settings.count(environ, "KEY_LIFETIME_CEILING_SECONDS"),
            example_boards=settings.flag(environ, "EXAMPLE_BOARDS", default="true"),
            brand=Brand(
                name=environ.get("DASHBOARD_NAME") or "ChatGrid",
                logo_url=environ.get("DASHBOARD_LOGO_URL", ""),
                documentation_url=environ.get("DASHBOARD_DOCUMENTATION_URL", ""),
            ),
        )
    )
