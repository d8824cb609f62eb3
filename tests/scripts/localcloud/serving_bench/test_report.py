"""Ratios come from runs side by side, a miss is called one, and what was not measured is never passed over."""

import json
import math
from collections.abc import Callable

import pytest

from scripts.localcloud.serving_bench.bars import Bar, bars
from scripts.localcloud.serving_bench.load import percentile
from scripts.localcloud.serving_bench.machine import Machine, machine
from scripts.localcloud.serving_bench.names import INFINITY, OPENVINO, OURS, PEERS, SENTENCE_TRANSFORMERS
from scripts.localcloud.serving_bench.overload import Overload
from scripts.localcloud.serving_bench.quality import Agreement
from scripts.localcloud.serving_bench.report import as_json, as_text
from scripts.localcloud.serving_bench.results import InProcess, Results

MACHINE = Machine(processor="Imagined CPU", cores=2, flags=("avx512_bf16", "avx2"), bf16=True, python="3.11.0")
Seen = Callable[..., Results]


def bar(results: Results, words: str, *, bf16: bool = True) -> Bar:
    return next(bar for bar in bars(results, bf16=bf16) if words in bar.what)


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.5, 5), (0.9, 9), (0.99, 10), (1.0, 10)])
def test_a_percentile_is_a_value_that_was_seen(share: float, value: float) -> None:
    assert percentile(list(range(10, 0, -1)), share) == value


def test_no_answer_has_no_percentile() -> None:
    assert math.isnan(percentile([], 0.5))


def test_a_ratio_is_that_of_the_runs_so_that_a_slow_minute_does_not_count(results: Seen) -> None:
    seen = results(
        {OURS: [(900, 1000), (450, 500), (900, 1000)], SENTENCE_TRANSFORMERS: [(90, 80), (45, 40), (90, 80)]}
    )
    assert bar(seen, "c=8, times sentence-transformers").value == pytest.approx(12.5)
    assert bar(seen, "c=1, times sentence-transformers").value == pytest.approx(10)


def test_a_peer_without_a_server_is_set_against_eight_connections(results: Seen) -> None:
    seen = results({OURS: [(500, 1000)]})
    del seen.not_run[OPENVINO]
    seen.in_process[OPENVINO] = [InProcess(pairs_per_second=800, setting="batches of 8")]
    assert bar(seen, "OpenVINO").value == pytest.approx(1.25)


@pytest.mark.parametrize(("fast", "verdict"), [(250, "ok"), (249, "MISSED")])
def test_a_bar_is_reached_or_missed(results: Seen, fast: float, verdict: str) -> None:
    assert bar(results({OURS: [(90, fast)], INFINITY: [(90, 100)]}), "c=8, times infinity").verdict == verdict


def test_without_bf16_ratios_of_speed_are_reported_and_not_asked(results: Seen) -> None:
    seen = results({OURS: [(90, 100)], INFINITY: [(90, 100)]})
    assert bar(seen, "c=8, times infinity", bf16=False).verdict == "reported"
    assert bar(seen, "p99 at c=8, times p50", bf16=False).verdict == "ok"


def test_what_was_not_run_says_so_and_why(results: Seen) -> None:
    seen = results({OURS: [(90, 100)]})
    for name in PEERS:
        seen.not_run[name] = f"no {name} here"
    verdicts = {bar.what: (bar.verdict, bar.why) for bar in bars(seen, bf16=True)}
    assert verdicts["pairs/s at c=8, times infinity bf16"] == ("not run", "infinity: no infinity here")
    text = as_text(seen, MACHINE, "words")
    assert all(f"no {name} here" in text for name in PEERS)


def test_every_bar_can_be_missed(results: Seen) -> None:
    seen = results({name: [(100, 100)] for name in (OURS, *PEERS)}, latencies=(0.1,) * 60 + (0.3,))
    seen.in_process[OPENVINO] = [InProcess(pairs_per_second=800, setting="batches of 8")]
    del seen.not_run["quality"], seen.not_run["overload"]
    seen.held_out[OURS] = Agreement(lists=10, spearman=0.9, worst=0.5, top_kept=0.8)
    seen.overload = Overload(offered=100, usual_p99=0.1, accepted=[0.5], memory_before=10, memory_after=20, seconds=1)
    assert {bar.verdict for bar in bars(seen, bf16=True) if bar.asked} == {"MISSED"}


def test_the_text_names_servers_medians_machine_and_failures(results: Seen) -> None:
    seen = results({OURS: [(900, 1000), (901, 1001), (902, 1002)], INFINITY: [(90, 91)] * 3})
    seen.visits[INFINITY][0].windows[8].failures[503] = 7
    text = as_text(seen, MACHINE, "invented words")
    for expected in (
        "medians of 3 runs",
        "901",
        "1001",
        "7 questions refused",
        "invented words",
        "avx512_bf16",
        "2 cores",
    ):
        assert expected in text


def test_the_json_document_holds_every_run_and_every_bar(results: Seen) -> None:
    document = json.loads(as_json(results({OURS: [(900, 1000)] * 2}), MACHINE, "words"))
    assert [run["windows"]["8"]["pairs_per_second"] for run in document["servers"][OURS]] == pytest.approx([1000, 1000])
    assert document["machine"]["flags"] == ["avx512_bf16", "avx2"]
    assert {bar["verdict"] for bar in document["bars"]} >= {"ok", "not run"}
    assert None in {bar["value"] for bar in document["bars"]}


def test_this_machine_names_its_processor() -> None:
    assert machine().processor
    assert machine().cores >= 1


def test_a_peer_that_fails_later_is_left_out_with_all_its_runs(results: Seen) -> None:
    seen = results({OURS: [(90, 100)], INFINITY: [(90, 100)]})
    seen.leave_out(INFINITY, "hung up")
    assert bar(seen, "c=8, times infinity").verdict == "not run"
    assert "hung up" in as_text(seen, MACHINE, "words")


def test_where_questions_are_refused_the_latency_of_the_others_reaches_no_bar(results: Seen) -> None:
    seen = results({OURS: [(90, 100)]})
    seen.not_run["usual"] = "questions were refused by status {429: 3}"
    assert bar(seen, "p99 at c=8, times p50").verdict == "not run"
    assert "429" in bar(seen, "p99 at c=8, times p50").why
