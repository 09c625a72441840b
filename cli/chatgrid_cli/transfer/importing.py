"""From lines to keys: each line gets exactly one outcome, and each key is made at most once.

What is there already is left as it is, so an import that was interrupted, or whose bad lines were
mended, is run again as it was.

An id is one key's in the whole stack, whoever owns it: the work for the usage plans and the API
Gateway key go by the id alone. New ids are random; only a line that brings its own can name one
that exists. So the first such line has all ids of the stack read, revoked keys' included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice

from chatgrid_auth.adapters.dynamodb.batch_read import MOST_AT_ONCE
from chatgrid_auth.adapters.keys_table.key_inventory import Holder
from chatgrid_auth.domain.credentials import ApiKey
from chatgrid_auth.domain.key_errors import KeyExists, KeyLimitReached
from chatgrid_auth.services.key_import import ImportedKey
from chatgrid_cli.transfer.lines import Line

#: A key was made.
CREATED = "created"
#: A dry run's word for a key that would have been made.
WOULD_CREATE = "would_create"
#: The key was there already, and was left as it is.
EXISTING = "existing"
#: The line is no key that could be imported.
REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a line. ``code`` and ``problem`` are there for refused ones."""

    line: int
    outcome: str
    key_id: str | None = None
    code: str | None = None
    problem: str | None = None


class Importer:
    """Imports lines.

    Args:
        holders: tells whose the keys under up to a hundred hashes are.
        hashes_by_id: reads every id that there is or was, with the hash of its key.
        adopt: makes a key; ``None`` for a dry run.
    """

    def __init__(
        self,
        *,
        holders: Callable[[list[str]], dict[str, Holder]],
        hashes_by_id: Callable[[], dict[str, str]],
        adopt: Callable[[ImportedKey], ApiKey] | None,
    ) -> None:
        self._holders = holders
        self._hashes_by_id = cache(hashes_by_id)
        self._adopt = adopt
        self._hashes: dict[bytes, int] = {}
        self._ids: dict[str, int] = {}

    def run(self, lines: Iterable[Line]) -> Iterator[Outcome]:
        """The outcome of each line, in order, as soon as it is known.

        Raises:
            Fault: the store is out. The lines whose outcome was given are done.
        """
        pending = iter(lines)
        while chunk := list(islice(pending, MOST_AT_ONCE)):
            hashes = list(dict.fromkeys(line.key.hash for line in chunk if line.key is not None))
            held = self._holders(hashes) if hashes else {}
            for line in chunk:
                yield self._one(line, held)

    def _one(self, line: Line, held: dict[str, Holder]) -> Outcome:
        key = line.key
        if key is None:
            return Outcome(line=line.number, outcome=REFUSED, code=line.code, problem=line.problem)
        repeated = self._repeated(line, key)
        if repeated is not None:
            return repeated
        if key.hash in held:
            return _existing(line, key, held[key.hash])
        if key.id is not None and self._hashes_by_id().get(key.id, key.hash) != key.hash:
            return _id_taken(line)
        if self._adopt is None:
            return Outcome(line=line.number, outcome=WOULD_CREATE, key_id=key.id)
        return self._make(line, key, self._adopt)

    def _repeated(self, line: Line, key: ImportedKey) -> Outcome | None:
        """The refusal of a line that names the hash or the id of an earlier one."""
        earlier = self._hashes.setdefault(bytes.fromhex(key.hash), line.number)
        if earlier != line.number:
            return _refused(line, "duplicate_hash", f"the same hash as in line {earlier}")
        if key.id is not None:
            earlier = self._ids.setdefault(key.id, line.number)
            if earlier != line.number:
                return _refused(line, "duplicate_id", f"the same id as in line {earlier}")
        return None

    def _make(
        self, line: Line, key: ImportedKey, adopt: Callable[[ImportedKey], ApiKey]
    ) -> Outcome:
        try:
            made = adopt(key)
        except KeyLimitReached as reached:
            return _refused(
                line, "key_limit", f"the owner holds {reached.maximum} keys, as many as allowed"
            )
        except KeyExists:
            holder = self._holders([key.hash]).get(key.hash)  # somebody else was faster
            if holder is None:
                return _id_taken(line)
            return _existing(line, key, holder)
        return Outcome(line=line.number, outcome=CREATED, key_id=made.id)


def _existing(line: Line, key: ImportedKey, holder: Holder) -> Outcome:
    if holder.owner != key.owner:
        return _refused(line, "other_owner", "there is a key with this hash, of another owner")
    return Outcome(line=line.number, outcome=EXISTING, key_id=holder.key_id)


def _id_taken(line: Line) -> Outcome:
    return _refused(line, "duplicate_id", "another key has this id")


def _refused(line: Line, code: str, problem: str) -> Outcome:
    return Outcome(line=line.number, outcome=REFUSED, code=code, problem=problem)
