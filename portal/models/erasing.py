"""A customer who is to be forgotten: what was hers is gone, and her row stays without her name.

What only ever grows stays too, and names nobody: records, movements of her balance, the ledger of her credits, and
events as they were before they were amended.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from portal.models import ingestion
from portal.models.base import db
from portal.models.credit import CreditBlock, text
from portal.models.customer import Customer
from portal.models.event import Event
from portal.models.invoice import IllegalState, Invoice, LineDays
from portal.models.link import Link
from portal.models.outbox import Letter
from portal.models.published import PublishedHome
from portal.models.record import Record
from portal.models.saved_method import Payer, SavedMethod
from portal.models.subscription import Subscription, SubscriptionPrice, Threshold
from portal.models.usage import UsageDay, UsageValue

GONE = "the customer was deleted"
NAMELESS: dict[str, Any] = {
    "name": "",
    "email": "",
    "additional_emails": [],
    "external_id": None,
    "billing_address": None,
    "shipping_address": None,
    "tax_id": None,
    "metadata": {},
    "email_delivery": False,
    "permanent_portal_link": False,
    "payment_methods": None,
    "payment_provider": None,
    "payment_provider_id": None,
    "payment_configuration": None,
}


def erase(customer: Customer, now: datetime, by: str) -> None:
    """Deletes what is hers, and ends her links. Raises IllegalState where invoices were issued to her."""
    with db.atomic():
        ingestion.claim(customer.account_id)  # before her row is held: her usage goes
        held = customer.held()
        issued = Invoice.select().where(Invoice.customer == held, Invoice.status != "draft").count()
        if issued:
            raise IllegalState(
                f"this customer cannot be deleted: invoices that were issued are kept, and she has {issued}"
            )
        Link.end_all(held, now, by, GONE)
        _erase_drafts(held)
        _erase_subscriptions(held)
        for row in (UsageDay, UsageValue, Event):
            row.delete().where(row.customer == held).execute()
        _void_credits(held, now)
        for kept in (SavedMethod, Payer):
            kept.delete().where(kept.customer == held).execute()
        Letter.delete().where(Letter.customer == held, Letter.sent_at.is_null()).execute()
        Customer.update(**NAMELESS, deleted_at=now).where(Customer.id == held.id).execute()
        PublishedHome.drop(held.id)
        Record.write(held.account_id, now, by, "customer.deleted", held.id)


def _erase_drafts(customer: Customer) -> None:
    drafts = Invoice.select(Invoice.id).where(Invoice.customer == customer)
    LineDays.delete().where(LineDays.invoice.in_(drafts)).execute()
    Invoice.delete().where(Invoice.customer == customer).execute()


def _erase_subscriptions(customer: Customer) -> None:
    hers = Subscription.select(Subscription.id).where(Subscription.customer == customer)
    Threshold.delete().where(Threshold.subscription.in_(hers)).execute()
    SubscriptionPrice.delete().where(SubscriptionPrice.subscription.in_(hers)).execute()
    Subscription.delete().where(Subscription.customer == customer).execute()


def _void_credits(customer: Customer, now: datetime) -> None:
    for block in list(CreditBlock.select().where(CreditBlock.customer == customer, CreditBlock.balance != "0")):
        left = Decimal(block.balance)
        block.enter("void", -left, now, detail={"void_amount": text(abs(left)), "void_reason": None})
    CreditBlock.update(description=None, metadata={}).where(CreditBlock.customer == customer).execute()
