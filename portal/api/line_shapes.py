"""A line of an invoice as Orb's clients read it: amounts are text, quantities are exact numbers, days are instants."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from portal.api.shapes import number, stamp
from portal.domain import money, periods
from portal.domain.document import Adjustment, Line, SubLine, TaxAmount

# What a number is on the wire stands as text in our documents, so that nothing on the way can round it.
NUMBERS = {"fixed_price_quantity", "conversion_rate", "scaling_factor", "first_unit", "last_unit"}
NUMBERS |= {"percentage_discount", "usage_discount", "maximum_units", "package_size"}
WORDS = {str, bool, type(None)}
amount = lru_cache(maxsize=4096)(money.wire)  # most of them are 0.00


def line(line: Line, currency: str, timezone: str) -> dict[str, Any]:
    return {
        "id": line["id"],
        "name": line["name"],
        "quantity": number(Decimal(line["quantity"])),
        "start_date": _midnight(line["start"], timezone),
        "end_date": _midnight(line["end"], timezone),
        "subtotal": amount(line["subtotal"], currency),
        "adjusted_subtotal": amount(line["adjusted_subtotal"], currency),
        "credits_applied": amount(line["credits_applied"], currency),
        "partially_invoiced_amount": amount(line["partially_invoiced"], currency),
        "amount": amount(line["amount"], currency),
        "adjustments": [_adjustment(one, line, currency) for one in line["adjustments"]],
        "sub_line_items": [_sub_line(one, currency) for one in line["sub_lines"]],
        "tax_amounts": [tax(one, currency) for one in line["taxes"]],
        "price": price(line["price"]),
        "filter": None,
        "grouping": None,
        "usage_customer_ids": None,
    }


def price(wire: Any) -> Any:
    """A price as it stands in a document, its numbers as JSON numbers."""
    if isinstance(wire, Mapping):
        # Most of a price is words and nulls, and an invoice of sixty lines has two thousand of them.
        return {
            name: value if type(value) in WORDS and name not in NUMBERS else _part(name, value)
            for name, value in wire.items()
        }
    return [price(one) for one in wire] if isinstance(wire, list) else wire


@lru_cache(maxsize=4096)  # the lines of an invoice begin and end on the same few days
def _midnight(day: str, timezone: str) -> str | None:
    return stamp(periods.midnight(date.fromisoformat(day), timezone))


def is_idle(line: Line) -> bool:
    """Has the line no quantity, and no minimum of its own that charges for it all the same?"""
    held_up = any(one["type"] == "minimum" and not one["is_invoice_level"] for one in line["adjustments"])
    return not Decimal(line["quantity"]) and not held_up


def _part(name: str, value: Any) -> Any:
    if name == "metadata":  # its keys are the caller's, whatever they are called
        return value
    return _number(value) if name in NUMBERS else price(value)


def _number(value: Any) -> Any:
    return number(Decimal(value)) if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else value


def _adjustment(one: Adjustment, line: Line, currency: str) -> dict[str, Any]:
    """`amount` is signed as it changes the line, so that subtotal + adjustments = adjusted_subtotal."""
    kind = one["type"]
    value = one["value"]
    special: dict[str, Any] = {"item_id": line["item"]["id"]} if kind == "minimum" else {}
    if kind in ("minimum", "maximum"):
        special[f"{kind}_amount"] = value
    else:
        special[kind] = value if kind == "amount_discount" else number(Decimal(value))
    return {
        "id": one["id"],
        "adjustment_type": kind,
        "amount": money.wire(one["amount"], currency),
        "applies_to_price_ids": one["price_ids"],
        "filters": [],
        "is_invoice_level": one["is_invoice_level"],
        "reason": one["reason"],
        "replaces_adjustment_id": None,
        **special,
    }


def _sub_line(one: SubLine, currency: str) -> dict[str, Any]:
    return {
        "name": one["name"],
        "quantity": number(Decimal(one["quantity"])),
        "amount": money.wire(one["amount"], currency),
        "grouping": None,
        **_sub_line_kind(one),
    }


def _sub_line_kind(one: SubLine) -> dict[str, Any]:
    if one["type"] == "tier":
        bounds = {"first_unit": _number(one["first_unit"]), "last_unit": _number(one["last_unit"])}
        return {"type": "tier", "tier_config": {**bounds, "unit_amount": one["unit_amount"]}}
    if one["type"] == "matrix":
        values = one["dimension_values"] or []
        return {"type": "matrix", "matrix_config": {"dimension_values": values}, "scaled_quantity": None}
    return {"type": "'null'"}  # with the quotes: that is what Orb's clients look for


def tax(one: TaxAmount, currency: str) -> dict[str, Any]:
    return {
        "amount": money.wire(one["amount"], currency),
        "tax_rate_description": one["description"],
        "tax_rate_percentage": one["percentage"],
        "tax_reason": None,
    }
