"""Credit notes: lines of an issued invoice that are taken back, in full or in part."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field

from portal import current
from portal.api import errors, line_shapes, paging
from portal.api.body import Schema, body, query
from portal.api.fields import Day, MoneyText, Text, day_in
from portal.api.invoice_shapes import timezone
from portal.api.shapes import number, stamp
from portal.domain import money, periods
from portal.models import credit_note
from portal.models.credit_note import CreditNote, Wanted
from portal.models.customer import Customer
from portal.models.invoice import Invoice

routes = Blueprint("credit_notes", __name__)

MOST_LINES = 1000
ID = re.compile(r"[0-9A-Za-z-]{1,40}")


class CreditedLine(Schema):
    invoice_line_item_id: str
    amount: MoneyText
    start_date: Day | None = None
    end_date: Day | None = None  # inclusive


class NewNote(Schema):
    line_items: Annotated[list[CreditedLine], Field(min_length=1, max_length=MOST_LINES)]
    reason: Literal["duplicate", "fraudulent", "order_change", "product_unsatisfactory"]
    memo: Text | None = None
    start_date: Day | None = None
    end_date: Day | None = None  # inclusive
    invoice_id: str | None = None  # ours: saves the search for the invoice


@routes.post("/credit_notes")
def create() -> tuple[dict[str, Any], int]:
    given = body(NewNote)
    _refuse_twice(given)
    _refuse_mixed(given)
    invoice = _invoice(given)
    wanted = [_wanted(line, given, invoice) for line in given.line_items]
    note = CreditNote.issue(invoice, wanted, current.now(), current.actor(), reason=given.reason, memo=given.memo)
    return fetch(note.id), 201


@routes.get("/credit_notes")
def listed() -> dict[str, Any]:
    given = query(paging.Dated)
    at = CreditNote.created_at
    own = given.narrowed(_own(), at)
    return paging.page(own, (at, CreditNote.id), given, lambda rows: [_shape(row) for row in rows])


@routes.get("/credit_notes/<id>")
def fetch(id: str) -> dict[str, Any]:
    note = _own().where(CreditNote.id == id).first()
    if note is None:
        raise errors.not_found("CreditNote")
    return _shape(note)


def _own() -> Any:
    rows = CreditNote.select(CreditNote, Invoice, Customer).join(Invoice).switch(CreditNote).join(Customer)
    return rows.where(CreditNote.account == current.account())


def _refuse_twice(given: NewNote) -> None:
    ids = [line.invoice_line_item_id for line in given.line_items]
    if len(set(ids)) < len(ids):
        raise errors.invalid("line_items may name each line of the invoice once.")


def _refuse_mixed(given: NewNote) -> None:
    """Days are said for the whole note or for every line, as Orb has it. Raises Problem."""
    whole = given.start_date or given.end_date
    single = [line for line in given.line_items if line.start_date or line.end_date]
    if whole and single:
        raise errors.invalid("start_date and end_date can be given for the note or for its lines, not for both.")
    if single and len(single) < len(given.line_items):
        raise errors.invalid("start_date and end_date must be given for every line, or for none.")


def _invoice(given: NewNote) -> Invoice:
    """The account's invoice that has the first of the lines. Raises Problem."""
    account, line_id = current.account(), given.line_items[0].invoice_line_item_id
    if given.invoice_id is not None:
        found = Invoice.of(account, given.invoice_id)
    else:
        found = credit_note.holder(account, line_id) if ID.fullmatch(line_id) else None
    if found is None:
        raise errors.not_found("Invoice" if given.invoice_id is not None else "InvoiceLineItem")
    return found


def _wanted(line: CreditedLine, given: NewNote, invoice: Invoice) -> Wanted:
    minor = money.parse(line.amount, invoice.currency)
    if minor <= 0:
        raise errors.invalid("amount must be more than 0: it is what is taken back.")
    zone = timezone(invoice)
    start = _day(line.start_date or given.start_date, zone)
    last = _day(line.end_date or given.end_date, zone)
    if start and last and last < start:
        raise errors.invalid("end_date is inclusive and must not be before start_date.")
    return Wanted(line.invoice_line_item_id, minor, start, last + timedelta(days=1) if last else None)


def _day(value: date | datetime | None, zone: str) -> date | None:
    return day_in(value, zone) if value else None


def _shape(note: CreditNote) -> dict[str, Any]:
    customer: Customer = note.customer
    return {
        "id": note.id,
        "created_at": stamp(note.created_at),
        "credit_note_number": note.number,
        "credit_note_pdf": None,
        "customer": {"id": customer.id, "external_customer_id": customer.external_id},
        "invoice_id": note.invoice_id,
        "type": note.type,
        "reason": note.reason_words,
        "memo": note.memo,
        "subtotal": money.wire(note.subtotal, note.currency),
        "total": money.wire(note.total, note.currency),
        "line_items": [_line(line, note.currency, timezone(note.invoice)) for line in note.lines],
        "discounts": [],
        "maximum_amount_adjustment": None,
        "minimum_amount_refunded": None,
        "voided_at": stamp(note.voided_at),
    }


def _line(line: dict[str, Any], currency: str, zone: str) -> dict[str, Any]:
    amount = money.wire(line["amount"], currency)
    quantity = line["quantity"]
    return {
        "id": line["id"],
        "item_id": line["item_id"],
        "name": line["name"],
        "quantity": None if quantity is None else number(Decimal(quantity)),
        "subtotal": amount,
        "amount": amount,
        "tax_amounts": [line_shapes.tax(one, currency) for one in line["taxes"]],
        "discounts": [],
        "start_time_inclusive": stamp(periods.midnight(date.fromisoformat(line["start"]), zone)),
        "end_time_exclusive": stamp(periods.midnight(date.fromisoformat(line["end"]), zone)),
    }
