"""djangorestframework-api-key's permission on its own SQLite file, without a web server around."""

from __future__ import annotations

import os
from typing import Any

import django
from django.conf import settings

settings.configure(
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DJANGO_DATABASE"]}
    },
    INSTALLED_APPS=["rest_framework", "rest_framework_api_key"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
)
django.setup()

from django.db import connection  # noqa: E402 -- settings come first
from django.http import HttpRequest  # noqa: E402
from rest_framework_api_key.permissions import HasAPIKey  # noqa: E402

permission = HasAPIKey()


def prepare(_folder: str) -> str:
    """Make the database with one key; the credential to send."""
    from django.core.management import call_command  # noqa: PLC0415 -- once
    from rest_framework_api_key.models import APIKey  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    _, key = APIKey.objects.create_key(name="benchmark")
    return str(key)


def handler(event: dict[str, Any], _context: Any) -> bool:
    """Whether the key is valid."""
    request = HttpRequest()
    credential = event["headers"]["Authorization"].removeprefix("Bearer ")
    request.META["HTTP_AUTHORIZATION"] = f"Api-Key {credential}"
    return bool(permission.has_permission(request, None))


def store_requests(call: Any) -> int:
    """How many queries this call makes."""
    queries: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        queries.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        call()
    return len(queries)
