"""What the API's responses look like, with the one documented key that is no key at all."""

from __future__ import annotations

from typing import Any

from chatgrid_auth.domain import error_table

_KEY_ID = "019cd6b2-8a00-7c3e-9b5a-2f6d1e8c4a70"
_BOARD_ID = "019cf0e4-1c00-7a12-8f3b-6d5e4c3b2a19"
_USER_ID = "11aabb22-cc33-4d44-8e55-ff6677889900"

_KEY = {
    "id": _KEY_ID,
    "kind": "secret",
    "key_prefix": "cgk_live_a1b2",
    "name": "CI/CD pipeline",
    "scopes": ["read", "write"],
    "environment": "live",
    "rate_limit": 120,
    "enabled": True,
    "disabled_reason": None,
    "allowed_ips": None,
    "allowed_origins": None,
    "permissions": None,
    "metadata": {"team": "core"},
    "credits": None,
    "last_used_at": None,
    "self_rotation": False,
    "previous_secret": None,
    "created_by": {"type": "jwt", "key_id": None},
    "created_at": "2026-03-10T09:00:00.000Z",
    "updated_at": "2026-03-10T09:00:00.000Z",
    "expires_at": None,
}
_ROTATED = {
    **_KEY,
    "previous_secret": {
        "key_prefix": "cgk_live_z9y8",
        "expires_at": "2026-03-11T09:00:00.000Z",
        "last_used_at": "2026-03-10T08:59:58.250Z",
    },
    "last_used_at": "2026-03-10T08:59:58.250Z",
    "raw_key": "cgk_live_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6",
}
_BOARD = {
    "id": _BOARD_ID,
    "name": "Launch plan",
    "created_at": "2026-03-15T10:30:00.000Z",
    "updated_at": "2026-03-15T10:30:00.000Z",
    "is_public": False,
    "public_access_level": None,
    "viewport_x": 0,
    "viewport_y": 0,
    "viewport_zoom": 1,
}

_ENTRY = {
    "id": "019cd6b2-8a01-7c3e-9b5a-2f6d1e8c4a71",
    "seq": 1,
    "action": "api_key.created",
    "actor": {"type": "user", "id": _USER_ID, "key_id": None, "source_ip": "203.0.113.7"},
    "target": {"type": "api_key", "id": _KEY_ID},
    "changes": {"name": {"from": None, "to": "CI/CD pipeline"}},
    "request_id": "c6af9ac6-7b61-4e19-8a41-93e8deadbeef",
    "created_at": "2026-03-10T09:00:00.000Z",
    "previous_hash": None,
    "hash": "14e8aa1b32d3bd39f461fba9ced597ce89c63c69cb9d142af902f831b60b0d6d",
}
_COUNTS = {"allowed": 118, "refused": 2, "rate_limited": 1, "forbidden": 1, "credits": 0}
_USAGE = {
    "granularity": "hour",
    "from": "2026-03-10T09:00:00.000Z",
    "to": "2026-03-10T10:00:00.000Z",
    "buckets": [{"at": "2026-03-10T09:00:00.000Z", **_COUNTS}],
    "routes": [{"route": "GET /boards", **_COUNTS}],
}

