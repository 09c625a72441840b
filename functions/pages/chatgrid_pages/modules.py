"""Our ES modules joined into one script, each still in a scope of its own.

A page of seventeen files would be seventeen requests at once, each of which may start a Lambda
container: more than a new account may run. The modules keep to a few forms of ``import`` and
``export``, so joining them needs no parser; anything else is refused, not guessed at.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Mapping

_IMPORT_NAMES = re.compile(r'(?m)^import (\{[^}]+\}) from "\./([a-z-]+\.js)";$')
_IMPORT_ALL = re.compile(r'(?m)^import \* as (\w+) from "\./([a-z-]+\.js)";$')
_EXPORT = re.compile(r"(?m)^export (?=(?:async function|function|class|const) (\w+))")
_ANYTHING_ELSE = re.compile(r"(?m)^\s*(?:import\b|export\b).*$")


class CannotJoin(Exception):
    """A module imports what is not there, what imports it in turn, or in a form of its own."""


def join(sources: Mapping[str, str], *, entry: str, apart: Container[str]) -> str:
    """One script that does what loading ``entry`` as a module does.

    Args:
        sources: the modules' texts by file name.
        apart: modules that stay files of their own; they are imported as they were.

    Raises:
        CannotJoin: see there.
    """
    joined = _Joined(sources, apart)
    joined.add(entry)
    return "\n".join([*joined.imports.values(), *joined.scopes.values()])


class _Joined:
    def __init__(self, sources: Mapping[str, str], apart: Container[str]) -> None:
        self._sources = sources
        self._apart = apart
        self._under_way: list[str] = []
        self.imports: dict[str, str] = {}
        self.scopes: dict[str, str] = {}

    def add(self, module: str) -> str:
        """Add a module after those that it imports; gives the name that its exports have."""
        variable = "$" + module.removesuffix(".js").replace("-", "_")
        if module in self.scopes or module in self.imports:
            return variable
        if module in self._apart:
            self.imports[module] = f'import * as {variable} from "./{module}";'
            return variable
        if module not in self._sources or module in self._under_way:
            raise CannotJoin(" → ".join([*self._under_way, module]))
        self._under_way.append(module)
        text = _IMPORT_NAMES.sub(
            lambda found: f"const {_destructured(found[1])} = {self.add(found[2])};",
            self._sources[module],
        )
        text = _IMPORT_ALL.sub(lambda found: f"const {found[1]} = {self.add(found[2])};", text)
        exported = [found[1] for found in _EXPORT.finditer(text)]
        text = _EXPORT.sub("", text)
        if other := _ANYTHING_ELSE.search(text):
            raise CannotJoin(f"{module}: {other[0].strip()}")
        self._under_way.pop()
        self.scopes[module] = (
            f"// ---- {module}\nconst {variable} = (() => {{\n{text}\n"
            f"return {{ {', '.join(exported)} }};\n}})();\n"
        )
        return variable


def _destructured(names: str) -> str:
    """``{ a, b as c }`` of an import, as a pattern."""
    return re.sub(r"(\w+) as (\w+)", r"\1: \2", names)
