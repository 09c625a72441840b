"""The signer agrees with AWS's own cases and with AWS's own Python signer."""

from __future__ import annotations

from calendar import timegm
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from chatgrid_auth.adapters.awslite import sigv4
from chatgrid_auth.adapters.awslite.sigv4 import RequestSigner

VECTORS = Path(__file__).parents[3] / "vectors" / "sigv4"
KEY_ID = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"  # AWS's published example
AT_2015_08_30_12_36 = timegm((2015, 8, 30, 12, 36, 0))
NOON = timegm((2026, 11, 24, 12, 0, 0))


def signer(headers: dict[str, str], **changes: str) -> RequestSigner:
    given_ = {"access_key_id": KEY_ID, "secret_access_key": SECRET}
    given_ |= {"region": "us-east-1", "service": "service"} | changes
    return RequestSigner(headers=headers, **given_)


def authorization(lines: bytes) -> str:
    return dict(line.split(": ", 1) for line in lines.decode().splitlines())["Authorization"]


def read_case(name: str) -> tuple[dict[str, str], bytes, str]:
    head, _, body = (VECTORS / f"{name}.req").read_bytes().decode().partition("\n\n")
    headers = dict(line.split(":", 1) for line in head.splitlines()[1:])
    del headers["X-Amz-Date"]
    if name == "post-sts-header-after":
        headers.pop("X-Amz-Security-Token", None)
    return headers, body.encode(), (VECTORS / f"{name}.authz").read_text().strip()


def botocore_authorization(
    headers: dict[str, str], body: bytes, *, secret: str, region: str, at_second: int
) -> str:
    request = AWSRequest(
        method="POST", url=f"https://{headers['Host']}/", headers=headers, data=body
    )
    now = datetime.fromtimestamp(at_second, UTC).replace(tzinfo=None)
    with patch("botocore.auth.get_current_datetime", lambda: now):
        SigV4Auth(Credentials(KEY_ID, secret), "dynamodb", region).add_auth(request)
    return str(request.headers["Authorization"])


@pytest.mark.parametrize("name", sorted(path.stem for path in VECTORS.glob("*.req")))
def test_signature_is_the_one_aws_publishes(name: str) -> None:
    headers, body, expected = read_case(name)
    assert authorization(signer(headers).sign(body, at_second=AT_2015_08_30_12_36)) == expected


WORD = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
VALUE = st.lists(WORD, min_size=1, max_size=4).map("  ".join)
LATER_THAN_1970 = st.integers(min_value=0, max_value=timegm((2099, 12, 31, 23, 59, 59)))


@given(
    secret=WORD,
    region=st.sampled_from(["us-east-1", "eu-central-1", "cn-north-1"]),
    token=st.none() | WORD,
    extra=st.dictionaries(st.from_regex(r"x-[a-z0-9]{1,8}", fullmatch=True), VALUE, max_size=4),
    requests=st.lists(st.tuples(st.binary(max_size=300), LATER_THAN_1970), min_size=1, max_size=3),
)
def test_signature_is_botocores_for_any_request(
    secret: str,
    region: str,
    token: str | None,
    extra: dict[str, str],
    requests: list[tuple[bytes, int]],
) -> None:
    headers = {
        "Host": f"dynamodb.{region}.amazonaws.com",
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": "DynamoDB_20120810.UpdateItem",
        **extra,
    }
    if token is not None:
        headers["X-Amz-Security-Token"] = token
    ours = signer(headers, secret_access_key=secret, region=region, service="dynamodb")
    for body, at_second in requests:  # one signer, its caches in use
        theirs = botocore_authorization(
            headers, body, secret=secret, region=region, at_second=at_second
        )
        assert authorization(ours.sign(body, at_second=at_second)) == theirs


def test_the_signing_key_is_derived_once_a_day() -> None:
    one = signer({"Host": "example.amazonaws.com"})
    with patch.object(sigv4, "_signing_key", wraps=sigv4._signing_key) as derive:
        for second in (NOON, NOON + 1, NOON + 12 * 3600 - 1, NOON + 12 * 3600, NOON + 13 * 3600):
            one.sign(b"", at_second=second)
    assert [call.args[1] for call in derive.call_args_list] == ["20261124", "20261125"]


def test_the_date_that_is_sent_is_the_date_that_is_signed() -> None:
    lines = signer({"Host": "example.amazonaws.com"}).sign(b"", at_second=NOON)
    assert lines.startswith(b"X-Amz-Date: 20261124T120000Z\r\nAuthorization: AWS4-HMAC-SHA256 ")
    assert lines.endswith(b"\r\n")
    assert lines.count(b"\r\n") == 2


def test_printing_a_signer_shows_no_secret() -> None:
    assert SECRET not in repr(signer({"Host": "example.amazonaws.com"}))
