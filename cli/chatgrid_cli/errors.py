"""Why a command could not do what it was asked, in one line each, with what to do about it."""

from __future__ import annotations

from collections.abc import Collection

from chatgrid_auth.domain.errors import (
    ChatGridError,
    IdentityProviderUnavailable,
    StoreUnavailable,
)
from chatgrid_auth.domain.key_errors import (
    KeyDisabled,
    KeyExpired,
    KeyLimitReached,
    KeyRotatedMeanwhile,
    NoPreviousSecret,
    NotFound,
    PreviousSecretActive,
)
from chatgrid_auth.services.key_rules import InvalidKey, KeyProblem

#: Exit codes. 130 besides, for Ctrl-C, as shells have it.
REFUSED, USAGE, FAULT, INTERRUPTED = 1, 2, 3, 130

#: AWS's and boto3's words for what operators meet: codes, ours, and what to tell.
_MEANINGS = (
    (
        {"NoCredentialsError", "PartialCredentialsError"},
        "no_credentials",
        "there are no AWS credentials here: sign in, or name a profile with --profile;"
        " for the stack of `make dev`, say --local",
    ),
    (
        {"NoRegionError"},
        "no_region",
        "no AWS Region is set: name one with --region; for the stack of `make dev`, say --local",
    ),
    (
        {"InvalidRegionError"},
        "bad_region",
        "this cannot be an AWS Region: name one like eu-central-1 with --region",
    ),
    ({"ProfileNotFound"}, "no_profile", "your AWS configuration has no such profile"),
    (
        {"EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError"}
        | {"ConnectionClosedError", "ProxyConnectionError", "SSLError"},
        "unreachable",
        "{operation} cannot be reached: is the network there?",
    ),
    (
        {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"},
        "access_denied",
        "your AWS credentials may not call {operation}",
    ),
    (
        {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidClientTokenId"}
        | {"UnrecognizedClientException", "InvalidSignatureException", "UnauthorizedSSOTokenError"}
        | {"SSOTokenLoadError", "TokenRetrievalError", "CredentialRetrievalError"},
        "credentials_refused",
        "AWS does not take your credentials: sign in again",
    ),
    (
        {"ResourceNotFoundException"},
        "not_there",
        "{operation} found nothing there: is the stack complete, or being deleted?",
    ),
)


#: Errors of ours that are told in the same words whatever led to them: text and code.
_FIXED: dict[type[ChatGridError], tuple[str, str]] = {
    NotFound: ("there is no such key", "not_found"),
    NoPreviousSecret: ("this key has no previous secret", "not_found"),
    PreviousSecretActive: (
        "its previous secret still works: wait, or say --force to end it",
        "previous_secret_active",
    ),
    KeyDisabled: ("this key is disabled", "conflict"),
    KeyExpired: ("this key has expired", "conflict"),
    KeyRotatedMeanwhile: ("this key was rotated meanwhile; nothing was changed", "conflict"),
}


#: Fields of a key, and the options that give them. The two of its credits are told apart below.
_OPTIONS = {
    "name": "--name",
    "scopes": "--scope",
    "rate_limit": "--rate-limit",
    "expires_at": "--expires",
    "environment": "--environment",
    "kind": "--kind",
    "self_rotation": "--self-rotation",
    "metadata": "--metadata",
    "allowed_ips": "--allow-ip",
    "allowed_origins": "--origin",
    "permissions": "--permission",
}


class CliError(Exception):
    """A command ends here.

    Args:
        text: what is wrong, for a person.
        code: a stable word for it, for a program.
        exit_code: what the process ends with.
    """

    def __init__(self, text: str, *, code: str, exit_code: int = REFUSED) -> None:
        super().__init__(text)
        self.text = text
        self.code = code
        self.exit_code = exit_code


def error_of(error: Exception, *, options: Collection[str] = ()) -> CliError | None:
    """What an expected error means to an operator; ``None`` for one that nobody expects.

    Args:
        options: those of the command that failed, by which it tells of a key's fields.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # loaded when needed

    if isinstance(error, CliError):
        return error
    if isinstance(error, ChatGridError):
        return _of_ours(error, options)
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "Unknown")
        return _of_aws(error.operation_name, code)
    if isinstance(error, BotoCoreError):
        return _of_aws("AWS", type(error).__name__)
    return None


def _of_ours(error: ChatGridError, options: Collection[str]) -> CliError | None:
    if isinstance(error, InvalidKey):
        told = "; ".join(_of_problem(problem, options) for problem in error.problems)
        return CliError(told, code="validation_error")
    if type(error) in _FIXED:
        text, code = _FIXED[type(error)]
        return CliError(text, code=code)
    if isinstance(error, KeyLimitReached):
        return CliError(
            f"this user holds {error.maximum} keys, as many as allowed:"
            " revoke one, or raise the parameter KeysPerUser",
            code="conflict",
        )
    if isinstance(error, StoreUnavailable):
        return _of_aws(error.operation, error.code)
    if isinstance(error, IdentityProviderUnavailable):
        return _fault("the identity provider does not answer", "service_unavailable")
    return None


def _of_problem(problem: KeyProblem, options: Collection[str]) -> str:
    """A rule that a key breaks, by the option that gave the field, if the command has one."""
    field, _, place = problem.path.partition(".")
    if field == "credits":
        option = "--credits" if place == "remaining" else "--refill"
    else:
        option = _OPTIONS.get(field, "")
    if option not in options:
        return f"{problem.path}: {problem.message}"
    number = f" (no. {int(place) + 1})" if place.isdecimal() else ""
    return f"{option}{number}: {problem.message}"


def _of_aws(operation: str, code: str) -> CliError:
    for codes, word, text in _MEANINGS:
        if code in codes:
            return _fault(text.format(operation=operation), word)
    return _fault(f"{operation} failed with {code}", "aws_error")


def _fault(text: str, code: str) -> CliError:
    return CliError(text, code=code, exit_code=FAULT)
