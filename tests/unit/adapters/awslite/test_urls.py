"""A URL is taken apart in the one way that no other reader would dispute."""

from __future__ import annotations

import json
from pathlib import Path

import botocore
import pytest

from chatgrid_auth.adapters.awslite.urls import Url, public_endpoint


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://a.example", ("https", "a.example", 443, "a.example", "/")),
        ("http://A.example/", ("http", "a.example", 80, "a.example", "/")),
        (
            "HTTP://127.0.0.1:4566/x?y=%20z",
            ("http", "127.0.0.1", 4566, "127.0.0.1:4566", "/x?y=%20z"),
        ),
        ("http://[::1]:80/c", ("http", "::1", 80, "[::1]:80", "/c")),
        ("http://[fd00:ec2::23]/v1", ("http", "fd00:ec2::23", 80, "[fd00:ec2::23]", "/v1")),
    ],
)
def test_parts_of_a_url(url: str, parts: tuple[str, str, int, str, str]) -> None:
    found = Url(url)
    assert (found.scheme, found.host, found.port, found.authority, found.target) == parts


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example",
        "ftp://a.example",
        "http://",
        "http:///path",
        "http://127.0.0.1@evil.example/",
        "http://a.example\\@b.example/",
        "http://a.example:/",
        "http://a.example:0/",
        "http://a.example:65536/",
        "http://a.example:8o/",
        "http://a.example:80:80/",
        "http://[::1/",
        "http://[::1]x/",
        "http://[a.example]/",
        "http://a.example?query",
        "http://a.example#fragment",
        "http://a.example/#fragment",
        "http://a.example/a b",
        "http://a.example/\r\nX: y",
        "http://ä.example/",
    ],
)
def test_what_another_reader_might_read_otherwise_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="URL") as refused:
        Url(url)
    assert "example" not in str(refused.value)


def test_each_region_that_botocore_knows_has_its_endpoint() -> None:
    partitions = json.loads((Path(botocore.__file__).parent / "data/partitions.json").read_text())
    checked = 0
    for partition in partitions["partitions"]:
        suffix = partition["outputs"]["dnsSuffix"]
        for region in partition["regions"]:
            if not region.endswith("-global"):
                assert public_endpoint("dynamodb", region) == f"https://dynamodb.{region}.{suffix}"
                checked += 1
    assert checked > 30