#: Operation → its successful response.
RESPONSES: dict[str, Any] = {
    "getMe": {
        "object": "user",
        "data": {
            "id": _USER_ID,
            "email": None,
            "created_at": None,
            "auth_mode": "api-key",
            "api_key": {
                "id": _KEY_ID,
                "name": "CI/CD pipeline",
                "scopes": ["read", "write"],
                "environment": "live",
                "expires_at": None,
                "rate_limit": 120,
                "metadata": {"team": "core"},
                "credits": None,
                "rate_limit_remaining": 119,
                "limits": None,
            },
            "token": None,
        },
    },
    "createApiKey": {
        "object": "api_key",
        "data": {**_KEY, "raw_key": "cgk_live_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6"},
        "warnings": [],
    },
    "listApiKeys": {"object": "list", "data": [_KEY], "has_more": False, "cursor": None},
    "getApiKey": {"object": "api_key", "data": _KEY},
    "revokeApiKey": {"object": "api_key_revoked", "data": {"id": _KEY_ID, "revoked": True}},
    "listAuditLog": {"object": "list", "data": [_ENTRY], "has_more": False, "cursor": None},
    "verifyAuditLog": {
        "object": "audit_verification",
        "data": {"status": "ok", "entries": 1, "first_broken_seq": None},
    },
    "getUsage": {"object": "usage", "data": _USAGE},
    "getApiKeyUsage": {"object": "usage", "data": _USAGE},
    "rotateApiKey": {"object": "api_key", "data": _ROTATED},
    "updateApiKey": {
        "object": "api_key",
        "data": {**_KEY, "enabled": False, "disabled_reason": "manual"},
        "warnings": [],
    },
    "endPreviousSecret": {"object": "api_key", "data": _KEY},
    "getOwnApiKey": {"object": "api_key", "data": _KEY},
    "revokeOwnApiKey": {"object": "api_key_revoked", "data": {"id": _KEY_ID, "revoked": True}},
    "rotateOwnApiKey": {"object": "api_key", "data": _ROTATED},
    "verifyCredential": {
        "object": "verification",
        "data": {
            "valid": True,
            "code": "valid",
            "message": None,
            "caller": {
                "user_id": _USER_ID,
                "key_id": _KEY_ID,
                "auth_mode": "api-key",
                "scopes": ["read", "write"],
                "permissions": None,
                "environment": "live",
                "metadata": {"team": "core"},
                "expires_at": None,
            },
            "rate_limit": {
                "limit": 120,
                "remaining": 119,
                "reset_at": "2026-03-10T09:01:02.000Z",
            },
            "retry_after_seconds": None,
        },
    },
    "reportLeaks": {"object": "leak_report", "data": {"received": 1}},
    "reportLeaksAsGithub": [
        {"token_hash": "0" * 64, "token_type": "chatgrid_api_key", "label": "false_positive"}
    ],
    "createToken": {
        "object": "token",
        "data": {
            "access_token": "cgt_live_…",
            "token_type": "Bearer",
            "expires_at": "2026-03-10T09:15:00.000Z",
            "scopes": ["read", "write"],
        },
    },
    "listBoards": {"object": "list", "data": [_BOARD], "has_more": False, "cursor": None},
    "createBoard": {"object": "board", "data": _BOARD},
    "getBoard": {"object": "board", "data": _BOARD},
    "updateBoard": {"object": "board", "data": {**_BOARD, "viewport_zoom": 1.5}},
    "deleteBoard": {"object": "board", "data": {"id": _BOARD_ID, "deleted": True}},
}


_TOO_SHORT = {
    "code": "too_small",
    "path": "name",
    "message": "Must contain at least 1 character(s)",
}
#: What stands in the examples where a message has a place for it.
_FILLED = {"scope": "write", "maximum": 100}
#: Code and status → the envelope.
ERRORS: dict[tuple[str, int], Any] = {}
for _kind in (
    error_table.INVALID_BODY,
    error_table.NO_UPDATES,
    error_table.INVALID_CURSOR,
    error_table.INVALID_TOKEN,
    error_table.MISSING_SCOPE,
    error_table.NOT_FOUND,
    error_table.BOARD_NOT_FOUND,
    error_table.METHOD_NOT_ALLOWED,
    error_table.KEY_LIMIT_REACHED,
    error_table.PREVIOUS_SECRET_ACTIVE,
    error_table.NAME_REUSED,
    error_table.PAYLOAD_TOO_LARGE,
    error_table.UNSUPPORTED_MEDIA_TYPE,
    error_table.RATE_LIMITED,
    error_table.CREDITS_EXHAUSTED,
    error_table.INTERNAL_ERROR,
    error_table.BAD_GATEWAY,
    error_table.UNAVAILABLE,
    error_table.GATEWAY_TIMEOUT,
):
    ERRORS[_kind.code, _kind.status] = _kind.envelope(_kind.message.format_map(_FILLED))
ERRORS["validation_error", 400]["details"] = [_TOO_SHORT]
