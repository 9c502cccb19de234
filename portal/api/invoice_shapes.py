"""An invoice as Orb's clients read it, whole or in summary, and two fields of ours: what is left, and the methods.

First what issuing freezes, then what still moves: the first part of an issued one is kept (api.kept).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal

from portal import current
from portal.api import attempt_shapes, balance_shapes, line_shapes
from portal.api.shapes import address, link_url, number, stamp
from portal.domain import money, periods
from portal.domain.document import Discount
from portal.models.collection import Collection
from portal.models.credit_note import CreditNote
from portal.models.customer import BalanceTransaction, Customer
from portal.models.drafting import work_out_again
from portal.models.invoice import Invoice, owed, settled
from portal.models.link import Link
from portal.models.published_bill import Fetched


def invoice(row: Invoice, *, idle_lines: bool = True) -> dict[str, Any]:
    return invoices([row], idle_lines=idle_lines)[0]


def invoices(rows: Sequence[Invoice], *, idle_lines: bool = True) -> list[dict[str, Any]]:
    """Whole invoices, each with its customer at hand. At most six queries, however many they are."""
    moving = _moving(rows)
    return [{**_terms(row), **_bill(row, idle_lines), **one} for row, one in zip(rows, moving, strict=True)]


def summary(row: Invoice) -> dict[str, Any]:
    return summaries([row])[0]


def summaries(rows: Sequence[Invoice]) -> list[dict[str, Any]]:
    """What a list shows of each invoice: all but its bill."""
    moving = _moving(rows)
    return [{**_terms(row), **one} for row, one in zip(rows, moving, strict=True)]


def frozen(row: Invoice) -> dict[str, Any]:
    """The part of a whole invoice that its issuing froze. It comes first, and `moving` after it."""
    return {**_terms(row), **_bill(row, idle_lines=True)}


def moving(found: Fetched) -> dict[str, Any]:
    """The part of an issued invoice that still moves, as it is now. Queries only for what has happened to it."""
    row = found.invoice
    notes = CreditNote.of_all([row.id])[row.id] if found.was_credited else []
    tried = attempt_shapes.attempts([row])[row.id] if found.was_tried else []
    plan = found.plan if row.auto_collection else None
    return _moves(row, found.link, found.settled, found.moves, notes, tried, plan)


def _moving(rows: Sequence[Invoice]) -> list[dict[str, Any]]:
    """The same of many. Drafts of subscriptions are worked out as of now, for all of a draft still moves."""
    for row in rows:
        work_out_again(row, current.now())
    ids = [row.id for row in rows]
    links, cleared, moves = Link.current("invoice", ids), settled(ids), BalanceTransaction.of_invoices(ids)
    notes, tried, plans = CreditNote.of_all(ids), attempt_shapes.attempts(rows), attempt_shapes.plans(rows)
    return [
        _moves(
            row,
            links.get(row.id),
            cleared.get(row.id, 0),
            moves[row.id],
            notes[row.id],
            tried[row.id],
            plans.get(row.id),
        )
        for row in rows
    ]


def _terms(row: Invoice) -> dict[str, Any]:
    due = periods.midnight(row.due_date, timezone(row)) if row.due_date else None
    return {
        "id": row.id,
        "invoice_number": row.number or "",
        "invoice_source": row.source,
        "currency": row.currency,
        "memo": row.memo,
        "subscription": {"id": row.subscription_id} if row.subscription_id else None,
        "invoice_date": stamp(row.invoice_date),
        "due_date": stamp(due),
        "issued_at": stamp(row.issued_at),
        "total": money.wire(row.total, row.currency),
        "amount_due": money.wire(row.amount_due, row.currency),
        "invoice_pdf": None,
        **_addresses(row),
    }


def _addresses(row: Invoice) -> dict[str, Any]:
    """The customer as she was when the invoice was issued; as she is now while it is a draft."""
    customer: Customer = row.customer
    names = ("billing_address", "shipping_address", "tax_id")
    frozen = row.document.get("customer") or {name: getattr(customer, name) for name in names}
    return {
        "billing_address": address(frozen["billing_address"]),
        "shipping_address": address(frozen["shipping_address"]),
        "customer_tax_id": frozen["tax_id"],
    }


def _moves(
    row: Invoice,
    link: Link | None,
    cleared: int,
    moves: Sequence[BalanceTransaction],
    notes: Sequence[CreditNote],
    tried: Sequence[attempt_shapes.Attempt],
    plan: Collection | None,
) -> dict[str, Any]:
    left, customer = owed(row.status, row.amount_due, cleared), row.customer
    return {
        "status": row.status,
        "customer": {"id": customer.id, "external_customer_id": customer.external_id},
        "amount_remaining": money.wire(left, row.currency),
        "metadata": row.metadata,
        "payment_methods": row.payment_methods,
        "hosted_invoice_url": link_url(link),
        **_moments(row),
        **attempt_shapes.attempted(row, tried, plan, left),
        "customer_balance_transactions": [_move(one, row.currency, notes) for one in moves],
        "credit_notes": [_note(one) for one in notes],
    }


def _moments(row: Invoice) -> dict[str, Any]:
    eligible = row.eligible_to_issue_at  # issuing empties it
    return {
        "created_at": stamp(row.created_at),
        "will_auto_issue": row.will_auto_issue,
        "eligible_to_issue_at": stamp(eligible),
        "scheduled_issue_at": stamp(eligible if row.will_auto_issue else None),
        "paid_at": stamp(row.paid_at),
        "voided_at": stamp(row.voided_at),
        "payment_received_at": stamp(row.payment_received_at),
        "issue_failed_at": None,
        "sync_failed_at": None,
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
