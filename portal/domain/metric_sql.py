"""From the SQL of a metric to its Measure: one aggregate, and the conditions under which an event counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from sqlglot import exp

from portal.domain import conditions, money
from portal.domain.conditions import Condition, Read, Value
from portal.domain.metrics import Measure, NotMeasured
from portal.domain.sql import DEEPEST, only, parsed, quoted, too_deep

AGGREGATES: dict[type[exp.Expression], str] = {
    exp.Count: "count",
    exp.Sum: "sum",
    exp.Max: "max",
    exp.Min: "min",
    exp.Avg: "average",
    exp.Last: "latest",
    exp.LastValue: "latest",
}
SIGNS: dict[type[exp.Expression], str] = {exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}
TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
CAN = "COUNT(*), COUNT(p), COUNT(DISTINCT p), SUM(p), MAX(p), MIN(p), AVG(p) or LATEST(p)"
CONDITIONS = "=, !=, <, <=, >, >=, IN, BETWEEN, LIKE, IS NULL, AND, OR and NOT"
# What Orb's events have beside their name and properties.
OTHER_COLUMNS = {"timestamp", "customer_id", "external_customer_id", "idempotency_key", "id", "event_id", "properties"}
NUMBER = re.compile(r"[0-9]*\.?[0-9]*(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)


def measure(sql: str) -> Measure:
    """What `sql` measures. Raises NotMeasured."""
    try:
        return _select(parsed(sql))
    except RecursionError:
        raise too_deep() from None


def _select(tree: exp.Select) -> Measure:
    newest = _ends_with_the_newest(tree)
    only(tree, "expressions", "from_", "where", *(("order", "limit") if newest else ()))
    _refuse_other_table(tree)
    if len(tree.expressions) != 1:
        raise NotMeasured(f"sql must select one aggregate, {CAN}")
    chosen = tree.expressions[0]
    if isinstance(chosen, exp.Alias):
        chosen = chosen.this
    kind, of = ("latest", _property(chosen)) if newest else _aggregate(chosen)
    where = tree.args.get("where")
    return Measure(kind, of, _condition(where.this, 0) if where else None)


def _ends_with_the_newest(tree: exp.Select) -> bool:
    parts = (tree.args.get(name) for name in ("order", "limit"))
    return " ".join(part.sql().upper() for part in parts if part) == "ORDER BY TIMESTAMP DESC LIMIT 1"


def _refuse_other_table(tree: exp.Select) -> None:
    source = tree.args.get("from_")
    table = source.this if source else None
    if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier) or table.name.lower() != "events":
        raise NotMeasured("sql must read FROM events, and from nothing else")
    only(table, "this")


def _aggregate(node: exp.Expression) -> tuple[str, str | None]:
    kind = AGGREGATES.get(type(node))
    inner: Any = node.this
    if isinstance(node, exp.Anonymous) and str(node.this).upper() == "LATEST" and len(node.expressions) == 1:
        kind, inner = "latest", node.expressions[0]
    elif isinstance(node, exp.ArgMax) and _is_column(node.args["expression"], "timestamp"):
        only(node, "this", "expression")
        kind = "latest"
    elif kind:
        only(node, "this", "big_int")
    if kind is None:
        raise NotMeasured(f"{quoted(node)} cannot be selected: use {CAN}")
    if kind == "count":
        if isinstance(inner, exp.Star) or (isinstance(inner, exp.Literal) and not inner.is_string):
            return "count", None
        if isinstance(inner, exp.Distinct) and len(inner.expressions) == 1:
            only(inner, "expressions")
            return "distinct", _property(inner.expressions[0])
    return kind, _property(inner)


def _condition(node: exp.Expression, depth: int) -> Condition:
    if depth > DEEPEST:
        raise too_deep()
    if isinstance(node, exp.Paren):
        return _condition(node.this, depth + 1)
    if isinstance(node, exp.Not):
        return conditions.opposite(_condition(node.this, depth + 1))
    for junction, joined in ((exp.And, conditions.every), (exp.Or, conditions.some)):
        if isinstance(node, junction):
            return joined([_condition(part, depth + 1) for part in _parts(node, junction)])
    return _simple(node)


def _parts(node: exp.Expression, junction: type[exp.Expression]) -> Iterator[exp.Expression]:
    """a AND b AND c, which the parser nests to the left, side by side."""
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, junction):
            waiting += [part.args["expression"], part.this]
        else:
            yield part


def _simple(node: exp.Expression) -> Condition:
    make = SIMPLE.get(type(node))
    if make is None:
        raise NotMeasured(f"{quoted(node)} cannot be a condition: use {CONDITIONS}")
    return make(node)


def _equality(node: exp.Expression) -> Condition:
    read, value, _ = _sides(node)
    same = conditions.equal(read, value)
    return same if isinstance(node, exp.EQ) else conditions.opposite(same)


def _order(node: exp.Expression) -> Condition:
    read, value, turned = _sides(node)
    sign = SIGNS[type(node)]
    return conditions.ordered(read, TURNED[sign] if turned else sign, _in_order(node, value))


def _sides(node: exp.Expression) -> tuple[Read, Value, bool]:
    """What is compared with what, and whether the value comes first."""
    only(node, "this", "expression")
    left, right = (_bare(node.args[side]) for side in ("this", "expression"))
    if _is_value(left):
        return _read(right), _value(left), True
    return _read(left), _value(right), False


def _among(node: exp.Expression) -> Condition:
    only(node, "this", "expressions")
    return conditions.among(_read(node.this), [_value(part) for part in node.expressions])


def _between(node: exp.Expression) -> Condition:
    only(node, "this", "low", "high")
    read = _read(node.this)
    low, high = (_in_order(node, _value(node.args[end])) for end in ("low", "high"))
    return conditions.every([conditions.ordered(read, ">=", low), conditions.ordered(read, "<=", high)])


def _in_order(node: exp.Expression, value: Value) -> str | Decimal:
    if isinstance(value, bool) or not isinstance(value, str | Decimal):
        raise NotMeasured(f"{quoted(node)} cannot be a condition: true and false have no order, use = or !=")
    return value


def _like(node: exp.Expression) -> Condition:
    pattern = node.args["expression"]
    if not isinstance(pattern, exp.Literal) or not pattern.is_string or "\\" in pattern.name:
        raise NotMeasured(f"{quoted(node)} cannot be a condition: LIKE takes a text without \\")
    only(node, "this", "expression", "negate")
    found = conditions.like(_read(node.this), pattern.name)
    return conditions.opposite(found) if node.args.get("negate") else found


def _is(node: exp.Expression) -> Condition:
    only(node, "this", "expression")
    right = node.args["expression"]
    if isinstance(right, exp.Null):
        return conditions.missing(_read(node.this))
    if isinstance(right, exp.Boolean):
        return conditions.exactly(_read(node.this), bool(right.this))
    raise NotMeasured(f"{quoted(node)} cannot be a condition: IS takes NULL, NOT NULL, TRUE or FALSE")


SIMPLE: dict[type[exp.Expression], Callable[[Any], Condition]] = {
    exp.EQ: _equality,
    exp.NEQ: _equality,
    **dict.fromkeys(SIGNS, _order),
    exp.In: _among,
    exp.Between: _between,
    exp.Like: _like,
    exp.Is: _is,
    exp.Boolean: lambda node: conditions.always(bool(node.this)),
    exp.Column: lambda node: conditions.said(_read(node)),
    exp.Bracket: lambda node: conditions.said(_read(node)),
}


def _read(node: exp.Expression) -> Read:
    if _is_column(_bare(node), "event_name"):
        return conditions.event_name
    return conditions.property_of(_property(node))


def _property(node: exp.Expression) -> str:
    """The property's name, of `p`, `properties.p` or `properties['p']`, in brackets or not."""
    node = _bare(node)
    if isinstance(node, exp.Bracket) and _is_column(node.this, "properties") and len(node.expressions) == 1:
        only(node, "this", "expressions")
        key = node.expressions[0]
        if isinstance(key, exp.Literal) and key.is_string:
            return key.name
    if isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier) and not node.args.get("db"):
        within = node.table.lower() == "properties"
        if within or (not node.table and node.name.lower() not in {*OTHER_COLUMNS, "event_name"}):
            return node.name
        if not node.table:
            raise NotMeasured(f"{quoted(node)} cannot be used here: a metric reads properties; write properties.p")
    raise NotMeasured(f"{quoted(node)} is no property: write p, properties.p or properties['p']")


