"""Address ranges that hide nothing that the machine reaches."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.native.addresses import plan


def test_usual_ranges_where_nothing_is_in_the_way() -> None:
    network = plan([])
    assert (network.pod_range, network.service_range) == ("10.244.0.0/16", "10.96.0.0/16")
    assert (network.address, network.first_service, network.dns_service) == ("10.244.0.1", "10.96.0.1", "10.96.0.10")


def test_a_route_or_a_name_server_inside_a_range_moves_it() -> None:
    network = plan(["10.244.3.0/24", "10.96.7.7/32"])
    assert (network.pod_range, network.service_range) == ("10.245.0.0/16", "10.97.0.0/16")


def test_the_default_route_and_ipv6_are_in_nobodys_way() -> None:
    assert plan(["0.0.0.0/0", "fd00::/8"]) == plan([])


def test_a_network_that_covers_all_of_ten_leaves_other_ranges() -> None:
    network = plan(["10.0.0.0/8"])
    assert (network.pod_range, network.service_range) == ("172.30.0.0/16", "172.29.0.0/16")


def test_nothing_left_is_said_plainly() -> None:
    with pytest.raises(RuntimeError, match="ip route"):
        plan(["10.0.0.0/8", "172.16.0.0/12", "198.18.0.0/15"])


@given(st.lists(st.tuples(st.integers(0, 2**24 - 1), st.integers(9, 32)), max_size=5))
def test_chosen_ranges_never_overlap_what_is_taken(routes: list[tuple[int, int]]) -> None:
    taken = [
        ipaddress.IPv4Network((int(ipaddress.IPv4Address("10.0.0.0")) + low, length), strict=False)
        for low, length in routes
    ]
    network = plan(map(str, taken))
    pods, services = ipaddress.IPv4Network(network.pod_range), ipaddress.IPv4Network(network.service_range)
    assert not pods.overlaps(services)
    assert not any(found.overlaps(route) for found in (pods, services) for route in taken)
    assert ipaddress.IPv4Address(network.address) in ipaddress.IPv4Network(network.node_range)
    assert ipaddress.IPv4Network(network.node_range).subnet_of(pods)
