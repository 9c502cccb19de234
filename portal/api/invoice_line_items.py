"""Lines that are put on a draft by hand, whatever it is a draft of, and taken off again."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from portal import current
from portal.api import errors, line_shapes
from portal.api.body import Schema, body
from portal.api.fields import Day, Line, MoneyText, WireNumber, day_in
from portal.api.invoice_draft import MOST_LINES
from portal.api.invoice_shapes import timezone
from portal.domain import money
from portal.models import draft_line
from portal.models.catalog import Item
from portal.models.invoice import Invoice

routes = Blueprint("invoice_line_items", __name__)


class NewLine(Schema):
    invoice_id: str
    amount: MoneyText  # of the whole line
    quantity: WireNumber
    start_date: Day
    end_date: Day  # exclusive
    item_id: str | None = None
    name: Line | None = None


@routes.post("/invoice_line_items")
def create() -> tuple[dict[str, Any], int]:
    given = body(NewLine)
    invoice = _held(given.invoice_id)
    zone = timezone(invoice)
    start, end = day_in(given.start_date, zone), day_in(given.end_date, zone)
    if end < start:
        raise errors.invalid("end_date is exclusive and must not be before start_date.")
    if given.quantity <= 0:
        raise errors.invalid("quantity must be more than 0.")
    if len(invoice.document["lines"]) >= MOST_LINES:
        raise errors.constraint(f"An invoice may have at most {MOST_LINES} lines.")
    minor = money.parse(given.amount, invoice.currency)
    item = _item(given)
    line = draft_line.put(
        invoice,
        item,
        current.now(),
        current.actor(),
        name=given.name or item.name,
        amount=minor,
        quantity=given.quantity,
        start=start,
        end=end,
    )
    return line_shapes.line(line, invoice.currency, zone), 201


@routes.delete("/invoices/<id>/invoice_line_items/<line_id>")
def delete(id: str, line_id: str) -> tuple[dict[str, Any], int]:
    body(Schema)
    invoice = _held(id)
    try:
        draft_line.take_off(invoice, line_id, current.now(), current.actor())
    except LookupError:
        raise errors.not_found("InvoiceLineItem") from None
    return {}, 204


def _held(id: str) -> Invoice:
    """The account's own invoice, held with its customer. Raises Problem."""
    found = Invoice.of(current.account(), id)
    if found is None:
        raise errors.not_found("Invoice")
    customer = found.customer.held()
    held = found.held()
    held.customer = customer
    return held


def _item(given: NewLine) -> Item:
    """By its id, or by its name, or made with that name. Raises Problem."""
    if given.item_id is not None:
        item = Item.of(current.account(), given.item_id)
        if item is None:
            raise errors.not_found("Item")
        return item
    if given.name is None:
        raise errors.invalid("Name the line by name, or what it sells by item_id.")
    return draft_line.named_item(current.account(), given.name, current.now())
