"""Rules for secret scanners, made from the formats themselves, so that they cannot differ.

They find secret keys, publishable keys and derived tokens. (A publishable key in a page is where it
belongs: let the scanner pass over ``cgp_`` there.)

``python -m chatgrid_devkit.secret_rules write`` writes docs/secret-scanning/ again;
``sample`` prints a key that exists nowhere, to try a rule with.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from chatgrid_auth.domain import keys
from chatgrid_auth.domain.tokens import format as token_format

FOLDER = Path("docs/secret-scanning")
#: What a scanner looks for before it runs the expression.
KEYWORDS = tuple(
    f"{scheme}{environment}_"
    for scheme in (*dict.fromkeys(keys.SCHEMES.values()), token_format.SCHEME)
    for environment in keys.ENVIRONMENTS
)
#: A CRC-32 has 32 bits, which the digits of the checksum could exceed: the first one cannot.
_FIRST_DIGITS = keys.ALPHABET[: (2**32 - 1) // len(keys.ALPHABET) ** (keys.CHECKSUM_LENGTH - 1) + 1]
_ANY = "[0-9a-z]"
#: In the syntax that RE2 (gitleaks, TruffleHog), Hyperscan (GitHub) and Python share.
_ENVIRONMENT = f"(?:{'|'.join(keys.ENVIRONMENTS)})_"
KEY = (
    f"(?:cg[kp]_{_ENVIRONMENT}"
    f"{_ANY}{{{keys.RANDOM_LENGTH}}}[{_FIRST_DIGITS}]{_ANY}{{{keys.CHECKSUM_LENGTH - 1}}}"
    f"|{token_format.SCHEME}{_ENVIRONMENT}[0-9a-f]{{{token_format.SHORTEST},}})"
)
#: The key or token as a word of its own.
EXPRESSION = rf"\b({KEY})\b"
#: For GitHub, which asks for the surroundings by themselves.
BEFORE, AFTER = r"\A|[^0-9A-Za-z_]", r"\z|[^0-9A-Za-z_]"

_MADE = "Made by chatgrid_devkit.secret_rules from the key format; a test keeps it in step."
_GITLEAKS = """\
# {made}
title = "ChatGrid API keys"

[extend]
useDefault = true

[[rules]]
id = "chatgrid-api-key"
description = "A ChatGrid API key or token: whoever has it acts as its owner. Revoke it."
regex = '''{expression}'''
secretGroup = 1
keywords = [{keywords}]
"""
_TRUFFLEHOG = """\
# {made}
detectors:
  - name: chatgrid-api-key
    description: "A ChatGrid API key or token: whoever has it acts as its owner. Revoke it."
    keywords:
{keywords}
    regex:
      key: '{expression}'
"""
_GITHUB = """\
# GitHub custom pattern

{made}

In the settings of the organisation or repository: *Advanced Security*, *Custom patterns*, *New
pattern*, and under *More options*:

Secret format

    {key}

Before secret

    {before}

After secret

    {after}

For the test string, `python -m chatgrid_devkit.secret_rules sample` prints a key that exists
nowhere. Then *Save and dry run*, publish, and turn push protection on for it.
"""


def found_in(text: str) -> list[str]:
    """What the rules find in a text: every key, and little else that has a key's shape.

    The scanners know no checksum; ``keys.is_well_formed`` tells look-alikes apart.
    """
    return re.findall(EXPRESSION, text)


def files() -> dict[str, str]:
    """The files of docs/secret-scanning, by name."""
    return {
        "gitleaks.toml": _GITLEAKS.format(
            made=_MADE,
            expression=EXPRESSION,
            keywords=", ".join(f'"{keyword}"' for keyword in KEYWORDS),
        ),
        "trufflehog.yaml": _TRUFFLEHOG.format(
            made=_MADE,
            expression=EXPRESSION,
            keywords="\n".join(f"      - {keyword}" for keyword in KEYWORDS),
        ),
        "github.md": _GITHUB.format(
            made=_MADE,
            key=KEY,
            before=BEFORE,
            after=AFTER,
        ),
    }


def write(folder: Path) -> None:
    """Write the files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files().items():
        (folder / name).write_text(content, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Write the files, or print a key that exists nowhere."""
    match arguments:
        case ["write"]:
            write(FOLDER)
        case ["sample"]:
            print(keys.generate("test", entropy=os.urandom))
        case _:
            print("usage: python -m chatgrid_devkit.secret_rules write | sample", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
