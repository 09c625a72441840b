"""Which of an owner's keys a list shows."""

from __future__ import annotations

from dataclasses import dataclass

ACTIVE, REVOKED, ALL = "active", "revoked", "all"
STATUSES = (ACTIVE, REVOKED, ALL)
LONGEST_PREFIX = 13


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFilters:
    """What a list is narrowed to; ``None`` narrows nothing.

    Attributes:
        status: ``active`` (not revoked; disabled and expired ones are), ``revoked`` or ``all``.
        environment: ``live`` or ``test``.
        name: what the name contains, without regard to case.
        prefix: what the key's prefix begins with.
    """

    status: str = ACTIVE
    environment: str | None = None
    name: str | None = None
    prefix: str | None = None

    @property
    def narrow(self) -> bool:
        """Whether keys of the status may be left out."""
        return any(one is not None for one in (self.environment, self.name, self.prefix))

    def take(self, *, name: str, prefix: str, environment: str) -> bool:
        """Whether a key that looks like this is shown, whatever its status is."""
        return (
            (self.environment is None or environment == self.environment)
            and (self.name is None or self.name.casefold() in name.casefold())
            and (self.prefix is None or prefix.startswith(self.prefix))
        )

    def take_status(self, *, revoked: bool) -> bool:
        """Whether a key is shown that has been revoked, or has not."""
        return self.status == ALL or revoked == (self.status == REVOKED)


#: An owner's keys that are not revoked, all of them.
NO_FILTERS = KeyFilters()
