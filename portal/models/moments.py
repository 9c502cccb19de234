"""The moments at which several rows change together: a customer arrives, an invoice is issued or voided."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from portal.models import drafting
from portal.models.account import Account
from portal.models.base import db
from portal.models.collection import Collection
from portal.models.credit import CreditBlock
from portal.models.credit_note import CreditNote
from portal.models.customer import BalanceTransaction, Customer
from portal.models.invoice import IllegalState, Invoice, changed
from portal.models.link import Link
from portal.models.outbox import Letter
from portal.models.payment import Payment, refuse_live
from portal.models.record import Record


def welcome(account: Account, now: datetime, kid: str, by: str, **fields: Any) -> Customer:
    """A new customer with her permanent link, unless the account or she herself is to have none."""
    with db.atomic():
        customer = Customer.add(account, now, by, **fields)
        if customer.permanent_portal_link and not Account.get_by_id(account.id).customer_portal_sessions_only:
            Link.permanent(customer, now, kid, by)
    return customer


def issue(invoice: Invoice, now: datetime, kid: str, by: str) -> Invoice:
    """Issues a draft: number, balance, frozen document, first link and letter, all or none.

    An invoice that asks for nothing is paid at once. Raises IllegalState unless it is a draft.
    """
    with db.atomic():
        customer = Customer.get_by_id(invoice.customer_id).held()
        held = invoice.held()
        if held.status != "draft":
            raise IllegalState(f"only a draft can be issued; this invoice is {held.status}")
        account = Account.get_by_id(held.account_id)
        held.customer = customer
        drafting.settle(held, now)
        held.settle_terms(customer.timezone)
        held.number, held.status, held.issued_at = account.next_number(), "issued", now
        held.memo = held.memo if held.memo is not None else account.memo
        held.eligible_to_issue_at, held.will_auto_issue = None, False
        _apply_balance(held, customer, now)
        held.document = {**held.document, **parties(account, customer)}
        if held.amount_due == 0:
            held.status, held.paid_at = "paid", now
        held.save()
        Collection.plan(held, customer.timezone, now)
        Link.first(held, account, customer.timezone, now, kid, by)
        if customer.email_delivery and held.status == "issued":
            Letter.queue(customer, "invoice", now, f"invoice:{held.id}:issued", invoice_id=held.id)
        Record.write(account.id, now, by, "invoice.issued", held.id, number=held.number)
    return held


def void(invoice: Invoice, now: datetime, by: str) -> Invoice:
    """Voids an issued invoice and gives back the balance it took. Its link keeps opening."""
    with db.atomic():
        customer = Customer.get_by_id(invoice.customer_id).held()
        held = invoice.held()
        if held.status != "issued":
            raise IllegalState(f"only an issued invoice can be voided; this one is {held.status}")
        refuse_live(held)
        if Payment.received([held.id]):
            raise IllegalState("payments were received for this invoice: it can no longer be voided")
        if CreditNote.of(held):
            raise IllegalState("credit notes were issued for this invoice: it can no longer be voided")
        CreditBlock.give_back(customer, held.id, now)
        if held.balance_applied:
            BalanceTransaction.move(customer, held.balance_applied, "return_from_voiding", now, invoice_id=held.id)
        Invoice.update(**changed(held, {"status": "void", "voided_at": now})).where(Invoice.id == held.id).execute()
        Collection.stop(held.id)
        Record.write(held.account_id, now, by, "invoice.voided", held.id)
    return held


def parties(account: Account, customer: Customer) -> dict[str, Any]:
    """Both sides of an invoice as they are now, for its document to keep."""
    return {
        "seller": {"name": account.name, "support_email": account.support_email, **account.company},
        "customer": {
            "name": customer.name,
            "email": customer.email,
            "billing_address": customer.billing_address,
            "shipping_address": customer.shipping_address,
            "tax_id": customer.tax_id,
        },
        "footer": account.footer,
        "timezone": customer.timezone,
    }


def _apply_balance(invoice: Invoice, customer: Customer, now: datetime) -> None:
    """Takes from the customer's credit what the invoice asks for, or adds to it what she owes, or what is returned."""
    taken = customer.covers(invoice.total, invoice.currency)
    if taken:
        invoice.balance_applied, invoice.amount_due = taken, invoice.total - taken
        BalanceTransaction.move(customer, -taken, "applied_to_invoice", now, invoice_id=invoice.id)
