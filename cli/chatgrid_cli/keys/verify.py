"""``chatgrid verify``: what the gate would answer to a credential, and why, without counting.

The gate's own code decides, over readers that write nothing. The credential comes from standard
input, so that it is in no argument, no shell history and no list of processes.
"""

from __future__ import annotations

import contextlib
import getpass
import sys
from typing import Annotated, Any, TextIO

import typer

from chatgrid_auth import settings
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.jwt.verifier import build_verifier
from chatgrid_auth.adapters.keys_table.decisions import Credential
from chatgrid_auth.adapters.keys_table.glances import KeyGlances
from chatgrid_auth.adapters.keys_table.key_inventory import KeyInventory
from chatgrid_auth.adapters.rate_limits_table.glances import UserGlances, WindowGlances
from chatgrid_auth.domain import error_table
from chatgrid_auth.domain.errors import IdentityProviderUnavailable, TokenSecretUnavailable
from chatgrid_auth.domain.limits.window import JWT_RATE_LIMIT
from chatgrid_auth.domain.tokens import format as token_format
from chatgrid_auth.domain.verdicts import (
    Allowed,
    Forbidden,
    Limited,
    Refused,
    Verdict,
    assert_never,
)
from chatgrid_auth.limit_settings import METHODS, further_limits
from chatgrid_auth.services.gate.authenticate import LONGEST_CREDENTIAL, Authenticator
from chatgrid_auth.services.gate.derived_tokens import DerivedTokens
from chatgrid_auth.services.gate.metered import MeteredGate
from chatgrid_auth.services.gate.requests import Request, Routes
from chatgrid_auth.settings import jwt_settings
from chatgrid_cli.commands import command
from chatgrid_cli.errors import FAULT, USAGE, CliError
from chatgrid_cli.keys import explanations, verdicts
from chatgrid_cli.keys.selecting import Scope
from chatgrid_cli.output import Output, is_terminal
from chatgrid_cli.stacks import Stack
from chatgrid_cli.tokens.secret import StackTokenSecret
from chatgrid_cli.values import instant, now_ms


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "verify")
    def verify(
        stack: Stack,
        out: Output,
        scope: Annotated[
            Scope, typer.Option("--scope", help="The scope that the request would need.")
        ] = Scope.READ,
        permission: Annotated[
            str | None,
            typer.Option("--permission", help="The permission that it would need beside that."),
        ] = None,
        source_ip: Annotated[
            str, typer.Option("--source-ip", help="The address that it would come from.")
        ] = "",
        origin: Annotated[
            str | None, typer.Option("--origin", help="The Origin header that it would have.")
        ] = None,
        route: Annotated[
            str | None,
            typer.Option(
                "--route",
                metavar="ROUTE",
                help='The route that it would be for, as in "POST /exports": what that needs, costs'
                " and is limited to holds, in place of --scope.",
            ),
        ] = None,
        misplaced: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    ) -> None:
        """Tell what the gate would answer to the credential on standard input. Counts nothing."""
        if misplaced:
            raise CliError(
                "a credential is read from standard input and never from arguments, which stay in"
                " the shell's history: if this was one, revoke it",
                code="credential_in_arguments",
                exit_code=USAGE,
            )
        judge = Judge(stack)
        credential = read_credential()
        request = judge.request(route) if route else Request(scope.value)
        request = request.asked(source_ip, origin)
        request.permission = permission or request.permission
        facts = judge.response(credential, request, at_ms=now_ms())
        if out.as_json:
            out.document("verdict", facts)
        else:
            _show(out, facts)
        if facts["outcome"] == "fault":
            raise typer.Exit(FAULT)
        if facts["outcome"] != "allowed":
            raise typer.Exit(1)


def read_credential() -> str:
    """The credential on standard input; asked for, and not shown, on a terminal.

    Raises:
        CliError: there is none.
    """
    text = ""
    if is_terminal(sys.stdin):
        with contextlib.suppress(EOFError):  # the end of input is no credential
            text = getpass.getpass("Credential (not shown): ", stream=sys.stderr)
    else:
        text = _read_line(sys.stdin)
    credential = text.strip("\r\n ")
    scheme, _, rest = credential.partition(" ")
    if scheme.lower() == "bearer":  # the header's value, pasted whole
        credential = rest.strip(" ")
    if not credential:
        raise CliError(
            "standard input holds no credential: `chatgrid verify < FILE`",
            code="no_credential",
            exit_code=USAGE,
        )
    return credential


def _read_line(stream: TextIO | None) -> str:
    """A line; empty where the stream is closed or no text."""
    try:
        return "" if stream is None else stream.readline(2 * LONGEST_CREDENTIAL)
    except (OSError, ValueError):
        return ""


