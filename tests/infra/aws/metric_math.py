"""CloudWatch's metric math and alarm states, as far as our rules use them.

What AWS documents: a sum over a list passes over missing values, arithmetic on one is missing, so is a division by
zero. What it does not: whether FILL fills a metric that was never published at all. Both answers can be asked for.
"""

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from infra.aws.rule import BROKEN, HIGH, LOW, QUIET, Rule

Point = Mapping[str, float | None]
"""What each metric reports at one time: None where it reports nothing; not in here where it never has."""


def never(point: Point) -> Point:
    """The same where the metrics without a value were never published."""
    return {name: value for name, value in point.items() if value is not None}


def evaluate(expression: str, point: Point, *, fills_unknown: bool) -> float | None:
    """The expression's value at one time; None: there is none."""
    return _Math(point, fills_unknown).of(ast.parse(expression, mode="eval").body)


class _Math:
    def __init__(self, point: Point, fills_unknown: bool) -> None:
        self._point, self._fills_unknown = point, fills_unknown

    def of(self, node: ast.expr) -> float | None:
        if isinstance(node, ast.Constant):
            assert isinstance(node.value, (int, float))
            return float(node.value)
        if isinstance(node, ast.Name):
            return self._point.get(node.id)
        if isinstance(node, ast.Compare):
            left, right = self.of(node.left), self.of(node.comparators[0])
            assert isinstance(node.ops[0], ast.Gt)
            return None if left is None or right is None else float(left > right)
        if isinstance(node, ast.BinOp):
            return _arithmetic(node.op, self.of(node.left), self.of(node.right))
        function, arguments = _call(node)
        if function == "IF":
            asked = self.of(arguments[0])
            return None if asked is None else self.of(arguments[1 if asked else 2])
        assert function == "SUM", function
        values = [value for value in self._list(arguments[0]) if value is not None]
        return sum(values) if values else None

    def _list(self, node: ast.expr) -> list[float | None]:
        if isinstance(node, ast.List):
            return [self.of(item) for item in node.elts]
        function, (inner, instead) = _call(node)
        assert function == "FILL", function
        assert isinstance(inner, ast.List)
        return [self._filled(item, self.of(instead)) for item in inner.elts]

    def _filled(self, item: ast.expr, instead: float | None) -> float | None:
        assert isinstance(item, ast.Name)
        unknown = item.id not in self._point
        value = self.of(item)
        return instead if value is None and (self._fills_unknown or not unknown) else value


def _call(node: ast.expr) -> tuple[str, list[ast.expr]]:
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    return node.func.id, node.args


def _arithmetic(operator: ast.operator, left: float | None, right: float | None) -> float | None:
    if left is None or right is None or (isinstance(operator, ast.Div) and right == 0):
        return None
    operations: dict[type[ast.operator], Any] = {
        ast.Add: lambda: left + right,
        ast.Sub: lambda: left - right,
        ast.Mult: lambda: left * right,
        ast.Div: lambda: left / right,
    }
    return float(operations[type(operator)]())


def is_alarm(rule: Rule, points: Sequence[Point], *, fills_unknown: bool = True) -> bool:
    """Whether the rule's alarm is on after these points, one each period, the newest last."""
    assert len(points) == rule.periods
    expression = rule.expression or next(iter(rule.metrics))
    wrong = [_is_wrong(rule, evaluate(expression, point, fills_unknown=fills_unknown)) for point in points]
    return wrong.count(True) >= (rule.datapoints or rule.periods)


def _is_wrong(rule: Rule, value: float | None) -> bool:
    if value is None:
        return {BROKEN: True, QUIET: False}.get(rule.missing, False)
    return {HIGH: value >= rule.threshold, LOW: value < rule.threshold}[rule.comparison]
