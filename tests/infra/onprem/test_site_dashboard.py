import json
from itertools import combinations
from typing import Any

from infra.config.site_watch import SiteWatchConfig
from infra.onprem.site_dashboard import PAGE_WIDTH, dashboard
from tests.infra.onprem.test_surges import USUAL
from tests.infra.sites import onprem_site

CONFIG = SiteWatchConfig(rules="configMap", labels={}, latency_p99_ms=300, error_percent=1, surges=(USUAL,))
BODY = dashboard(CONFIG, "serving", "prod", tunnels=True, cache=True)
# Grafana docs, "Dashboard JSON model": what a dashboard and a panel have, and of which type.
DASHBOARD = {"uid": str, "title": str, "tags": list, "schemaVersion": int, "editable": bool, "time": dict}
DASHBOARD |= {"refresh": str, "templating": dict, "panels": list}
PANEL = {"id": int, "type": str, "title": str, "datasource": dict, "gridPos": dict, "fieldConfig": dict}
PANEL |= {"targets": list}
TARGET = {"refId": str, "expr": str, "legendFormat": str, "datasource": dict}


def shaped(value: dict[str, Any], shape: dict[str, type]) -> bool:
    return set(value) == set(shape) and all(type(value[key]) is kind for key, kind in shape.items())


def test_it_is_a_document_as_grafana_describes_it() -> None:
    assert json.loads(json.dumps(BODY)) == BODY
    assert shaped(BODY, DASHBOARD)
    assert len(BODY["uid"]) <= 40, "Grafana's limit"
    for panel in BODY["panels"]:
        assert shaped(panel, PANEL), panel["title"]
        for target in panel["targets"]:
            assert shaped(target, TARGET), panel["title"]


def test_ids_of_panels_and_letters_of_queries_are_unique() -> None:
    ids = [panel["id"] for panel in BODY["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in BODY["panels"]:
        letters = [target["refId"] for target in panel["targets"]]
        assert len(set(letters)) == len(letters)


def test_panels_lie_on_the_page_and_over_no_other() -> None:
    cells = {}
    for panel in BODY["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= PAGE_WIDTH
        cells[panel["id"]] = {
            (x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
        }
    assert not [pair for pair in combinations(cells, 2) if cells[pair[0]] & cells[pair[1]]]


def test_every_query_goes_to_the_prometheus_that_is_chosen_on_the_dashboard() -> None:
    (variable,) = BODY["templating"]["list"]
    assert (variable["type"], variable["query"]) == ("datasource", "prometheus")
    for panel in BODY["panels"]:
        for part in (panel, *panel["targets"]):
            assert part["datasource"]["uid"] == f"${{{variable['name']}}}"


def test_parts_that_a_site_does_not_have_are_not_shown() -> None:
    without = {panel["title"] for panel in dashboard(CONFIG, "serving", "prod", tunnels=False, cache=False)["panels"]}
    shown = {panel["title"] for panel in BODY["panels"]}
    assert {title for title in shown - without} == {
        "Tunnels to AWS (1 is up)",
        "Age of the cache's last look at the registry",
    }


def test_grafana_finds_it_by_a_label() -> None:
    config_map = onprem_site().one(":ConfigMap", "watch-dashboard").inputs
    assert config_map["metadata"]["labels"]["grafana_dashboard"] == "1"
    (text,) = config_map["data"].values()
    assert json.loads(text)["uid"] == "hybrid-serving-prod-onprem"
