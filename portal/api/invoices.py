"""Invoices: made as drafts, issued, paid, voided, sent; and lists of them."""

from __future__ import annotations

from typing import Annotated, Any

from flask import Blueprint
from pydantic import Field

from portal import current
from portal.api import errors, invoice_draft, invoice_shapes, paging, shapes
from portal.api.body import Query, Schema, body, query
from portal.api.fields import Day, ExternalId, Metadata, Methods, Text, day_in, merged
from portal.api.invoice_draft import INVOICE, LONGEST_TERMS, Wanted
from portal.api.invoice_filters import Filters, LineFilters, found
from portal.models import moments
from portal.models.base import new_id
from portal.models.customer import Customer
from portal.models.invoice import IllegalState, Invoice
from portal.models.outbox import Letter
from portal.models.payment import Payment

routes = Blueprint("invoices", __name__)

ORDER = (Invoice.invoice_date, Invoice.id)
MAY_BE_NULL = ("due_date", "net_terms", "metadata", "payment_methods")


class Fetching(Query):
    include_zero_quantity_line_items: bool = True


class Changes(Schema):
    accepted = INVOICE - {"auto_collection", "due_date", "invoice_date", "metadata", "net_terms"}

    auto_collection: bool | None = None
    due_date: Day | None = None
    invoice_date: Day | None = None
    metadata: Metadata | None = None
    net_terms: Annotated[int, Field(ge=0, le=LONGEST_TERMS)] | None = None
    payment_methods: Annotated[Methods, Field(min_length=1)] | None = None  # narrows the customer's


class Issuing(Schema):
    synchronous: bool | None = None  # it always is


class Nothing(Schema):
    """A call that takes no parameters."""


class Received(Schema):
    payment_received_date: Day
    external_id: ExternalId | None = None
    notes: Text | None = None


@routes.post("/invoices")
def create() -> tuple[dict[str, Any], int]:
    invoice = invoice_draft.draft(body(Wanted), current.account())
    return invoice_shapes.invoice(by_id(invoice.id)), 201


@routes.get("/invoices")
def listed() -> dict[str, Any]:
    given = query(LineFilters)

    def shape(rows: list[Invoice]) -> list[dict[str, Any]]:
        return invoice_shapes.invoices(rows, idle_lines=given.include_zero_quantity_line_items)

    return paging.page(found(given, current.account(), current.now()), ORDER, given, shape)


@routes.get("/invoices/summary")
def list_summary() -> dict[str, Any]:
    given = query(Filters)
    return paging.page(found(given, current.account(), current.now()), ORDER, given, invoice_shapes.summaries)


@routes.get("/invoices/<id>")
def fetch(id: str) -> dict[str, Any]:
    given = query(Fetching)
    return invoice_shapes.invoice(by_id(id), idle_lines=given.include_zero_quantity_line_items)


@routes.put("/invoices/<id>")
def update(id: str) -> dict[str, Any]:
    given = body(Changes)
    found = by_id(id)
    held = found.held()
    held.change(_columns(held, found.customer, given), current.now(), current.actor())
    return invoice_shapes.invoice(by_id(id))


@routes.post("/invoices/<id>/issue")
def issue(id: str) -> dict[str, Any]:
    return invoice_shapes.invoice(_issued(id))


@routes.post("/invoices/summary/<id>/issue")
def issue_summary(id: str) -> dict[str, Any]:
    return invoice_shapes.summary(_issued(id))


@routes.post("/invoices/<id>/void")
def void(id: str) -> dict[str, Any]:
    body(Nothing)
    moments.void(by_id(id), current.now(), current.actor())
    return invoice_shapes.invoice(by_id(id))


@routes.post("/invoices/<id>/mark_paid")
def mark_paid(id: str) -> dict[str, Any]:
    """All that is left is taken as received."""
    given = body(Received)
    invoice = by_id(id)
    day = day_in(given.payment_received_date, invoice_shapes.timezone(invoice))
    Payment.record(
        invoice,
        current.now(),
        current.actor(),
        received_on=day,
        external_id=given.external_id,
        notes=given.notes,
    )
    return invoice_shapes.invoice(by_id(id))


@routes.post("/invoices/<id>/send")
def send(id: str) -> tuple[dict[str, Any], int]:
    """Queues the invoice's letter once more; the worker sends it."""
    body(Nothing)
    invoice = by_id(id)
    status = invoice.held().status
    if status in ("draft", "void"):
        raise IllegalState(f"only an issued invoice can be sent; this one is {status}")
    letter = Letter.queue(
        invoice.customer, "invoice", current.now(), f"invoice:{invoice.id}:sent:{new_id()}", invoice_id=invoice.id
    )
    queued = {"id": letter.id, "status": "queued", "invoice_id": invoice.id}
    return {**queued, "created_at": shapes.stamp(letter.created_at)}, 202


def by_id(id: str) -> Invoice:
    """The account's own invoice as it is now, with its customer. Raises Problem."""
    invoice = Invoice.of(current.account(), id)
    if invoice is None:
        raise errors.not_found("Invoice")
    return invoice


def _issued(id: str) -> Invoice:
    body(Issuing)
    invoice = by_id(id)
    invoice.customer.held()
    held, now = invoice.held(), current.now()
    if held.status == "draft" and held.will_auto_issue:
        raise IllegalState("this invoice issues itself on its date: will_auto_issue is true")
    if held.status == "draft" and held.eligible_to_issue_at and held.eligible_to_issue_at > now:
        raise IllegalState(f"this invoice cannot be issued before {shapes.stamp(held.eligible_to_issue_at)}")
    moments.issue(held, now, current.keyring().active, current.actor())
    return by_id(id)


def _columns(invoice: Invoice, customer: Customer, given: Changes) -> dict[str, Any]:
    """The row's columns for what was given. Null takes a due date or terms away, and leaves the rest alone."""
    _refuse_changes(invoice, set(given.given()))
    invoice_draft.one_due_date(given.net_terms, given.due_date)
    columns = {name: value for name, value in given.given().items() if value is not None or name in MAY_BE_NULL}
    if "metadata" in columns:
        columns["metadata"] = merged(invoice.metadata, given.metadata)
    if given.due_date:
        columns |= {"due_date": day_in(given.due_date, customer.timezone), "net_terms": None}
    if given.net_terms is not None:
        columns |= {"due_date": None}
    if given.invoice_date:
        dated = invoice_draft.dated_at(given.invoice_date, customer.timezone)
        opens = invoice_draft.eligible_at(dated, customer.timezone)
        columns |= {"invoice_date": dated, "eligible_to_issue_at": opens}
    return columns


def _refuse_changes(invoice: Invoice, names: set[str]) -> None:
    """Raises IllegalState for what the state of the invoice does not let change."""
    status, bill = invoice.status, sorted(names - {"metadata", "payment_methods"})
    if status != "draft" and bill:
        raise IllegalState(f"only on a draft can {', '.join(bill)} be changed; this invoice is {status}")
    if invoice.source != "one_off" and "invoice_date" in names:
        raise IllegalState("only on a one-off invoice can invoice_date be changed; this one is a subscription's")
