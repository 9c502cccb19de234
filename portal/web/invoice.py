"""The page of one invoice, under its own link and under those of its customer, and each of its lines by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Response
from werkzeug.exceptions import NotFound

from portal.documents.paper import Paper
from portal.documents.working import Working
from portal.models.credit_note import CreditNote
from portal.models.invoice import LineDays
from portal.models.standing import Entry, entries, latest
from portal.web.access import Scope
from portal.web.fragments import page as whole
from portal.web.fragments import wanted
from portal.web.payment_form import LABELS

TEMPLATE = "invoice/page.html"


def page(scope: Scope, invoice_id: str | None = None) -> Response:
    """What is to be paid, first and large; then who, for what, and how it adds up."""
    return whole(TEMPLATE, **shown(scope, invoice_id))


def shown(scope: Scope, invoice_id: str | None = None) -> dict[str, Any]:
    """What the page is rendered from: nothing of it may tell one link from another (web.published keeps it)."""
    return {"paper": paper(scope, invoice_id), "here": _here(invoice_id), "pays": scope.pays}


def line(scope: Scope, line_id: str, invoice_id: str | None = None) -> Response:
    """How one line comes about: its parts, its arithmetic, its days."""
    invoice = scope.invoice(invoice_id)
    found = next((one for one in invoice.document["lines"] if one["id"] == line_id), None)
    if found is None:
        raise NotFound
    days = (LineDays.of(invoice.id, line_id) or []) if found["has_days"] else []
    working = Working.of(found, days, invoice.currency)
    if wanted():
        return whole("invoice/_line.html", working=working)
    alone = {"here": _here(invoice_id), "paper": Paper.of(invoice, [], scope.today), "kind": scope.link.kind}
    return whole("invoice/line.html", working=working, **alone)


def paper(scope: Scope, invoice_id: str | None) -> Paper:
    """The invoice that the link may see, as the customer sees it."""
    invoice = scope.invoice(invoice_id)
    booked = entries(invoice, invoice.document["timezone"])
    shown = [_plain(one) for one in booked] if scope.link.kind == "invoice" else booked
    hide_zero = scope.link.hide_zero_quantity_lines
    return Paper.of(
        invoice, shown, scope.today, attempt=latest(invoice), notes=CreditNote.of(invoice), hide_zero=hide_zero
    )


def _plain(entry: Entry) -> Entry:
    """Without the name of a method that may be a stored one: an invoice link can be forwarded."""
    return replace(entry, label=LABELS[entry.method]) if entry.method in LABELS else entry


def _here(invoice_id: str | None) -> str:
    """Where this invoice stands below its link."""
    return f"invoices/{invoice_id}/" if invoice_id else ""
