from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.addresses import nat_gateways, overlaps, subnet_layout

blocks = st.builds(
    lambda prefix, number: str(IPv4Network((number << (32 - prefix), prefix))),
    st.integers(16, 22),
    st.integers(0, 2**16 - 1),
)
zones = st.integers(2, 4)


def subnets(block: str, count: int) -> list[IPv4Network]:
    layout = subnet_layout(block, count)
    return [IPv4Network(cidr) for part in (layout.private, layout.public, layout.attachment) for cidr in part]


@given(blocks, zones)
def test_every_zone_gets_one_subnet_of_each_purpose_inside_the_block(block: str, count: int) -> None:
    assert len(subnets(block, count)) == 3 * count
    assert all(subnet.subnet_of(IPv4Network(block)) for subnet in subnets(block, count))


@given(blocks, zones)
def test_no_two_subnets_share_an_address(block: str, count: int) -> None:
    assert overlaps({str(index): str(subnet) for index, subnet in enumerate(subnets(block, count))}) == []


@given(blocks)
def test_another_zone_moves_no_address(block: str) -> None:
    two, four = subnet_layout(block, 2), subnet_layout(block, 4)
    assert (two.private, two.public, two.attachment) == (four.private[:2], four.public[:2], four.attachment[:2])


@given(blocks, zones)
def test_the_upper_quarter_of_the_block_stays_free(block: str, count: int) -> None:
    free = list(IPv4Network(block).subnets(prefixlen_diff=2))[3]
    assert not any(subnet.overlaps(free) for subnet in subnets(block, count))


@given(blocks, zones)
def test_every_subnet_is_one_that_aws_accepts(block: str, count: int) -> None:
    assert all(16 <= subnet.prefixlen <= 28 for subnet in subnets(block, count))


@pytest.mark.parametrize(
    ("block", "count", "rule"),
    [
        ("10.0.0.0/15", 3, "/16 and /22"),
        ("10.0.0.0/23", 3, "/16 and /22"),
        ("10.0.0.1/16", 3, "host bits"),
        ("ten", 3, "such as 10.30.0.0/16"),
        ("10.0.0.0/16", 1, "2 to 4 zones"),
        ("10.0.0.0/16", 5, "2 to 4 zones"),
    ],
)
def test_a_block_or_number_of_zones_that_cannot_be_laid_out_is_refused(block: str, count: int, rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        subnet_layout(block, count)


networks = st.builds(
    lambda prefix, number: str(IPv4Network(((number << (32 - prefix)) % 2**32, prefix))),
    st.integers(8, 30),
    st.integers(0, 2**20),
)


@given(networks, networks)
def test_two_ranges_overlap_exactly_when_one_begins_inside_the_other(first: str, second: str) -> None:
    a, b = IPv4Network(first), IPv4Network(second)
    shared = a.network_address in b or b.network_address in a
    assert overlaps({"a": first, "b": second}) == ([("a", "b")] if shared else [])


@given(blocks, zones)
def test_a_range_inside_any_subnet_collides_with_the_block_and_one_beside_it_does_not(block: str, count: int) -> None:
    network = IPv4Network(block)
    beside = IPv4Network(((int(network.network_address) + network.num_addresses) % 2**32, network.prefixlen))
    for subnet in subnets(block, count):
        assert overlaps({"vpc": block, "site": str(subnet)}) == [("vpc", "site")]
    assert overlaps({"vpc": block, "site": str(beside)}) == []


@given(zones)
def test_nat_is_paid_for_nowhere_once_or_in_each_zone(count: int) -> None:
    assert [nat_gateways(mode, count) for mode in ("none", "one", "per-zone")] == [0, 1, count]


def test_overlaps_names_each_pair_that_shares_an_address() -> None:
    ranges = {"vpc": "10.30.0.0/16", "pods": "10.30.4.0/24", "nodes": "10.10.0.0/24", "all": "10.0.0.0/8"}
    assert overlaps(ranges) == [("vpc", "pods"), ("vpc", "all"), ("pods", "all"), ("nodes", "all")]
