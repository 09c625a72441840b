"""What a path names."""

from __future__ import annotations

from chatgrid_auth.domain.identifiers import canonical_id
from chatgrid_auth.http_api.problems import not_found


def key_id_of(text: str) -> str:
    """The id in a path; what can be none is as unknown as any other."""
    key_id = canonical_id(text)
    if key_id is None:
        raise not_found()
    return key_id
