"""Addresses and networks mean one thing each, and what means none is refused."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgrid_auth.domain.rules import addresses

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "vectors/rules/addresses.json").read_text()
)


def read(text: str) -> addresses.Network | None:
    try:
        return addresses.read_network(text)
    except ValueError:
        return None


def as_python_has_it(text: str) -> addresses.Network:
    """A network by the standard library's reading."""
    network = ipaddress.ip_network(text)
    free = network.max_prefixlen - network.prefixlen
    return network.max_prefixlen, free, int(network.network_address) >> free


@pytest.mark.parametrize("given_text", VECTORS["networks"])
def test_a_network_means_what_its_canonical_form_means(given_text: str) -> None:
    assert read(given_text) == as_python_has_it(VECTORS["networks"][given_text])


@pytest.mark.parametrize("number", range(len(VECTORS["refused"])))
def test_what_is_no_network_is_refused_without_being_echoed(number: int) -> None:
    text = VECTORS["refused"][number]
    with pytest.raises(ValueError, match=r"^(Must be|The prefix|No bit)") as refused:
        addresses.read_network(text)
    assert len(text) < 12 or text not in str(refused.value)
    assert addresses.read_address(text) is None or "/" in text


@pytest.mark.parametrize(("network", "source", "held"), VECTORS["matching"])
def test_a_source_is_held_by_its_own_networks_alone(network: str, source: str, held: bool) -> None:
    assert addresses.holds([addresses.read_network(network)], source) is held
    assert not addresses.holds([], source)


@given(st.ip_addresses(), st.integers(0, 128))
def test_networks_are_read_as_the_standard_library_reads_them(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, length: int
) -> None:
    length = min(length, address.max_prefixlen)
    network = ipaddress.ip_network(f"{address}/{length}", strict=False)
    own = read(f"{address}/{length}")
    if network.network_address != address:
        assert own is None
    elif getattr(address, "ipv4_mapped", None) is None:
        assert own == as_python_has_it(str(network))
    inside = read(str(network.network_address) + f"/{length}")
    assert inside is not None
    assert addresses.holds([inside], str(address)) is (
        getattr(address, "ipv4_mapped", None) is None or length >= 96
    )


@given(st.text(st.sampled_from("0123456789abcdefF:./% "), max_size=48))
def test_no_text_is_read_that_the_standard_library_would_not_read(text: str) -> None:
    own = addresses.read_address(text)
    try:
        python: Any = ipaddress.ip_address(text)
    except ValueError:
        assert own is None
        return
    if "%" in text:
        assert own is None
        return
    python = getattr(python, "ipv4_mapped", None) or python
    assert own == (python.max_prefixlen, int(python))
