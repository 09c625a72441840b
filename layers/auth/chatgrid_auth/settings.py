"""Settings are read once, at cold start; a missing or wrong one is named, never shown."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    T = TypeVar("T")

#: What this system can verify. Everything else (`none` first of all) does not exist here.
SUPPORTED_ALGORITHMS = ("ES256", "RS256", "EdDSA", "HS256")

_LOOPBACK_HOSTS = ("127.0.0.1", "localhost")
# The SDKs' names for the variables that move a service elsewhere.
_ENDPOINT_VARIABLES = {
    "secretsmanager": "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    "ssm": "AWS_ENDPOINT_URL_SSM",
}


class SettingError(Exception):
    """A setting is missing or unusable. The text names it and never tells its value."""


def text(environ: Mapping[str, str], name: str) -> str:
    """The setting called ``name``.

    Raises:
        SettingError: it is not set, or empty.
    """
    value = environ.get(name, "")
    if not value:
        raise SettingError(f"the environment variable {name} is not set")
    return value


def positive_integer(environ: Mapping[str, str], name: str) -> int:
    """The setting called ``name``, a whole number of at least 1.

    Raises:
        SettingError: it is not set, or no such number.
    """
    value = text(environ, name)
    if not (value.isascii() and value.isdecimal() and len(value) < 10 and int(value) > 0):
        raise SettingError(f"the environment variable {name} is not a positive whole number")
    return int(value)


def count(environ: Mapping[str, str], name: str, *, default: int = 0) -> int:
    """The setting called ``name``, a whole number from 0 on; the default when it is not set.

    Raises:
        SettingError: it is something else.
    """
    value = environ.get(name, str(default)).strip()
    if not (value.isascii() and value.isdecimal() and len(value) <= 10):
        raise SettingError(f"the environment variable {name} is not a whole number")
    return int(value)


def flag(environ: Mapping[str, str], name: str, *, default: str = "false") -> bool:
    """The setting called ``name``, ``true`` or ``false``.

    Args:
        default: what holds when it is not set; empty where it has to be.

    Raises:
        SettingError: it is something else.
    """
    value = environ.get(name, default) if default else text(environ, name)
    if value not in {"true", "false"}:
        raise SettingError(f"the environment variable {name} is neither true nor false")
    return value == "true"


def starts_ahead(environ: Mapping[str, str]) -> bool:
    """Whether this start comes ahead of the requests: a snapshot, or provisioned concurrency.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    return environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand") != "on-demand"


def texts_by_name(environ: Mapping[str, str], name: str) -> dict[str, str]:
    """The setting called ``name``, a JSON object of texts; empty when it is not set.

    Raises:
        SettingError: it is something else, or says something twice.
    """
    value = environ.get(name, "").strip()
    if not value:
        return {}
    try:
        import json  # noqa: PLC0415 - most settings are plain

        pairs = json.loads(value, object_pairs_hook=list)
    except ValueError:
        pairs = None
    found: dict[str, str] = {}
    for pair in pairs if isinstance(pairs, list) else [None]:
        if not isinstance(pair, tuple) or not isinstance(pair[1], str) or pair[0] in found:
            raise SettingError(f"the environment variable {name} is not a JSON object of texts")
        found[pair[0]] = pair[1]
    return found


def checked(name: str, check: Callable[[T], None], value: T) -> T:
    """A setting that a rule of the domain holds for.

    Raises:
        SettingError: it does not; the text says why.
    """
    try:
        check(value)
    except ValueError as broken:
        raise SettingError(f"the environment variable {name}: {broken}") from None
    return value


def log_level(environ: Mapping[str, str], name: str) -> str:
    """The setting called ``name``, one of logging's level names.

    Raises:
        SettingError: it is not set, or no level.
    """
    value = text(environ, name).upper()
    if value not in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}:
        raise SettingError(f"the environment variable {name} is not a log level")
    return value


def secret(environ: Mapping[str, str], name: str) -> str:
    """The setting called ``name``, the ARN of a secret in Secrets Manager.

    Raises:
        SettingError: it is not set, or no such ARN.
    """
    arn = text(environ, name)
    if secret_service(arn) != "secretsmanager":
        raise SettingError(f"the environment variable {name} is not the ARN of a secret")
    return arn


