"""Lines as Orb's clients read them, of kinds that our own invoices do not have yet as well."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import orjson
import pytest
from orb._models import construct_type, validate_type
from orb.types.shared.invoice import LineItem

from portal.api import line_shapes, shapes
from portal.domain import billing
from portal.domain.document import Line, SubLine
from portal.models.catalog import price_object
from tests.conftest import Clock

PRICE = {"model_type": "unit", "unit_config": {"unit_amount": "0.5", "prorated": False, "scaling_factor": "1.50"}}


def built(clock: Clock, quantity: str = "3", price: dict[str, Any] | None = None, **options: Any) -> Line:
    item = {"id": "item", "name": "Item"}
    wire = price_object("price", clock.now, name="Price", currency="USD", item=item, **(price or PRICE))
    named = billing.ItemName(id="item", name="Item")
    days = (date(2026, 3, 1), date(2026, 4, 1))
    charged = billing.Charged("line", "Line", named, wire, Decimal(quantity), *days)
    return billing.build([charged], "USD", new_id=lambda: "adjustment", **options)[0]["lines"][0]


def on_the_wire(line: Line) -> Any:
    """The line as a strict client takes it: anything else than the exact shape raises."""
    value = orjson.loads(shapes.wire(line_shapes.line(line, "USD", "Europe/Berlin")))
    validate_type(type_=LineItem, value=value)
    return construct_type(type_=LineItem, value=value)


def sub_line(**more: Any) -> SubLine:
    empty = {"first_unit": None, "last_unit": None, "unit_amount": None, "dimension_values": None}
    return {"name": "Part", "quantity": "1.5", "amount": 75, **empty, **more}  # type: ignore[typeddict-item,return-value]  # made of parts


def test_numbers_are_numbers_and_amounts_are_text(clock: Clock) -> None:
    wire = shapes.wire(line_shapes.line(built(clock, "2.50"), "USD", "Europe/Berlin"))

    assert b'"quantity":2.5,' in wire
    assert b'"scaling_factor":1.5' in wire
    assert b'"unit_amount":"0.5"' in wire
    assert b'"subtotal":"1.88"' in wire


def test_days_are_instants_where_the_customer_is(clock: Clock) -> None:
    line = line_shapes.line(built(clock), "USD", "Europe/Berlin")

    assert (line["start_date"], line["end_date"]) == ("2026-02-28T23:00:00+00:00", "2026-03-31T22:00:00+00:00")


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        (sub_line(type="tier", first_unit="0", last_unit="1.5", unit_amount="0.50"), "TierSubLineItem"),
        (sub_line(type="tier", first_unit="1.5", unit_amount="0.50"), "TierSubLineItem"),
        (sub_line(type="matrix", dimension_values=["eu", None]), "MatrixSubLineItem"),
        (sub_line(type="other"), "OtherSubLineItem"),
    ],
)
def test_each_kind_of_part_is_told_from_the_others(clock: Clock, part: SubLine, kind: str) -> None:
    line = on_the_wire({**built(clock), "sub_lines": [part]})

    assert type(line.sub_line_items[0]).__name__ == kind
    assert (line.sub_line_items[0].quantity, line.sub_line_items[0].amount) == (1.5, "0.75")


@pytest.mark.parametrize(
    ("options", "kind", "field", "value", "amount"),
    [
        ({"discounts": [{"type": "percentage_discount", "value": "0.5"}]}, "percentage_discount", None, 0.5, "-1.13"),
        ({"discounts": [{"type": "amount_discount", "value": "1.00"}]}, "amount_discount", None, "1.00", "-1.00"),
        ({"discounts": [{"type": "usage_discount", "value": "1"}]}, "usage_discount", None, 1, "-0.75"),
        ({"minimum": 1000}, "minimum", "minimum_amount", "10.00", "7.75"),
        ({"price": {**PRICE, "maximum_amount": "2.00"}}, "maximum", "maximum_amount", "2.00", "-0.25"),
    ],
)
def test_each_adjustment_says_what_it_changed(
    clock: Clock, options: dict[str, Any], kind: str, field: str | None, value: Any, amount: str
) -> None:
    line = on_the_wire(built(clock, **options))

    (adjustment,) = line.adjustments
    assert (adjustment.adjustment_type, adjustment.amount) == (kind, amount)
    assert getattr(adjustment, field or kind) == value
    assert Decimal(line.subtotal) + Decimal(adjustment.amount) == Decimal(line.adjusted_subtotal)


def test_tax_credits_and_rates_are_told(clock: Clock) -> None:
    line = on_the_wire(built(clock, tax_rates=(("VAT", "19"),), credits=100))

    assert (line.credits_applied, line.amount) == ("1.00", "1.25")
    tax = line.tax_amounts[0]
    assert (tax.tax_rate_description, tax.tax_rate_percentage, tax.amount) == ("VAT", "19", "0.24")


def test_a_line_without_quantity_is_idle_unless_its_own_minimum_charges_for_it(clock: Clock) -> None:
    held_up = built(clock, "0", {**PRICE, "minimum_amount": "5.00"})

    assert line_shapes.is_idle(built(clock, "0"))
    assert line_shapes.is_idle(built(clock, "0", minimum=500))
    assert not line_shapes.is_idle(built(clock, "0.1"))
    assert not line_shapes.is_idle(held_up)
    assert held_up["amount"] == 500
