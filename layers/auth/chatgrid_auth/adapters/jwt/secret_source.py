"""The legacy HS256 secret, read from where the operator keeps it and never from a setting.

One signed request with the authorizer's own signer. boto3 would serve as well, at twenty times
the import of all the rest, for one call in five minutes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.awslite.credentials import CredentialsUnavailable
from chatgrid_auth.adapters.awslite.fetch import JsonService, fetch
from chatgrid_auth.adapters.awslite.http_response import HttpFault
from chatgrid_auth.adapters.awslite.urls import public_endpoint
from chatgrid_auth.adapters.jwt.key_set import KeySet
from chatgrid_auth.domain.errors import IdentityProviderUnavailable
from chatgrid_auth.settings import secret_service

if TYPE_CHECKING:
    from chatgrid_auth.adapters.awslite.credentials import CredentialSource

#: In a secret that is a JSON object, as the console's form makes them, the member that counts.
JSON_MEMBER = "jwt_secret"


class SecretSource:
    """Reads one secret of Secrets Manager, or one SecureString parameter of SSM.

    Args:
        arn: which one.
        credentials: what to sign with; ``secretsmanager:GetSecretValue`` or ``ssm:GetParameter``.
        endpoints: service name to URL, where it is not the public one.
    """

    def __init__(
        self, arn: str, *, credentials: CredentialSource, endpoints: Mapping[str, str]
    ) -> None:
        service = secret_service(arn)
        if service is None:
            raise ValueError("not the ARN of a secret or of a parameter")
        self._arn = arn
        self._service = service
        region = arn.split(":")[3]
        self._store = JsonService(
            service,
            region=region,
            url=endpoints.get(service) or public_endpoint(service, region),
            credentials=credentials,
            post=fetch,
        )

    def load(self, now_ms: int) -> KeySet:
        """The secret as the only key of a set.

        Raises:
            IdentityProviderUnavailable: it cannot be read, or cannot be a JWT secret.
        """
        try:
            response = json.loads(self._ask(now_ms))
            from chatgrid_auth.adapters.jwt.verification_keys import (  # noqa: PLC0415 - PyJWT
                shared_secret,
            )

            return KeySet([shared_secret(_plain(self._value(response)))])
        except CredentialsUnavailable as error:
            raise IdentityProviderUnavailable("no credentials for the secret store") from error
        except HttpFault as fault:
            raise IdentityProviderUnavailable(f"no JWT secret: {fault.code}") from None
        except (ValueError, KeyError, TypeError, RecursionError):
            # Without the cause: it may quote the secret.
            raise IdentityProviderUnavailable("the JWT secret is not usable") from None

    def _ask(self, now_ms: int) -> bytes:
        if self._service == "ssm":
            target = "AmazonSSM.GetParameter"
            question: dict[str, Any] = {"Name": self._arn, "WithDecryption": True}
        else:
            target = "secretsmanager.GetSecretValue"
            question = {"SecretId": self._arn}
        return self._store.call(target, question, now_ms=now_ms)

    def _value(self, response: Any) -> Any:
        return (
            response["Parameter"]["Value"] if self._service == "ssm" else response["SecretString"]
        )


def _plain(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    if value.lstrip().startswith("{"):
        return _plain(json.loads(value)[JSON_MEMBER])
    return value.strip()