class Judge:
    """The gate of a stack, with readers in place of what counts."""

    def __init__(self, stack: Stack) -> None:
        environment = stack.environment("AuthorizerFunction")
        self._jwt = jwt_settings(environment)
        self._imported = settings.flag(environment, "ALLOW_IMPORTED_KEYS")
        transport = Boto3Transport(stack.client("dynamodb"))
        self._inventory = KeyInventory(stack.client("dynamodb"), table=stack.keys_table)
        self._keys = _Remembering(KeyGlances(transport, table=stack.keys_table))
        windows = WindowGlances(transport, table=stack.output("RateLimitsTableName"), now_ms=now_ms)
        limits = further_limits(environment)
        mapped = settings.texts_by_name(environment, "ROUTE_PERMISSIONS")
        self._routes = Routes(permissions=mapped, costs=limits.costs)
        authenticator = Authenticator(
            keys=self._keys,
            users=UserGlances(windows, limit=JWT_RATE_LIMIT),
            tokens=lambda: build_verifier(self._jwt, credentials=stack.credentials),
            derived=lambda: DerivedTokens(StackTokenSecret(stack)),
            key_tier="tier",
            jwt_tier="tier",
            limited_tier="tier",
            imported_keys=self._imported,
        )
        self._gate = MeteredGate(
            authenticator,
            windows=windows,
            owner_limit=limits.owner_limit,
            routes=limits.routes,
            limited_tier="tier",
        )

    def request(self, route: str) -> Request:
        """What is asked of a route.

        Raises:
            CliError: it is none.
        """
        method, _, resource = route.partition(" ")
        if method not in METHODS or not resource.startswith("/"):
            raise CliError('a route is like "POST /exports"', code="invalid_route", exit_code=USAGE)
        return self._routes.declared(method, resource)

    def response(self, credential: str, request: Request, *, at_ms: int) -> dict[str, Any]:
        """What the gate would say, as facts; nothing of the credential is among them."""
        scope = request.scope
        try:
            verdict = self._gate.decide(f"Bearer {credential}", request=request, now_ms=at_ms)
        except TokenSecretUnavailable:
            return {
                **verdicts.plain("fault", error_table.UNAVAILABLE, error_table.UNAVAILABLE.message),
                "scope": scope,
                "reason": "token_secret",
                "explanation": "the stack's secret for tokens cannot be read from here",
            }
        except IdentityProviderUnavailable:
            return {
                **verdicts.plain("fault", error_table.UNAVAILABLE, error_table.UNAVAILABLE.message),
                "scope": scope,
                "reason": "identity_provider",
                "explanation": "the identity provider's keys cannot be fetched from here",
            }
        known = self._keys.last
        found = {} if known is None else self._key_facts(known)
        return {
            **verdicts.of_verdict(verdict),
            "scope": scope,
            **found,
            **self._why(verdict, credential, known, at_ms=at_ms),
        }

    def _key_facts(self, known: Credential) -> dict[str, Any]:
        stored = self._inventory.find(known.key_id, owner=known.owner)
        granted = known.scopes if stored is None else stored.key.scopes
        return {
            "auth_mode": "api-key",
            "key_id": known.key_id,
            "user_id": known.owner,
            "scopes": list(granted),
            "expires_at": instant(known.expires_at_ms),
        }

    def _why(
        self, verdict: Verdict, credential: str, known: Credential | None, *, at_ms: int
    ) -> dict[str, Any]:
        match verdict:
            case Allowed():
                caller = verdict.caller
                return {
                    "reason": caller.auth_mode,
                    "explanation": "it is good, has the scope, and its limit has room",
                    "auth_mode": caller.auth_mode,
                    "user_id": caller.user_id,
                    "environment": caller.environment,
                    **({"scopes": list(caller.scopes)} if known is None else {}),
                    "expires_at": instant(caller.expires_at_ms),
                }
            case Forbidden():
                return explanations.of_forbidden(verdict)
            case Limited():
                return explanations.of_limited(verdict)
            case Refused(reason=reason):
                return {
                    "reason": reason,
                    "explanation": self._explained(reason, credential, known, at_ms=at_ms),
                }
            case _:
                assert_never(verdict)

    def _explained(
        self, reason: str, credential: str, known: Credential | None, *, at_ms: int
    ) -> str:
        if known is not None and reason == "disabled":
            stored = self._inventory.find(known.key_id, owner=known.owner)
            return explanations.of_disabled(None if stored is None else stored.key.disabled_reason)
        if known is not None:
            return explanations.of_known(known, reason=reason)
        if reason == "malformed":
            return explanations.of_malformed(credential, imported_keys=self._imported)
        if token_format.is_labelled(credential):
            return explanations.of_derived(credential)
        if reason == "unknown":
            return explanations.of_unknown()
        return explanations.of_token(credential, self._jwt, now_ms=at_ms)


class _Remembering:
    """Remembers the key that was last looked at: a refusal itself does not name it."""

    def __init__(self, glances: KeyGlances) -> None:
        self._glances = glances
        self.last: Credential | None = None

    def admit(
        self, key_hash: str, *, now_ms: int, request: Request, tag: str | None = None
    ) -> Credential | None:
        self.last = self._glances.admit(key_hash, now_ms=now_ms, request=request, tag=tag)
        return self.last


def _show(out: Output, facts: dict[str, Any]) -> None:
    style = "green" if facts["outcome"] == "allowed" else "red"
    message = "" if facts["message"] is None else f": {facts['message']}"
    status = "" if facts["outcome"] == "allowed" else f" {facts['status']}"
    out.text(f"{facts['outcome']}{status}{message}", style=style)
    out.text(f"  {facts['explanation']}")
    rest = {
        name: value
        for name, value in facts.items()
        if name not in {"outcome", "status", "message", "explanation"} and value is not None
    }
    out.facts({f"  {name}": value for name, value in rest.items()})
