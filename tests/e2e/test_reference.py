"""The reference's examples, run as a reader would paste them."""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.stack.api import Api

#: Who runs what stands under which name; the example itself comes in by standard input.
RUN_BY = {
    "curl": ["/bin/sh"],
    "python": [sys.executable, "-"],
    "javascript": ["node", "--input-type=module"],
}


def example(page: str, operation: str, language: str) -> str:
    """One operation's example in the page."""
    begin = page.index(f'<article aria-labelledby="{operation}"')
    block = page.index(f'<div class="{language}">', begin)
    shown = page[block : page.index("</div>", block)]
    (found,) = re.findall(r"<pre><code>(.*?)</code>", shown, re.DOTALL)
    return html.unescape(found)


@pytest.mark.parametrize("language", RUN_BY)
def test_an_example_with_a_body_works_as_it_is_pasted(
    language: str, http: httpx.Client, stack: dict[str, Any], as_user: Callable[..., Api]
) -> None:
    program = RUN_BY[language]
    if shutil.which(program[0]) is None:
        pytest.skip(f"no {program[0]} here")
    owner = as_user(str(uuid4()))
    page = http.get("reference").text
    (url,) = re.findall(r"export URL=(\S+)", page)
    assert url == stack["url"]
    key = owner.create_key(scopes=["write"])["raw_key"]
    done = subprocess.run(
        program,
        input=example(page, "createBoard", language),
        env={"PATH": os.environ["PATH"], "URL": url, "KEY": key},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "Launch plan" in done.stdout
    assert [board["name"] for board in owner.walk("/boards")] == ["Launch plan"]