class JwtSettings:
    """What an operator may say about JWTs: settings that hold together.

    Args:
        supabase_url: ``https://<ref>.supabase.co``; empty = no JWT is accepted. Plain http is
            for the development issuer on loopback alone.
        audience: what ``aud`` must contain.
        algorithms: accepted algorithms, out of `SUPPORTED_ALGORITHMS`.
        secret_arn: Secrets Manager secret or SSM parameter with the legacy HS256 secret;
            empty = HS256 is off, whatever ``algorithms`` says.
        accept_anonymous: whether Supabase's anonymous users are let in.
        leeway_seconds: how far clocks may disagree, 0 to 60.
        jwks_max_age_seconds: how long the last good keys serve while the provider is down.
        endpoints: where the secret stores are, when not at their public addresses:
            service name to URL.

    Raises:
        SettingError: one of them is not usable.
    """

    __slots__ = (
        "accept_anonymous",
        "algorithms",
        "audience",
        "endpoints",
        "issuer",
        "jwks_max_age_seconds",
        "jwks_url",
        "leeway_seconds",
        "secret_arn",
    )

    def __init__(
        self,
        supabase_url: str,
        *,
        audience: str = "authenticated",
        algorithms: tuple[str, ...] = ("ES256", "RS256", "EdDSA"),
        secret_arn: str = "",
        accept_anonymous: bool = False,
        leeway_seconds: int = 5,
        jwks_max_age_seconds: int = 86_400,
        endpoints: Mapping[str, str] | None = None,
    ) -> None:
        _check(not supabase_url or _is_trustworthy(supabase_url), "SUPABASE_URL")
        _check(bool(audience), "JWT_AUDIENCE")
        _check(all(name in SUPPORTED_ALGORITHMS for name in algorithms), "JWT_ALGORITHMS")
        _check(not secret_arn or secret_service(secret_arn) is not None, "JWT_SECRET_ARN")
        _check(0 <= leeway_seconds <= 60, "JWT_LEEWAY_SECONDS")
        _check(jwks_max_age_seconds >= 1, "JWKS_MAX_AGE_SECONDS")
        base = supabase_url.rstrip("/")
        self.issuer = f"{base}/auth/v1" if base else ""
        self.jwks_url = f"{self.issuer}/.well-known/jwks.json" if base else ""
        self.audience = audience
        self.algorithms = frozenset(name for name in algorithms if name != "HS256" or secret_arn)
        self.secret_arn = secret_arn
        self.accept_anonymous = accept_anonymous
        self.leeway_seconds = leeway_seconds
        self.jwks_max_age_seconds = jwks_max_age_seconds
        self.endpoints = dict(endpoints or {})


def jwt_settings(environ: Mapping[str, str]) -> JwtSettings:
    """The settings for JWTs; whatever is not set has its default.

    Raises:
        SettingError: one of them is not usable.
    """
    return JwtSettings(
        environ.get("SUPABASE_URL", "").strip(),
        audience=environ.get("JWT_AUDIENCE", "authenticated").strip(),
        algorithms=_names(environ.get("JWT_ALGORITHMS", "ES256,RS256,EdDSA")),
        secret_arn=environ.get("JWT_SECRET_ARN", "").strip(),
        accept_anonymous=flag(environ, "JWT_ACCEPT_ANONYMOUS"),
        leeway_seconds=count(environ, "JWT_LEEWAY_SECONDS", default=5),
        jwks_max_age_seconds=count(environ, "JWKS_MAX_AGE_SECONDS", default=86_400),
        endpoints={
            service: environ[variable]
            for service, variable in _ENDPOINT_VARIABLES.items()
            if environ.get(variable)
        },
    )


def secret_service(arn: str) -> str | None:
    """``secretsmanager`` or ``ssm`` when the ARN names a secret of one of them, else ``None``."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or not parts[3]:
        return None
    if parts[2] == "secretsmanager" and parts[5].startswith("secret:"):
        return "secretsmanager"
    if parts[2] == "ssm" and parts[5].startswith("parameter/"):
        return "ssm"
    return None


def _is_trustworthy(url: str) -> bool:
    """Whether keys may be fetched from there: https, or plain http on loopback; nothing fancy."""
    scheme, separator, rest = url.partition("://")
    authority, _, path = rest.partition("/")
    if not separator or not authority or not url.isascii() or not url.isprintable():
        return False
    if any(character in url for character in " @?#\\") or "//" in path:
        return False
    host, _, port = authority.partition(":")
    if not host or (port and not (port.isdigit() and 0 < int(port) < 65_536)):
        return False
    return scheme == "https" or (scheme == "http" and host in _LOOPBACK_HOSTS)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _check(holds: bool, name: str) -> None:
    if not holds:
        raise SettingError(f"the environment variable {name} is not usable")
