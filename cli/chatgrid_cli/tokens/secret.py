"""The stack's secret for tokens, read and replaced with the operator's own rights."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chatgrid_auth import settings
from chatgrid_auth.adapters.token_secret.held import CURRENT, PREVIOUS, secrets_of
from chatgrid_auth.domain.errors import TokenSecretUnavailable
from chatgrid_cli.errors import FAULT, CliError

if TYPE_CHECKING:
    from chatgrid_cli.stacks import Stack


class StackTokenSecret:
    """The secret of a stack, as the gate takes it.

    Args:
        stack: the stack.
    """

    def __init__(self, stack: Stack) -> None:
        self._client = stack.client("secretsmanager")
        try:
            self._arn = settings.secret(stack.environment("AuthorizerFunction"), "TOKEN_SECRET_ARN")
        except settings.SettingError as error:
            raise CliError(
                f"{error} in the authorizer", code="not_this_template", exit_code=FAULT
            ) from None

    def accepted(self, now_ms: int) -> tuple[bytes, ...]:  # noqa: ARG002 - it is read each time
        """The secrets that tokens may have been made with, the current one first.

        Raises:
            TokenSecretUnavailable: they cannot be read.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as in stacks

        try:
            return secrets_of(self._kept()[0])
        except (BotoCoreError, ClientError, TypeError, ValueError):
            # Without the cause: it may quote the secret.
            raise TokenSecretUnavailable("the operator cannot read it") from None

    def is_overdue(self, now_ms: int) -> bool:  # noqa: ARG002 - it is read each time
        """Never: what was read a moment ago is what holds."""
        return False

    def made_ms(self) -> int | None:
        """When the current one took the place of one that is still accepted, in Unix milliseconds.

        ``None`` where none but the current one is accepted.
        """
        kept, made_ms = self._kept()
        return made_ms if kept.get(PREVIOUS) else None

    def replace(self, new: str, *, overlap: bool) -> None:
        """Make this the current one.

        Args:
            overlap: whether the former stays accepted.
        """
        kept, _ = self._kept()
        former = kept[CURRENT] if overlap else ""
        text = json.dumps({CURRENT: new, PREVIOUS: former})
        self._client.put_secret_value(SecretId=self._arn, SecretString=text)

    def _kept(self) -> tuple[dict[str, Any], int]:
        told = self._client.get_secret_value(SecretId=self._arn)
        kept = json.loads(told["SecretString"])
        secrets_of(kept)
        return kept, int(told["CreatedDate"].timestamp() * 1_000)
