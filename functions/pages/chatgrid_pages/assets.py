"""The page's files under names that tell their content: a name never means two things."""

from __future__ import annotations

import hashlib
from pathlib import Path

from chatgrid_pages.modules import join

STATIC = Path(__file__).parent / "static"

#: Our own modules become this one script; the library that they use stays a file of its own,
#: which browsers keep while ours change.
SCRIPT = "main.js"
LIBRARY = "auth-js.js"

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_HASH_CHARACTERS = 16


class Asset:
    """One file as it is served; ``name`` is all of its address."""

    __slots__ = ("content_type", "name", "text")

    def __init__(self, *, name: str, content_type: str, text: str) -> None:
        self.name = name
        self.content_type = content_type
        self.text = text


class Assets:
    """All files of the page: by the name that they are served under, and by the source's."""

    __slots__ = ("by_name", "by_source")

    def __init__(self, *, by_name: dict[str, Asset], by_source: dict[str, Asset]) -> None:
        self.by_name = by_name
        self.by_source = by_source


def read_assets(folder: Path = STATIC) -> Assets:
    """Every stylesheet, script and picture of the pages, named by its content.

    Raises:
        CannotJoin: a script imports what is not there.
    """
    files = sorted(file for file in folder.iterdir() if file.suffix in _TYPES)
    texts = {file.name: file.read_text("utf-8") for file in files}
    library = _asset(LIBRARY, texts[LIBRARY])
    script = join(texts, entry=SCRIPT, apart={LIBRARY}).replace(f"./{LIBRARY}", f"./{library.name}")
    found = {LIBRARY: library, SCRIPT: _asset(SCRIPT, script)}
    for source, text in texts.items():
        if source.endswith((".css", ".svg")):
            found[source] = _asset(source, text)
    return Assets(by_name={asset.name: asset for asset in found.values()}, by_source=found)


def _asset(source: str, text: str) -> Asset:
    file = Path(source)
    digest = hashlib.sha256(text.encode()).hexdigest()[:_HASH_CHARACTERS]
    return Asset(
        name=f"{file.stem}.{digest}{file.suffix}", content_type=_TYPES[file.suffix], text=text
    )
