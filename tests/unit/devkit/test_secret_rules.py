"""The scanners' rules find every key that is ever made, and not what only looks like one."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from chatgrid_auth.domain import keys
from chatgrid_devkit import secret_rules
from tests.support.tokens import token_of

ROOT = Path(__file__).parents[3]
EXAMPLE = "cgk_live_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6"
SURROUNDINGS = ["{}", "key={}", '"{}"', "Bearer {}\n", "({})", "https://x/?k={}&y", "é{}é", "a {}."]


def key() -> str:
    return keys.generate(keys.ENVIRONMENTS[os.urandom(1)[0] & 1], entropy=os.urandom)


def github_page() -> str:
    return (ROOT / secret_rules.FOLDER / "github.md").read_text("utf-8")


def expressions() -> dict[str, str]:
    """Each scanner's expression, read from the file that is handed out."""
    folder = ROOT / secret_rules.FOLDER
    (rule,) = tomllib.loads((folder / "gitleaks.toml").read_text("utf-8"))["rules"]
    (detector,) = yaml.safe_load((folder / "trufflehog.yaml").read_text("utf-8"))["detectors"]
    rows = re.findall(r"^(\w+ secret|Secret format)\n\n    (.+)$", github_page(), re.MULTILINE)
    github = "(?:{Before secret})({Secret format})(?=(?:{After secret}))".format(**dict(rows))
    return {
        "gitleaks": rule["regex"],
        "trufflehog": detector["regex"]["key"],
        "github": github.replace(r"\z", r"\Z"),  # Python's name for the end
    }


EXPRESSIONS = expressions()


def test_the_files_are_in_step_with_the_key_format() -> None:
    for name, content in secret_rules.files().items():
        on_disk = (ROOT / secret_rules.FOLDER / name).read_text("utf-8")
        assert on_disk == content, "run: .venv/bin/python -m chatgrid_devkit.secret_rules write"


def of_each_kind() -> list[str]:
    """A publishable key, and a token of one to four networks."""
    publishable = keys.generate("test", entropy=os.urandom, kind=keys.PUBLISHABLE)
    networks = ("2001:db8::/32",) * (os.urandom(1)[0] % 5)
    return [publishable, token_of(publishable, allowed_ips=networks)]


@pytest.mark.parametrize("scanner", EXPRESSIONS)
def test_every_key_is_found_whatever_stands_around_it(scanner: str) -> None:
    for made in [made for _ in range(200) for made in (key(), *of_each_kind())]:
        for around in SURROUNDINGS:
            if scanner != "github" and around.startswith("é"):
                continue  # a word boundary is one of ASCII there, and of Unicode in Python
            assert re.findall(EXPRESSIONS[scanner], around.format(made)) == [made]


@pytest.mark.parametrize("scanner", EXPRESSIONS)
def test_what_only_looks_like_a_key_is_not_found(scanner: str) -> None:
    made = key()
    body = made[9:]
    look_alikes = [
        made[:-1],
        made + "a",
        made + "_",
        "x" + made,
        "_" + made,
        made.upper(),
        made.replace("cgk_", "cgk-"),
        "sk_live_" + body,
        "cgk_prod_" + body,
        "cgk_live_" + "x" * 32,
        f"cgk_live_{'0' * 25}zzzzzzz",
        "cgk_live_",
        "cgk_live_<your key>",
        made[:20] + " " + made[20:],
        made[:13],
        "a" * 64,
        "cgt_live_" + "0" * 153,
        "cgt_live_" + "g" * 154,
        EXAMPLE,
    ]
    for text in look_alikes:
        assert re.findall(EXPRESSIONS[scanner], text) == [], "a look-alike was found"


def test_every_key_has_a_keyword_that_scanners_look_for_first() -> None:
    for _ in range(50):
        assert key().startswith(secret_rules.KEYWORDS)


def test_a_found_key_differs_from_a_lookalike_by_its_checksum() -> None:
    made = key()
    other = made[:9] + ("b" if made[9] == "a" else "a") + made[10:]
    assert secret_rules.found_in(f"{made} {other}") == [made, other]
    assert [keys.is_well_formed(text) for text in (made, other)] == [True, False]


def test_the_sample_is_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert secret_rules.main(["sample"]) == 0
    assert keys.is_well_formed(capsys.readouterr().out.strip())
    assert secret_rules.main([]) == 2


def test_the_files_are_written_as_they_are_kept(tmp_path: Path) -> None:
    secret_rules.write(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == set(secret_rules.files())


def test_no_file_of_the_project_holds_a_key() -> None:
    # What the sources, docs and events hold is made up, and each is known by its word.
    skipped = {".venv", ".git", "node_modules", ".aws-sam", ".devkit"}
    for folder in ("layers", "functions", "devkit", "docs", "events", "dashboard", "tests"):
        for file in (ROOT / folder).rglob("*"):
            if not file.is_file() or skipped & set(file.parts) or file.suffix in {".png", ".pyc"}:
                continue
            found = secret_rules.found_in(file.read_text("utf-8", errors="replace"))
            real = [text for text in found if keys.is_well_formed(text) and "event" not in text]
            assert not real, f"{file.relative_to(ROOT)} holds an API key"
