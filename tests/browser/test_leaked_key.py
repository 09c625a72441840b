"""A key was found somewhere: who has its first characters ends it in a few clicks."""

from __future__ import annotations

import httpx

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from tests.browser.accounts import Account
from tests.browser.conftest import OpenBrowser
from tests.support.servers.proxy import wait_until
from tests.support.stack.local_stack import LocalStack
from tests.support.stack.usage import arrived, fold
from tests.support.tables.stores import dynamodb

#: The way to its page, the pause, and one look at its last hour.
CLICKS = 3
#: What the thief asked for, and whether a key that reads alone may.
THEFTS = (("GET", "boards"), ("GET", "boards"), ("GET", "me"), ("POST", "boards"))


def count_what_was_logged(stack: LocalStack, key_id: str, decisions: int) -> None:
    """Wait for a key's lines, and add them up, which the schedule would do minutes later."""
    described = stack.described
    store = dynamodb(described["dynamodb_endpoint"], access_key=described["access_key"])
    transport, table = Boto3Transport(store), described["outputs"]["UsageTableName"]

    def all_have_arrived() -> bool:
        counts = [row[4:6] for row in arrived(transport, table) if row[2] == key_id]
        return sum(map(sum, counts)) == decisions

    assert wait_until(all_have_arrived, seconds=30)
    fold(transport, table)


def test_a_leaked_key_is_paused_and_its_use_seen_in_three_clicks(
    open_browser: OpenBrowser, account: Account, stack: LocalStack
) -> None:
    """What is seen of its use is what the thief did, and what the usage route tells."""
    leaked = account.make_key("Nightly job", scopes=["read"])
    for number in range(3):
        account.make_key(f"Other {number}")
    bearer = {"Authorization": f"Bearer {leaked['raw_key']}"}
    statuses = [
        httpx.request(method, f"{account.url}/{path}", headers=bearer).status_code
        for method, path in THEFTS
    ]
    assert statuses == [200, 200, 200, 403]
    count_what_was_logged(stack, leaked["id"], len(THEFTS))
    dashboard = open_browser(account).visit()
    page = dashboard.page
    page.evaluate("clicks = 0; addEventListener('click', () => { clicks += 1; }, true)")
    page.get_by_label("Filter by name, prefix or id").fill(leaked["key_prefix"])
    assert dashboard.names() == ["Nightly job"]
    dashboard.open_key("Nightly job")
    dashboard.button("Pause").click()
    dashboard.button("Resume").wait_for()
    assert httpx.get(f"{account.url}/me", headers=bearer).status_code == 401
    assert dashboard.facts()["Last used"].startswith("just now")
    with page.expect_response("**granularity=minute**") as told:
        page.get_by_label("An hour", exact=True).check()
    dashboard.settle()
    assert page.evaluate("clicks") == CLICKS
    buckets = told.value.json()["data"]["buckets"]
    assert [sum(bucket[name] for bucket in buckets) for name in ("allowed", "refused")] == [3, 1]
    picture = "Requests in the last hour: 3 allowed, 0 limited, 1 refused"
    assert page.get_by_role("img", name=picture, exact=True).is_visible()
    assert sorted(page.locator("#usage-routes tr").all_inner_texts()) == [
        "GET /boards\t2\t0\t0\t0",
        "GET /me\t1\t0\t0\t0",
        "POST /boards\t0\t0\t1\t0",
    ]
    trail = page.get_by_role("list", name="What was done to it").locator("p")
    assert trail.first.inner_text().startswith("The key was paused by you from ")
