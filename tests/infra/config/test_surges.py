"""Labels that are watched for a surge: what is assumed, and what is refused with field, value and rule."""

from typing import Any

import pytest

from infra.config.surges import SEVERITIES, TASK, SurgeConfig
from infra.onprem.site_rules import PAGE, TICKET
from model_image.server.web import schema
from tests.infra.config.test_onprem_parts import parsed
from tests.infra.config.test_reading import problems

NEGATIVE = {"task": "sentiment", "label": "negative"}


def watched(*surges: dict[str, Any]) -> tuple[SurgeConfig, ...]:
    return parsed({"watch.surges": list(surges)}).watch.surges


def test_none_is_watched_unless_it_is_named() -> None:
    assert parsed({}).watch.surges == watched() == ()


def test_task_and_label_are_enough() -> None:
    (surge,) = watched(NEGATIVE)
    assert (surge.task, surge.label, surge.severity) == ("sentiment", "negative", "ticket")
    assert (surge.window_minutes, surge.baseline_hours, surge.min_texts) == (15, 24, 50)
    assert (surge.rise_percent, surge.rise_points) == (50, 3)


def test_each_setting_reaches_its_place() -> None:
    numbers = {"windowMinutes": 30, "baselineHours": 48, "minTexts": 20, "risePercent": 100, "risePoints": 5}
    (surge,) = watched(NEGATIVE | numbers | {"severity": "page"})
    assert [*vars(surge).values()] == ["sentiment", "negative", *numbers.values(), "page"]


@pytest.mark.parametrize(("label", "read"), [("差评", "差评"), (1, "1"), ("very bad", "very bad"), ("it's", "it's")])
def test_labels_of_any_language_and_stars_are_taken(label: object, read: str) -> None:
    (surge,) = watched(NEGATIVE | {"label": label})
    assert surge.label == read


def test_the_same_label_of_two_tasks_and_two_of_one_are_four() -> None:
    pairs = [(task, label) for task in ("reviews", "messages") for label in ("negative", "angry")]
    assert len(watched(*({"task": task, "label": label} for task, label in pairs))) == 4


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("task", "", "a text is needed"),
        ("task", 'a"}', "the name of a task in the release"),
        ("task", "-a", "the name of a task in the release"),
        ("task", "情感", "letters, digits, _ . -"),
        ("task", "a" * 101, "the name of a task in the release"),
        ("label", "", "a text is needed"),
        ("label", False, "a text is needed"),  # YAML's `no`
        ("label", 'neg"', "printable characters without"),
        ("label", "neg\\ative", "printable characters without"),
        ("label", "{{ $value }}", "printable characters without"),
        ("label", "$datasource", "name the label so in the training data"),
        ("label", "a\nb", "printable characters without"),
        ("label", "a" * 201, "up to 200"),
        ("windowMinutes", 4, "from 5 to 60"),
        ("windowMinutes", "15m", "a whole number from 5 to 60"),
        ("baselineHours", 5, "from 6 to 168"),
        ("minTexts", 9, "from 10"),
        ("risePercent", 9, "from 10 to 1000"),
        ("risePoints", 0, "from 1 to 90"),
        ("severity", "mail", "one of ticket, page"),
        ("windwo", 15, "use one of: baselineHours, label, minTexts"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(key: str, value: object, rule: str) -> None:
    (problem,) = problems("onprem", {"watch.surges": [NEGATIVE | {"label": "other"}, NEGATIVE | {key: value}]})
    assert problem.startswith(f"hybrid-serving:watch.surges[1].{key} is {value!r}: ")
    assert rule in problem


@pytest.mark.parametrize("key", ["task", "label"])
def test_an_entry_without_task_or_label_is_refused(key: str) -> None:
    (problem,) = problems("onprem", {"watch.surges": [{name: text for name, text in NEGATIVE.items() if name != key}]})
    assert problem.startswith(f"hybrid-serving:watch.surges[0].{key} is missing: set it")


def test_a_label_is_watched_once() -> None:
    (problem,) = problems("onprem", {"watch.surges": [NEGATIVE, NEGATIVE | {"minTexts": 10}]})
    assert problem.startswith("hybrid-serving:watch.surges[1] is 'sentiment/negative': each label is watched once")


def test_what_is_no_list_is_refused() -> None:
    (problem,) = problems("onprem", {"watch.surges": NEGATIVE})
    assert "hybrid-serving:watch.surges is" in problem
    assert "a list of sections is needed" in problem


def test_a_task_is_named_as_the_server_takes_it_and_severities_are_those_of_the_rules() -> None:
    (told,) = schema.TaskName.__metadata__  # type: ignore[attr-defined]
    assert (told.pattern, told.max_length) == (TASK, 100)
    assert set(SEVERITIES) == {PAGE, TICKET}
