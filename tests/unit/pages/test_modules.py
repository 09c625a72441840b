"""Joining modules keeps what they do, and refuses what it does not understand."""

from __future__ import annotations

import re

import pytest

from chatgrid_pages.assets import LIBRARY, SCRIPT, STATIC
from chatgrid_pages.modules import CannotJoin, join

MAIN = """\
import * as greeting from "./say-hello.js";
import { NAME, shout as loudly } from "./words.js";
import { Client } from "./library.js";

console.log(loudly(greeting.hello(NAME)), new Client());
"""
GREETING = """\
import { shout } from "./words.js";

export async function hello(name) {
  return shout(name);
}
export class Greeter {}
"""
WORDS = """\
const HIDDEN = "!";

export const NAME = "Ada";
export function shout(text) {
  return text + HIDDEN;
}
"""
SOURCES = {"main.js": MAIN, "say-hello.js": GREETING, "words.js": WORDS}


def joined(**changed: str) -> str:
    sources = {**SOURCES, **{f"{name}.js": text for name, text in changed.items()}}
    return join(sources, entry="main.js", apart={"library.js"})


def test_each_module_is_there_once_after_those_that_it_imports() -> None:
    assert re.findall(r"^// ---- (\S+)$", joined(), re.MULTILINE) == [
        "words.js",
        "say-hello.js",
        "main.js",
    ]


def test_each_module_keeps_its_own_scope_and_gives_out_its_exports_only() -> None:
    script = joined()
    assert "return { NAME, shout };\n})();" in script
    assert "return { hello, Greeter };\n})();" in script
    assert "HIDDEN }" not in script
    assert script.count("(() => {") == script.count("})();") == 3


def test_imports_become_constants_whatever_their_form() -> None:
    script = joined()
    assert "const greeting = $say_hello;" in script
    assert "const { NAME, shout: loudly } = $words;" in script
    assert "const { Client } = $library;" in script


def test_what_stays_a_file_of_its_own_is_imported_at_the_top() -> None:
    assert joined().splitlines()[0] == 'import * as $library from "./library.js";'


@pytest.mark.parametrize(
    "line",
    [
        "export default function () {}",
        'export { shout } from "./words.js";',
        "export let changes = 1;",
        'import words from "./words.js";',
        'import "./words.js";',
        "import { shout } from './words.js';",
        'import { shout } from "https://elsewhere.example/words.js";',
    ],
)
def test_a_form_that_is_not_understood_is_refused_not_guessed_at(line: str) -> None:
    with pytest.raises(CannotJoin, match=r"^words\.js: "):
        joined(words=f"{WORDS}\n{line}\n")


def test_an_import_of_nothing_is_named_with_the_way_there() -> None:
    with pytest.raises(CannotJoin, match=r"main\.js → gone\.js"):
        joined(main='import { x } from "./gone.js";\n')


def test_a_circle_is_refused() -> None:
    with pytest.raises(CannotJoin, match=r"words\.js → say-hello\.js → words\.js"):
        joined(words='import { hello } from "./say-hello.js";\n')


def test_every_module_of_the_page_is_in_its_script() -> None:
    sources = {file.name: file.read_text("utf-8") for file in STATIC.glob("*.js")}
    script = join(sources, entry=SCRIPT, apart={LIBRARY})
    assert set(re.findall(r"^// ---- (\S+)$", script, re.MULTILINE)) == set(sources) - {LIBRARY}
