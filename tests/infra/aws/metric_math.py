"""CloudWatch's metric math and alarm states, as far as our rules use them.

The guide's page on metric math takes a missing value as 0 in arithmetic, and drops a division by zero; practice also
knows arithmetic that has no result then. Nor does it say whether FILL fills a metric that was never published at all.
Every answer is asked for in each of these readings.
"""

import ast
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from infra.aws.rule import BROKEN, HIGH, LOW, QUIET, Rule

Point = Mapping[str, float | None]
"""What each metric reports at one time: None where it reports nothing; not in here where it never has."""


class Reading(NamedTuple):
    """One way to understand what is not said clearly."""

    missing_is_zero: bool
    fills_unknown: bool


READINGS = [Reading(*answers) for answers in product([True, False], repeat=2)]


def never(point: Point) -> Point:
    """The same where the metrics without a value were never published."""
    return {name: value for name, value in point.items() if value is not None}


def evaluate(expression: str, point: Point, reading: Reading) -> float | None:
    """The expression's value at one time; None: there is none."""
    return _Math(point, reading).of(ast.parse(expression, mode="eval").body)


class _Math:
    def __init__(self, point: Point, reading: Reading) -> None:
        self._point, self._reading = point, reading

    def of(self, node: ast.expr) -> float | None:
        if isinstance(node, ast.Constant):
            assert isinstance(node.value, (int, float))
            return float(node.value)
        if isinstance(node, ast.UnaryOp):
            assert isinstance(node.op, ast.USub)
            value = self.of(node.operand)
            return None if value is None else -value
        if isinstance(node, ast.Name):
            return self._point.get(node.id)
        if isinstance(node, ast.BinOp):
            return self._arithmetic(node)
        function, arguments = _call(node)
        assert function == "SUM", function
        values = [value for value in self._list(arguments[0]) if value is not None]
        return sum(values) if values else None

    def _arithmetic(self, node: ast.BinOp) -> float | None:
        values = {side: self.of(side) for side in (node.left, node.right)}
        # At a time at which no metric has a value there is nothing to take as 0.
        if self._reading.missing_is_zero and any(v is not None for s, v in values.items() if _is_series(s)):
            values = {side: value or 0.0 for side, value in values.items()}
        left, right = values.values()
        if left is None or right is None or (isinstance(node.op, ast.Div) and right == 0):
            return None
        operations: dict[type[ast.operator], Any] = {
            ast.Add: lambda: left + right,
            ast.Sub: lambda: left - right,
            ast.Mult: lambda: left * right,
            ast.Div: lambda: left / right,
        }
        return float(operations[type(node.op)]())

    def _list(self, node: ast.expr) -> list[float | None]:
        if isinstance(node, ast.List):
            return [self.of(item) for item in node.elts]
        function, (inner, instead) = _call(node)
        assert function == "FILL", function
        assert isinstance(inner, ast.List)
        return [self._filled(item, self.of(instead)) for item in inner.elts]

    def _filled(self, item: ast.expr, instead: float | None) -> float | None:
        known = all(name in self._point for name in _names(item))
        value = self.of(item)
        return instead if value is None and (self._reading.fills_unknown or known) else value


def _names(node: ast.expr) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and part.id.islower()}


def _is_series(node: ast.expr) -> bool:
    return bool(_names(node))


def _call(node: ast.expr) -> tuple[str, list[ast.expr]]:
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    return node.func.id, node.args


def is_alarm(rule: Rule, points: Sequence[Point]) -> bool:
    """Whether the rule's alarm is on after these points, one each period, the newest last, however CloudWatch is read.

    Fails where that is a question of the reading: such a rule is none.
    """
    [answer] = answers(rule, points)
    return answer


def answers(rule: Rule, points: Sequence[Point]) -> set[bool]:
    """The same for each reading."""
    assert len(points) == rule.periods
    expression = rule.expression or next(iter(rule.metrics))
    wrong = [
        [_is_wrong(rule, evaluate(expression, point, reading)) for point in points].count(True) for reading in READINGS
    ]
    return {count >= (rule.datapoints or rule.periods) for count in wrong}


def _is_wrong(rule: Rule, value: float | None) -> bool:
    if value is None:
        return {BROKEN: True, QUIET: False}.get(rule.missing, False)
    return {HIGH: value >= rule.threshold, LOW: value < rule.threshold}[rule.comparison]
