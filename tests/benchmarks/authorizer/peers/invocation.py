"""What Lambda hands to a function beside the event."""

from __future__ import annotations


class Context:
    """An invocation, as Lambda describes it."""

    function_name = "authorizer"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:authorizer"
    aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"


CONTEXT = Context()
