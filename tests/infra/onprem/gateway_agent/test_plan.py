import pytest

from infra.onprem.gateway_agent.plan import Plan, Tunnel, plan

TUNNELS = tuple(
    Tunnel(name=f"tunnel{n}", peer=f"203.0.113.1{n}", address=f"169.254.1{n}.2/30", interface_id=n) for n in (1, 2)
)


@pytest.mark.parametrize("ipsec", ["kernel", "userspace"])
def test_a_plan_survives_its_way_through_the_file(ipsec: str) -> None:
    made = plan(TUNNELS, ipsec=ipsec, mtu=1400, aws_ranges=["10.30.0.0/16"])
    assert Plan.from_json(made.to_json()) == made
    assert made.tunnels == TUNNELS


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"daemons": 1}', '{"daemons": [{"name": "a"}]}', '{"daemons": []}'])
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"gateway\.json|Expecting"):
        Plan.from_json(text)
