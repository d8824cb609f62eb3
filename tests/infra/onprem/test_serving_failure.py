from infra.onprem.serving_failure import explanation

IMAGE = "registry.shop.example/serving@sha256:" + "ab" * 32


def told(gpus: int = 0, *, before: bool = True) -> str:
    return explanation(image=IMAGE, gpus=gpus, at="search/serving", before=before)


def test_an_image_that_cannot_be_pulled_is_told_with_setting_value_and_way_out() -> None:
    assert IMAGE in told()
    assert "set hybrid-serving:image.digest" in told()


def test_gpus_that_no_node_has_are_told_with_setting_value_and_ways_out() -> None:
    assert "hybrid-serving:serving.gpus is 2" in told(gpus=2)
    assert "kubectl get nodes" in told(gpus=2)
    assert "0 serves from CPUs" in told(gpus=2)


def test_nothing_is_said_of_gpus_where_none_are_asked_for() -> None:
    assert "gpu" not in told()


def test_servers_that_are_not_ready_lead_to_where_they_say_why() -> None:
    assert "kubectl -n search logs deployment/serving" in told()
    assert "those before it go on answering" in told()


def test_the_first_servers_of_all_are_not_told_of_others_before_them() -> None:
    assert "before" not in told(before=False)
    assert "old value" not in told(before=False)
    assert "did not get ready: mend what holds the pod up" in told(before=False)
