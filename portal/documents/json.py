"""An invoice for the customer's own programs: what the page shows, and no id, metadata or note of the operator's."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from portal.documents.line import Line
from portal.documents.paper import Paper
from portal.domain.money import plain, wire


def written(paper: Paper) -> str:
    """`paper` as JSON: amounts are text in major units, days YYYY-MM-DD, the last day of a line is inclusive."""
    return json.dumps(_invoice(paper), ensure_ascii=False, indent=2) + "\n"


def _invoice(paper: Paper) -> dict[str, Any]:
    def amount(minor: int) -> str:
        return wire(minor, paper.currency)

    return {
        "number": paper.number,
        "status": paper.status,
        "currency": paper.currency,
        "invoice_date": _day(paper.invoice_date),
        "due_date": _day(paper.due_date),
        "paid_on": _day(paper.paid_on),
        "voided_on": _day(paper.voided_on),
        "seller": {name: paper.seller.get(name) for name in ("name", "address", "tax_id", "support_email")},
        "customer": {name: paper.customer.get(name) for name in ("name", "billing_address", "tax_id")},
        "lines": [_line(line, paper.currency) for line in paper.lines],
        "unused_lines_left_out": paper.hidden,
        "adjustments": [
            {"type": one.type, "value": one.value, "reason": one.reason, "amount": amount(one.amount)}
            for one in paper.changes
        ],
        "subtotal": amount(paper.subtotal),
        "credits_applied": amount(paper.credits),
        "billed_before": amount(paper.billed_before),
        "taxes": [
            {"description": tax.description, "percentage": tax.percentage, "amount": amount(tax.amount)}
            for tax in paper.taxes
        ],
        "total": amount(paper.total),
        "balance_applied": amount(paper.balance_applied),
        "amount_due": amount(paper.amount_due),
        "payments": [
            {"received_on": _day(one.on), "method": one.method, "amount": amount(one.amount)} for one in paper.payments
        ],
        # What else was booked: less is to be paid where it is positive, and more where it is negative.
        "payment_movements": [{"kind": kind, "amount": amount(minor)} for kind, minor in paper.moved],
        "credit_notes": [
            {
                "number": one.number,
                "date": _day(one.on),
                "reason": one.reason,
                "memo": one.memo,
                "amount": amount(one.amount),
                "taken_off_what_is_due": amount(one.applied),
                "added_to_balance": amount(one.to_balance),
            }
            for one in paper.notes
        ],
        "amount_remaining": amount(paper.remaining),
        "memo": paper.memo,
        "footer": paper.footer,
    }


def _line(line: Line, currency: str) -> dict[str, Any]:
    def amount(minor: int) -> str:
        return wire(minor, currency)

    return {
        "name": line.name,
        "start_date": _day(line.start),
        "end_date": _day(line.last),
        "quantity": line.quantity,
        "unit": line.unit or None,
        "unit_price": line.unit_price,
        "rate": _rate(line),
        "share_of_period": line.share.fraction if line.share else None,
        "parts": [
            {
                **{name: part[name] for name in ("name", "quantity", "first_unit", "last_unit", "dimension_values")},
                "unit_price": part["unit_amount"],
                "amount": amount(part["amount"]),
            }
            for part in line.parts
        ],
        "subtotal": amount(line.subtotal),
        "adjustments": [
            {"type": one["type"], "reason": one["reason"], "amount": amount(one["amount"])} for one in line.adjustments
        ],
        "credits_applied": amount(line.credits),
        "billed_before": amount(line.billed_before),
        "amount": amount(line.amount),
        "taxes": [
            {"description": tax["description"], "percentage": tax["percentage"], "amount": amount(tax["amount"])}
            for tax in line.taxes
        ],
    }


def _rate(line: Line) -> dict[str, Any] | None:
    """What was multiplied, count × price; of packages, how many units make one. None where there are parts."""
    if line.rate is None:
        return None
    size = None if line.rate.size is None else plain(line.rate.size)
    return {"count": plain(line.rate.count), "price": plain(line.rate.amount), "package_size": size}


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
