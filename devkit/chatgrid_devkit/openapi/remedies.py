"""Each error that a client can meet, and what its reader can do about it."""

from __future__ import annotations

from chatgrid_auth.domain import error_table, verdicts
from chatgrid_auth.domain.context import PLAN_FAULT
from chatgrid_auth.domain.error_table import ErrorKind

_LATER = "Nothing is wrong with your request or your credential. Wait for `Retry-After`, then send "
_OURS = (
    "The fault is on this side. A GET may be sent again at once; look whether a change was made "
)

#: In the order in which a reader looks them up: by status, and as `error_table` has them.
REMEDIES: tuple[tuple[ErrorKind, str], ...] = (
    (
        error_table.INVALID_BODY,
        "Each entry of `details` names a field (`path`) and the rule that it breaks; mend them all "
        "and send it again. `unrecognized_key` is a field that this route does not take.",
    ),
    (error_table.INVALID_QUERY, "As above, for what stands behind the `?` of the address."),
    (error_table.INVALID_HEADER, "As above; `path` is the header's name."),
    (
        error_table.INVALID_CURSOR,
        "Send the `cursor` of the page before exactly as it came, or begin again without one.",
    ),
    (error_table.NO_UPDATES, "Name at least one field to change."),
    (
        error_table.INVALID_TOKEN,
        "Send exactly one header `Authorization: Bearer <credential>` (not `x-api-key`), and look "
        "whether the whole key was copied: a mistyped one, one of another deployment and one that "
        "nobody ever made are all answered like this. A session that has ended: sign in again.",
    ),
    (error_table.REVOKED, "This key, or this secret of it, is dead for good. Use another."),
    (
        ErrorKind(401, "unauthorized", verdicts.DISABLED),
        "Its owner, or the operator, can enable it again. Look first why it was disabled: "
        "`disabled_reason` is `exposed` for a key that leaked; rotate that one before.",
    ),
    (error_table.EXPIRED, "Its owner can give it a later expiry, or make another."),
    (
        error_table.MISSING_SCOPE,
        "Use a key that has the scope which the message names, or have it added to this one.",
    ),
    (
        error_table.MISSING_PERMISSION,
        "The key is limited by `permissions`. Have the one that the message names added to it.",
    ),
    (
        error_table.WRONG_ADDRESS,
        "The key is limited by `allowed_ips`. Call from one of these addresses, or have yours "
        "added.",
    ),
    (
        error_table.WRONG_ORIGIN,
        "A publishable key works on the pages in its `allowed_origins` only. Have the page's "
        "origin added; outside of browsers use a secret key.",
    ),
    (
        error_table.BEYOND_OWN_PERMISSIONS,
        "A key gives none what it has not itself. Ask for `permissions` within its own, or use a "
        "key or session without that limit.",
    ),
    (
        error_table.SELF_ROTATION,
        "Have its owner set `self_rotation`, or rotate it with an `admin` credential.",
    ),
    (error_table.TOKEN_MAKES_NONE, "Make it with the key itself."),
    (error_table.NOT_WITH_A_TOKEN, "Use the key itself: a token can only look at its key."),
    (
        error_table.ACCESS_DENIED,
        "The deployment refuses this request before it looks at its credential. Ask the operator.",
    ),
    (
        ErrorKind(403, PLAN_FAULT["code"], PLAN_FAULT["message"]),
        "Nothing is wrong with your credential. Try again in a few minutes; if it stays, tell the "
        "operator.",
    ),
    (
        error_table.NOT_FOUND,
        "Look at the path and the id. What belongs to somebody else is answered in the same way; "
        "so is `/me/api-key` for who has no key in hand.",
    ),
    (error_table.BOARD_NOT_FOUND, "Look at the id; it may have been deleted, or be another's."),
    (error_table.METHOD_NOT_ALLOWED, "Use one of the methods that the header `Allow` names."),
    (
        error_table.KEY_LIMIT_REACHED,
        "Revoke a key that is no longer used (expired ones count until then), or ask the operator "
        "for more.",
    ),
    (
        error_table.PREVIOUS_SECRET_ACTIVE,
        "Wait for the grace to end, end it (`DELETE …/previous-secret`), or send `force: true`, "
        "which ends it at once.",
    ),
    (error_table.KEY_DISABLED, "Enable the key first."),
    (error_table.KEY_EXPIRED, "Give the key a later expiry first."),
    (error_table.KEY_IS_CANARY, "A trap is not rotated. Make another and revoke this one."),
    (
        error_table.KEY_ROTATED_MEANWHILE,
        "Look at the key: somebody else has just rotated it. Rotate again if you mean it.",
    ),
    (
        error_table.STILL_RUNNING,
        "The first request with this `Idempotency-Key` is at work. Wait for `Retry-After`, then "
        "send it again as it was.",
    ),
    (error_table.PAYLOAD_TOO_LARGE, "Send at most 64 KiB."),
    (
        error_table.UNSUPPORTED_MEDIA_TYPE,
        "Send JSON in UTF-8 with the header `Content-Type: application/json`, uncompressed.",
    ),
    (
        error_table.NAME_REUSED,
        "Give another request another `Idempotency-Key`; send the same one for a repeat only.",
    ),
    (
        error_table.RATE_LIMITED,
        "Wait for `Retry-After` seconds; that is enough for one more request. `details` tells "
        "which limit it was, where it was not the key's own minute. Spread requests out by "
        "`X-RateLimit-Remaining`. Without `Retry-After`: a quota is used up, ask the operator.",
    ),
    (
        error_table.CREDITS_EXHAUSTED,
        "Have credits added to the key, or wait for `Retry-After`, which is there when a refill is "
        "due.",
    ),
    (error_table.INTERNAL_ERROR, _OURS + "before you repeat that one. Tell the operator."),
    (error_table.BAD_GATEWAY, _OURS + "before you repeat that one."),
    (error_table.UNAVAILABLE, _LATER + "it again."),
    (error_table.GATEWAY_TIMEOUT, _OURS + "before you repeat that one: it may still be under way."),
)
