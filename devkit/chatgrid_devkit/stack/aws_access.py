"""The way into an embedded AWS: where it is, and the access key that is its own.

The key is random for each state folder and stays in a file there that nobody else may read.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chatgrid_devkit.identity.issuer import write_private

REGION = "us-east-1"

_FILE = "access-key"
_SERVICES = ("DYNAMODB", "API_GATEWAY", "SECRETS_MANAGER", "SSM")


@dataclass(frozen=True, slots=True)
class AwsAccess:
    """An embedded AWS, as its clients know it.

    Attributes:
        endpoint: its URL.
        access_key: what its clients sign with; it looks at the access key id, at no signature.
    """

    endpoint: str
    access_key: str = field(repr=False)

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client of it."""
        import boto3  # noqa: PLC0415  # takes a while, and not everybody who starts it needs one

        return boto3.client(  # type: ignore[call-overload]  # the service is a variable
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=_SECRET,
            **options,
        )

    def environment(self) -> dict[str, str]:
        """The variables that point our functions at it."""
        return {
            **credentials(self.access_key),
            **{f"AWS_ENDPOINT_URL_{service}": self.endpoint for service in _SERVICES},
        }


_SECRET = "local"  # noqa: S105  # no signature is checked


def credentials(access_key: str) -> dict[str, str]:
    """The variables from which every client of AWS takes its credentials and region."""
    return {
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": _SECRET,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }


def new_access_key() -> str:
    """A random access key of 128 bits."""
    return f"LOCAL{secrets.token_hex(16).upper()}"


def kept_access_key(state: Path) -> str:
    """The access key of a state folder, made when there is none."""
    file = state / _FILE
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        write_private(file, made := new_access_key())
        return made
