"""An invoice as Orb's clients read it, whole or in summary, and two fields of ours: what is left, and the methods."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal

from portal import current
from portal.api import attempt_shapes, balance_shapes, line_shapes
from portal.api.shapes import address, link_url, number, stamp
from portal.domain import money, periods
from portal.domain.document import Discount
from portal.models.credit_note import CreditNote
from portal.models.customer import BalanceTransaction, Customer
from portal.models.drafting import work_out_again
from portal.models.invoice import Invoice, balance_moves, owed, settled
from portal.models.link import Link


def invoice(row: Invoice, *, idle_lines: bool = True) -> dict[str, Any]:
    return invoices([row], idle_lines=idle_lines)[0]


def invoices(rows: Sequence[Invoice], *, idle_lines: bool = True) -> list[dict[str, Any]]:
    """Whole invoices, each with its customer at hand. At most six queries, however many they are."""
    return [{**head, **_bill(row, idle_lines)} for row, head in zip(rows, summaries(rows), strict=True)]


def summary(row: Invoice) -> dict[str, Any]:
    return summaries([row])[0]


def summaries(rows: Sequence[Invoice]) -> list[dict[str, Any]]:
    """What a list shows of each invoice: all but its bill. Drafts of subscriptions are worked out as of now."""
    for row in rows:
        work_out_again(row, current.now())
    ids = [row.id for row in rows]
    links, cleared, moves = Link.current("invoice", ids), settled(ids), balance_moves(ids)
    notes, tried, plans = CreditNote.of_all(ids), attempt_shapes.attempts(rows), attempt_shapes.plans(rows)
    left = {row.id: owed(row.status, row.amount_due, cleared.get(row.id, 0)) for row in rows}
    return [
        {
            **_head(row, links.get(row.id)),
            **_moments(row),
            **_parties(row),
            **_money(row, left[row.id]),
            **attempt_shapes.attempted(row, tried[row.id], plans.get(row.id), left[row.id]),
            "customer_balance_transactions": [_move(one, row.currency, notes[row.id]) for one in moves[row.id]],
            "credit_notes": [_note(one) for one in notes[row.id]],
        }
        for row in rows
    ]


def _head(row: Invoice, link: Link | None) -> dict[str, Any]:
    return {
        "id": row.id,
        "status": row.status,
        "invoice_number": row.number or "",
        "invoice_source": row.source,
        "currency": row.currency,
        "memo": row.memo,
        "metadata": row.metadata,
        "subscription": {"id": row.subscription_id} if row.subscription_id else None,
        "will_auto_issue": row.will_auto_issue,
        "payment_methods": row.payment_methods,
        "hosted_invoice_url": link_url(link),
        "invoice_pdf": None,
    }


def _moments(row: Invoice) -> dict[str, Any]:
    due = periods.midnight(row.due_date, timezone(row)) if row.due_date else None
    eligible = row.eligible_to_issue_at  # issuing empties it
    return {
        "created_at": stamp(row.created_at),
        "invoice_date": stamp(row.invoice_date),
        "due_date": stamp(due),
        "eligible_to_issue_at": stamp(eligible),
        "scheduled_issue_at": stamp(eligible if row.will_auto_issue else None),
        "issued_at": stamp(row.issued_at),
        "paid_at": stamp(row.paid_at),
        "voided_at": stamp(row.voided_at),
        "payment_received_at": stamp(row.payment_received_at),
        "issue_failed_at": None,
        "sync_failed_at": None,
    }


def _parties(row: Invoice) -> dict[str, Any]:
    """The customer as she was when the invoice was issued; as she is now while it is a draft."""
    customer: Customer = row.customer
    names = ("billing_address", "shipping_address", "tax_id")
    frozen = row.document.get("customer") or {name: getattr(customer, name) for name in names}
    return {
        "customer": {"id": customer.id, "external_customer_id": customer.external_id},
        "billing_address": address(frozen["billing_address"]),
        "shipping_address": address(frozen["shipping_address"]),
        "customer_tax_id": frozen["tax_id"],
    }


def _money(row: Invoice, left: int) -> dict[str, Any]:
    return {
        "total": money.wire(row.total, row.currency),
        "amount_due": money.wire(row.amount_due, row.currency),
        "amount_remaining": money.wire(left, row.currency),
    }


def _move(one: BalanceTransaction, currency: str, notes: Sequence[CreditNote]) -> dict[str, Any]:
    return balance_shapes.move(one, currency, {note.number: note.id for note in notes})


def _note(one: CreditNote) -> dict[str, Any]:
    return {
        "id": one.id,
        "credit_note_number": one.number,
        "memo": one.memo,
        "reason": one.reason_words,
        "total": money.wire(one.total, one.currency),
        "type": one.type,
        "voided_at": stamp(one.voided_at),
    }


def _bill(row: Invoice, idle_lines: bool) -> dict[str, Any]:
    lines = row.document["lines"]
    shown = [line for line in lines if idle_lines or not line_shapes.is_idle(line)]
    # Of what takes units off, Orb's clients know on lines only.
    discounts = [_discount(one) for one in row.document["discounts"] if one["type"] != "usage_discount"]
    return {
        "subtotal": money.wire(row.subtotal, row.currency),
        "line_items": [line_shapes.line(line, row.currency, timezone(row)) for line in shown],
        "hidden_line_item_count": len(lines) - len(shown),
        "discount": discounts[0] if discounts else None,
        "discounts": discounts,
        **_bound(row, "minimum"),
        **_bound(row, "maximum"),
    }


def _discount(one: Discount) -> dict[str, Any]:
    kind, value = one["type"], one["value"]
    return {
        "discount_type": kind.removesuffix("_discount"),
        kind: value if kind == "amount_discount" else number(Decimal(value)),
        "applies_to_price_ids": one.get("price_ids"),
        "filters": None,
        "reason": one.get("reason"),
    }


def _bound(row: Invoice, kind: Literal["minimum", "maximum"]) -> dict[str, Any]:
    """What the whole invoice had to reach, or could not pass."""
    minor = row.document.get(kind)
    if minor is None:
        return {kind: None, f"{kind}_amount": None}
    amount = money.wire(minor, row.currency)
    price_ids = [line["price"]["id"] for line in row.document["lines"]]
    return {
        kind: {f"{kind}_amount": amount, "applies_to_price_ids": price_ids, "filters": []},
        f"{kind}_amount": amount,
    }


def timezone(row: Invoice) -> str:
    """The customer's time zone: as it was frozen, or as it is while the invoice is a draft."""
    name: str = row.document.get("timezone") or row.customer.timezone
    return name