def _bare(node: Any) -> Any:
    """Without the brackets around it."""
    return _bare(node.this) if isinstance(node, exp.Paren) else node


def _is_column(node: Any, name: str) -> bool:
    return isinstance(node, exp.Column) and not node.table and node.name.lower() == name


def _is_value(node: exp.Expression) -> bool:
    return isinstance(node, exp.Literal | exp.Boolean | exp.Null | exp.Neg)


def _value(node: exp.Expression) -> Value:
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal) and not node.this.is_string:
        return _number(node.this).copy_negate()
    if isinstance(node, exp.Literal):
        return node.name if node.is_string else _number(node)
    if isinstance(node, exp.Null):
        raise NotMeasured("NULL cannot be compared: write IS NULL or IS NOT NULL")
    if isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier) and node.this.args.get("quoted"):
        raise NotMeasured(f"{quoted(node)} is a name, not a text: text stands in single quotes")
    raise NotMeasured(f"{quoted(node)} is no value: compare with a text, a number, true or false")


def _number(node: exp.Literal) -> Decimal:
    try:
        if NUMBER.fullmatch(node.name):
            return money.number(Decimal(node.name))
    except (money.NotRepresentable, ArithmeticError):
        pass
    raise NotMeasured(f"{quoted(node)} is no number that can be held exactly")
