"""API Gateway keys of usage plans: their names, their values, and what can go wrong with them.

ControlPlaneError
├── ControlPlaneUnavailable    API Gateway could not be asked, or failed: try later
│   └── ControlPlaneThrottled  … because the account made too many calls: try soon
├── ControlPlaneRefused        it understood and said no: trying again will not help
├── ControlPlaneConflict       it is so already, or another change is under way: look
└── KeyCeilingReached          the account holds as many keys as API Gateway allows
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from chatgrid_auth.domain import errors, keys
from chatgrid_auth.domain.identifiers import is_uuid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: API Gateway takes 20 to 128 characters; letters and digits are all that is documented. They lie
#: on the item that every decision writes, where each byte counts; 20 of them have 103 bits.
VALUE_LENGTH = 20
#: Keys in one account and Region; AWS does not raise it.
KEY_CEILING = 10_000
#: The tag of this stack's keys; its value is the stack's name. The reconciler's rights hang on it.
STACK_TAG = "chatgrid:stack"
#: How long a key must have been whole before it is used. AWS gives no figure; reports go from
#: seconds to several minutes. Waiting costs nothing, because the tier's key serves meanwhile.
ACTIVATION_DELAY_MS = 300_000

_UNBIASED_BELOW = 256 - 256 % len(keys.ALPHABET)
_DESCRIPTION = re.compile(r"ChatGrid key of user ([0-9a-f-]{36})", re.ASCII)


class ControlPlaneError(errors.Fault):
    """API Gateway did not do what was asked.

    Args:
        operation: the operation, for instance ``CreateApiKey``.
        code: API Gateway's error code, or a word of ours for a network fault.
    """

    def __init__(self, operation: str, code: str) -> None:
        super().__init__(f"{operation}: {code}")
        self.operation = operation
        self.code = code


class ControlPlaneUnavailable(ControlPlaneError):
    """API Gateway could not be asked, or failed by itself."""


class ControlPlaneThrottled(ControlPlaneUnavailable):
    """The account made too many calls; nothing was done."""


class ControlPlaneRefused(ControlPlaneError):
    """API Gateway understood the call and declined it."""


class ControlPlaneConflict(ControlPlaneError):
    """What was to be made is there already, or another change of the account is under way.

    API Gateway answers both alike (409), and only its words differ: whoever meets it looks.
    """


class KeyCeilingReached(ControlPlaneError):
    """The account holds as many API Gateway keys as it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayKey:
    """An API Gateway key as the control plane shows it. `created` is Unix seconds."""

    id: str
    name: str
    value: str = field(repr=False)
    enabled: bool
    created: float
    description: str = ""

    @property
    def owner(self) -> str | None:
        """The ChatGrid user that the key was made for, if its description still says so."""
        match = _DESCRIPTION.fullmatch(self.description)
        return match[1] if match else None


def name_of(key_id: str, *, prefix: str) -> str:
    """The name of a ChatGrid key's API Gateway key: the same whoever makes it, however often."""
    return f"{prefix}-{key_id}"


def key_id_of(name: str, *, prefix: str) -> str | None:
    """The ChatGrid key that an API Gateway key of this name serves; ``None`` for foreign names.

    A stack whose name starts with another's (``chatgrid``, ``chatgrid-dev``) is foreign to it.
    """
    key_id = name.removeprefix(f"{prefix}-")
    return key_id if key_id != name and is_uuid(key_id) else None


def description_of(owner: str) -> str:
    """What operators read next to the key in the console, and the sweep reads back."""
    return f"ChatGrid key of user {owner}"


def new_value(entropy: Callable[[int], bytes]) -> str:
    """A random value, each character equally likely, and no relation to the key it stands for.

    Args:
        entropy: gives that many random bytes; ``os.urandom`` outside tests.
    """
    characters: list[str] = []
    while len(characters) < VALUE_LENGTH:
        characters += [keys.ALPHABET[byte % 36] for byte in entropy(48) if byte < _UNBIASED_BELOW]
    return "".join(characters[:VALUE_LENGTH])


def preferred(candidates: Iterable[GatewayKey], *, value: str | None) -> GatewayKey | None:
    """Of several keys of one name, the one with this value, or else the oldest.

    Names are not unique in API Gateway: whoever looks one up must choose, and always the same.
    """
    ranked = sorted(candidates, key=lambda key: (key.value != value, key.created, key.id))
    return ranked[0] if ranked else None
