from infra.onprem.gateway_failure import explanation

TOLD = explanation(node_label="shop.example/edge=vpn", at="vpn-gateway/vpn-gateway")


def test_a_gateway_without_a_node_is_told_with_setting_value_and_way_out() -> None:
    assert "hybrid-serving:gateway.nodeLabel is 'shop.example/edge=vpn'" in TOLD
    assert "kubectl label node <name> shop.example/edge=vpn" in TOLD


def test_a_gateway_that_is_not_ready_leads_to_where_it_says_why() -> None:
    assert "kubectl -n vpn-gateway logs deployment/vpn-gateway" in TOLD
