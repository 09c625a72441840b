"""Where this process finds its AWS credentials: in its environment, or at an endpoint."""

from __future__ import annotations

from chatgrid_auth.adapters.awslite.credentials import CredentialsUnavailable, fixed_credentials

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from chatgrid_auth.adapters.awslite.credentials import CredentialSource


def credentials_from(environ: Mapping[str, str]) -> CredentialSource:
    """The source of credentials that this environment provides.

    Args:
        environ: the function's environment; kept, where it names an endpoint.

    Raises:
        CredentialsUnavailable: it provides none.
    """
    fixed = fixed_credentials(environ)
    if fixed is not None:
        return fixed
    for name in ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        if environ.get(name):
            # Ordinary functions never need it, so they do not load it.
            from chatgrid_auth.adapters.awslite.container_credentials import (  # noqa: PLC0415
                ContainerCredentials,
            )

            return ContainerCredentials(environ)
    raise CredentialsUnavailable(
        "neither AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY"
        " nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set"
    )
