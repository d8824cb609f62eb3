from infra.onprem.unreachable import explanation


def test_a_cluster_that_does_not_answer_is_told_by_its_setting_and_with_ways_out() -> None:
    told = explanation("shop-onprem")
    assert "kubernetes:context 'shop-onprem'" in told
    assert "kubectl --context shop-onprem get nodes" in told
    assert "kubernetes:kubeconfig" in told
    assert "what runs in the cluster goes on" in told
