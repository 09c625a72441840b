"""Containers are told an address of the bridge, whether Docker names it or not."""

from __future__ import annotations

import pytest

from chatgrid_devkit.stack.bridge import NoEngine, first_address


def test_the_bridges_own_address_is_taken_where_it_is_named() -> None:
    configuration = [{"Subnet": "172.18.0.0/16", "Gateway": "172.18.0.7"}]
    assert first_address(configuration) == "172.18.0.7"


def test_else_it_is_the_first_of_its_network() -> None:
    assert first_address([{"Subnet": "fd00::/64"}, {"Subnet": "172.17.0.0/16"}]) == "172.17.0.1"


def test_a_bridge_without_ipv4_is_none() -> None:
    with pytest.raises(NoEngine):
        first_address([{"Subnet": "fd00::/64"}])
