"""What was reported, kept as hashes alone: no credential goes into a queue or a log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chatgrid_auth.domain import keys
from chatgrid_auth.domain.tokens import format as token_format

#: How many strings one report may hold.
MOST_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One credential that was found somewhere.

    Attributes:
        secret_hash: the SHA-256 of the secret, in hex; of a derived token, the hash that its key
            lies under and, after a full stop, the tag of the secret that made it.
        url: where it was found, if that was told.
    """

    secret_hash: str
    url: str | None = None


def hash_of_reported(text: str, *, imported: bool = False) -> str | None:
    """The hash under which the store would have this credential; ``None`` for what is none.

    The form alone decides, which anybody can check: it tells nothing of what exists. This is the
    one place that knows which forms may be reported. A token's own end is of no weight: the secret
    that made it may have leaked with it.

    Args:
        imported: whether keys that another system issued are looked up.
    """
    text = text.strip()
    token = token_format.parts_of(text)
    if token is not None:
        # Its MAC is not looked at: a forged one names a key that its maker had a token of.
        return ".".join(token_format.key_of(token))
    if keys.is_well_formed(text) or (imported and keys.could_be_imported(text)):
        return keys.hash_of(text)
    return None


def hashes_of(texts: Iterable[str], *, imported: bool = False) -> list[str]:
    """The hashes of what may be a credential, each once, in their order."""
    found = (hash_of_reported(text, imported=imported) for text in texts)
    return list(dict.fromkeys(one for one in found if one is not None))
