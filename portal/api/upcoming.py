"""The invoice that a subscription will get next, as far as it has come."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from typing import Any

from flask import Blueprint

from portal import current
from portal.api import errors, invoice_shapes
from portal.api.body import Query, query
from portal.api.usage import own
from portal.domain import periods
from portal.models.bill import Running
from portal.models.billed import first_said
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.line_id import line_id
from portal.models.subscription import Subscription
from portal.models.upcoming import Upcoming

routes = Blueprint("upcoming", __name__)


class Wanted(Query):
    subscription_id: str
    include_zero_quantity_line_items: bool = True


@routes.get("/invoices/upcoming")
def fetch_upcoming() -> dict[str, Any]:
    given = query(Wanted)
    subscription = own(given.subscription_id)
    customer = Customer.get_by_id(subscription.customer_id)
    invoice = _invoice(subscription, customer)
    shape = invoice_shapes.invoice(invoice, idle_lines=given.include_zero_quantity_line_items)
    shape["target_date"] = shape.pop("invoice_date")
    return shape


def _invoice(subscription: Subscription, customer: Customer) -> Invoice:
    """The draft that would be made at the end of the period; it is kept nowhere. Raises Problem."""
    now, grace = current.now(), timedelta(hours=current.settings().event_grace_hours)
    today = periods.local_day(now, customer.timezone)
    boundary = _next(subscription, customer, today)
    document = boundary.document
    if document is None:
        raise errors.constraint("This subscription has no upcoming invoice: it has ended, or cannot be worked out.")
    dated = periods.midnight(boundary.issued_on, customer.timezone)
    id = hashlib.blake2b(f"upcoming {subscription.id} {boundary.issued_on}".encode(), digest_size=8).hexdigest()
    lines = [{**line, "id": line_id(id, line["price"]["id"])} for line in document["lines"]]
    return Invoice(
        id=id,
        account=subscription.account_id,
        customer=customer,
        subscription=subscription,
        source="subscription",
        status="draft",
        created_at=now,
        currency=subscription.currency,
        invoice_date=dated,
        net_terms=subscription.net_terms,
        eligible_to_issue_at=dated + (grace if boundary.metered else timedelta()),
        will_auto_issue=first_said(subscription.auto_issuance, customer.auto_issuance, True),
        auto_collection=first_said(subscription.auto_collection, customer.auto_collection, False),
        memo=subscription.default_invoice_memo,
        subtotal=document["subtotal"],
        total=document["total"],
        amount_due=document["total"] - customer.covers(document["total"], subscription.currency),
        document={**document, "lines": lines},
    )


def _next(subscription: Subscription, customer: Customer, today: date) -> Upcoming:
    """Together with what else the customer is billed, which may take her prepaid credits first."""
    running = Running.of(customer.id, today)
    if subscription.id not in {one.subscription.id for one in running}:
        running = Running.each([subscription], today)
    found = Upcoming.expected(running, customer.id, customer.timezone, current.now())
    return next(one for one in found if one.subscription.id == subscription.id)
