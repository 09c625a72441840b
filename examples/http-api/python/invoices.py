"""Invoices: a plain function behind the guard, for REST APIs and HTTP APIs alike."""

import json
import os

from chatgrid_auth.guard import guarded


@guarded(allow_origin=os.environ["ALLOWED_ORIGIN"])
def handler(event, context, caller):
    """Tell whose invoices these would be."""
    body = {"invoices_of": caller.user_id, "with": caller.key_id, "may": caller.scopes}
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(body),
    }
