"""The quick start's examples work as they stand, and the service goes by its own name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from tests.browser.accounts import Account
from tests.browser.conftest import OpenBrowser


def test_the_examples_work_in_each_of_their_languages(
    open_browser: OpenBrowser, account: Account
) -> None:
    raw_key = account.make_key("Tried")["raw_key"]
    page = open_browser(account).visit().page
    told: dict[str, Any] = {}
    for language in ("curl", "Python", "JavaScript"):
        page.get_by_role("group", name="Language").get_by_label(language, exact=True).check()
        code = page.get_by_role("group", name="Example").inner_text()
        if language == "JavaScript":
            around = (
                f"(async () => {{ const process = {{ env: {{ CHATGRID_API_KEY: '{raw_key}' }} }};"
                f" let told; const console = {{ log: (it) => {{ told = it; }} }};\n{code}\n"
                "return told; })()"
            )
            told[language] = page.evaluate(around)
            continue
        command = ["bash", "-c", code] if language == "curl" else [sys.executable, "-c", code]
        environment = {**os.environ, "CHATGRID_API_KEY": raw_key}
        ran = subprocess.run(command, env=environment, capture_output=True, check=True)
        told[language] = json.loads(ran.stdout)
    names = {known: answer["data"]["api_key"]["name"] for known, answer in told.items()}
    assert names == {"curl": "Tried", "Python": "Tried", "JavaScript": "Tried"}


def test_the_service_goes_by_the_name_and_picture_it_was_given(
    open_browser: OpenBrowser, account: Account
) -> None:
    dashboard = open_browser(account)
    given = {
        "application-name": "Acme &amp; Sons",
        "logo-url": "dashboard/{icon}",
        "documentation-url": "https://docs.example.com/keys?a=1&amp;b=2",
    }

    def branded(route: Any) -> None:
        answer = route.fetch()
        body = answer.text()
        icon = body.split('href="dashboard/icon.')[1].split('"')[0]
        for name, value in given.items():
            before, after = body.split(f'<meta name="{name}" content="')
            rest = after[after.index('"') :]
            body = f'{before}<meta name="{name}" content="{value}{rest}'
        route.fulfill(response=answer, body=body.replace("{icon}", f"icon.{icon}"))

    dashboard.page.route("**/dashboard", branded)
    dashboard.visit()
    logo = dashboard.page.locator("#logo")
    assert logo.is_visible()
    assert logo.evaluate("logo => logo.decode().then(() => logo.naturalWidth)") > 0
    assert not dashboard.page.locator("#mark").is_visible()
    link = dashboard.page.get_by_role("link", name="Documentation")
    assert link.get_attribute("href") == "https://docs.example.com/keys?a=1&b=2"
