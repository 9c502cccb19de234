"""A line that somebody puts on a draft by hand, or takes off again.

A one-off draft keeps all its lines in its document, which is built again from them. A subscription's draft keeps only
those that were put on it, and is worked out again with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from portal.domain import billing, money
from portal.domain.charges import Day
from portal.domain.document import Line
from portal.models import drafting
from portal.models.account import Account
from portal.models.base import db, new_id
from portal.models.bill import manual
from portal.models.catalog import Item, price_object
from portal.models.invoice import IllegalState, Invoice, LineDays
from portal.models.line_id import line_id
from portal.models.record import Record

DIGITS = 24


def named_item(account: Account, name: str, now: datetime) -> Item:
    """The account's oldest item of this name that is in use, or a new one."""
    same = Item.select().where(Item.account == account, Item.name == name, Item.archived_at.is_null())
    found = same.order_by(Item.created_at, Item.id).first()
    return found or Item.create(account=account, created_at=now, name=name)


def put(
    invoice: Invoice,
    item: Item,
    now: datetime,
    by: str,
    *,
    name: str,
    amount: int,
    quantity: Decimal,
    start: date,
    end: date,
) -> Line:
    """Puts a line of `amount` (minor units, in all) on a draft, which is held by the caller. Raises IllegalState."""
    _refuse_others(invoice)
    named = {"id": item.id, "name": item.name}
    price = price_object(
        new_id(),
        now,
        name=name,
        currency=invoice.currency,
        item=named,
        model_type="unit",
        cadence="one_time",
        fixed_price_quantity=money.plain(quantity),
        unit_config={
            "unit_amount": each(amount, quantity, invoice.currency),
            "prorated": False,
            "scaling_factor": None,
        },
    )
    kept = {
        "id": line_id(invoice.id, new_id()),
        "name": name,
        "item": named,
        "price": price,
        "quantity": money.plain(quantity),
    }
    line = {**kept, "start": start.isoformat(), "end": end.isoformat()}
    with db.atomic():
        if _is_worked_out(invoice):
            _work_out(invoice, [*(invoice.manual_lines or []), line], now)
        else:
            _build(invoice, [*_charged(invoice), manual(line)])
        Record.write(invoice.account_id, now, by, "invoice.line_added", invoice.id, line=line["id"])
    return _line(invoice, str(line["id"]))


def take_off(invoice: Invoice, line_id: str, now: datetime, by: str) -> None:
    """Takes a line off a draft, which is held by the caller. Raises IllegalState, LookupError where there is none."""
    _line(invoice, line_id)
    _refuse_others(invoice)
    with db.atomic():
        if _is_worked_out(invoice):
            kept = [line for line in invoice.manual_lines or [] if line["id"] != line_id]
            if len(kept) == len(invoice.manual_lines or []):
                raise IllegalState("only a line that was put on the draft by hand can be deleted; this one is billed")
            _work_out(invoice, kept, now)
        else:
            _build(invoice, [one for one in _charged(invoice) if one.id != line_id])
            LineDays.delete().where(LineDays.invoice == invoice.id, LineDays.line_id == line_id).execute()
        Record.write(invoice.account_id, now, by, "invoice.line_deleted", invoice.id, line=line_id)


def each(amount: int, quantity: Decimal, currency: str) -> str:
    """The shortest price of one of `quantity` that comes to `amount` (minor units) in all."""
    exact = Fraction(amount, 10 ** money.exponent(currency)) / Fraction(quantity)
    for digits in range(money.exponent(currency), DIGITS):
        price = Decimal(money.whole(exact * 10**digits)).scaleb(-digits, money.EXACT)
        if money.rounded(money.EXACT.multiply(price, quantity), currency) == amount:
            return money.plain(price)
    raise money.NotRepresentable("the amount cannot be divided among so many: choose another quantity.")


def _refuse_others(invoice: Invoice) -> None:
    if invoice.status != "draft":
        raise IllegalState(f"lines can only be added to or deleted from a draft; this invoice is {invoice.status}")


def _is_worked_out(invoice: Invoice) -> bool:
    return invoice.source == "subscription" and invoice.billing_date is not None


def _work_out(invoice: Invoice, lines: list[dict[str, Any]], now: datetime) -> None:
    invoice.manual_lines = lines
    if drafting.work_out_again(invoice, now) is None:
        raise IllegalState("this draft cannot be worked out at the moment: see to the prices of its subscription first")
    _save(invoice)


def _build(invoice: Invoice, charged: list[billing.Charged]) -> None:
    """The document of a one-off draft from its lines, on the terms that it has."""
    before = invoice.document
    taxes = before["lines"][0]["taxes"] if before["lines"] else before.get("tax_rates", [])
    document, _ = billing.build(
        charged,
        invoice.currency,
        new_id=new_id,
        discounts=before["discounts"],
        minimum=before["minimum"],
        maximum=before.get("maximum"),
        tax_rates=[(tax["description"], tax["percentage"]) for tax in taxes],
        credits=before["credits"],
    )
    rates = [{"description": tax["description"], "percentage": tax["percentage"]} for tax in taxes]
    invoice.document = {**before, **document, **({"tax_rates": rates} if rates else {})}  # for when no line is left
    invoice.subtotal, invoice.total = document["subtotal"], document["total"]
    invoice.amount_due = document["total"]
    _save(invoice)


def _save(invoice: Invoice) -> None:
    names = ("document", "manual_lines", "subtotal", "total", "amount_due")
    Invoice.update(**{name: getattr(invoice, name) for name in names}).where(Invoice.id == invoice.id).execute()


def _charged(invoice: Invoice) -> list[billing.Charged]:
    """The lines of a document as they went in."""
    return [_went_in(line, invoice.id) for line in invoice.document["lines"]]


def _went_in(line: Mapping[str, Any], invoice_id: str) -> billing.Charged:
    days = LineDays.of(invoice_id, line["id"]) if line["has_days"] else None
    return billing.Charged(
        id=line["id"],
        name=line["name"],
        item=line["item"],
        price=line["price"],
        quantity=Decimal(line["quantity"]),
        start=date.fromisoformat(line["start"]),
        end=date.fromisoformat(line["end"]),
        days=[
            Day(date.fromisoformat(one["day"]), Decimal(one["quantity"]), Decimal(one["amount"])) for one in days or []
        ]
        or None,
        partially_invoiced=line["partially_invoiced"],
        unit=line.get("unit", ""),
        share=Fraction(line.get("share", 1)),
    )


def _line(invoice: Invoice, id: str) -> Line:
    """Raises LookupError."""
    found: Line | None = next((line for line in invoice.document["lines"] if line["id"] == id), None)
    if found is None:
        raise LookupError(id)
    return found
