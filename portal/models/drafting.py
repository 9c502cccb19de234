"""From subscriptions to invoices: drafted where periods meet, worked out again until they are issued, billed early."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from portal.domain import periods
from portal.domain.document import Document
from portal.models.account import Account
from portal.models.base import db, locked, new_id
from portal.models.bill import CANNOT, Bill, Billed, Running, manual
from portal.models.billed import draft, first_said, plain_days
from portal.models.credit import CreditBlock
from portal.models.credit_note import CreditNote
from portal.models.customer import BalanceTransaction, Customer
from portal.models.event import Backfill
from portal.models.invoice import Invoice, LineDays, changed
from portal.models.line_id import line_id
from portal.models.subscription import Subscription
from portal.models.threshold import partials
from portal.models.usage import UsageDay

GRACE = timedelta(hours=12)  # after a period with usage: late events still count (PORTAL_EVENT_GRACE_HOURS)
PUT_OFF = timedelta(hours=1)  # what cannot be worked out is looked at again
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CannotBill(Exception):
    """A subscription whose bill cannot be worked out; `reason` is a sentence."""

    subscription_id: str
    reason: str


def schedule(subscription: Subscription, timezone: str, now: datetime) -> None:
    """Says when the subscription is billed next, after whatever changed its prices or its days.

    One that ended in the middle of a day is billed for that day at once. Raises NotPriced, OutOfRange.
    """
    (running,) = Running.each([subscription], periods.local_day(now, timezone))
    billed = subscription.billed_to
    day = running.terms.first() if billed is None else running.terms.next(billed)
    moment = None if day is None else periods.midnight(day, timezone)
    if moment and subscription.ends_at and day == subscription.end_date:
        moment = min(moment, subscription.ends_at)
    subscription.bill_at = moment
    Subscription.update(bill_at=moment).where(Subscription.id == subscription.id).execute()


def waiting(now: datetime, limit: int) -> list[Subscription]:
    """The subscriptions whose next invoice is to be drafted, the longest waiting first."""
    return list(
        Subscription.select(Subscription.id, Subscription.customer)
        .join(Account)
        .where(Subscription.bill_at <= now, Account.closed_at.is_null())
        .order_by(Subscription.bill_at, Subscription.id)
        .limit(limit)
    )


def draft_next(waits: Subscription, now: datetime, by: str, grace: timedelta = GRACE) -> Invoice | None:
    """The draft of what falls due; None where somebody was faster, or nothing is asked for. Raises CannotBill."""
    with db.atomic():
        customer = Customer.get_by_id(waits.customer_id).held()
        subscription = locked(Subscription.select().where(Subscription.id == waits.id)).get()
        if subscription.bill_at is None or subscription.bill_at > now:
            return None
        try:
            return _draft(subscription, customer, now, by, grace)
        except CANNOT as error:
            reason = str(error)
    later = Subscription.update(bill_at=now + PUT_OFF).where(Subscription.id == waits.id)
    later.where(Subscription.bill_at <= now).execute()
    raise CannotBill(waits.id, reason)


def put_off(invoice: Invoice, now: datetime) -> None:
    """A draft that could not be issued is looked at again later."""
    mine = Invoice.update(eligible_to_issue_at=now + PUT_OFF).where(Invoice.id == invoice.id)
    mine.where(Invoice.status == "draft").execute()


def _draft(subscription: Subscription, customer: Customer, now: datetime, by: str, grace: timedelta) -> Invoice | None:
    (running,) = Running.each([subscription], periods.local_day(now, customer.timezone))
    terms, billed = running.terms, subscription.billed_to
    boundary = terms.first() if billed is None else terms.next(billed)
    invoice = None
    if boundary is not None:
        bill = Bill.at(running, boundary)
        if bill.dues and not _is_drafted(subscription.id, boundary):
            invoice = _drafted(bill, boundary, customer, now, by, grace)
        subscription.billed_to = boundary
        Subscription.update(billed_to=boundary).where(Subscription.id == subscription.id).execute()
    schedule(subscription, customer.timezone, now)
    return invoice


def _is_drafted(subscription_id: str, boundary: date) -> bool:
    mine = (Invoice.subscription == subscription_id, Invoice.billing_date == boundary, Invoice.source == "subscription")
    return bool(Invoice.select().where(*mine).exists())


def _drafted(bill: Bill, boundary: date, customer: Customer, now: datetime, by: str, grace: timedelta) -> Invoice:
    subscription = bill.running.subscription
    dated = min(periods.midnight(boundary, customer.timezone), now)
    issues_itself = first_said(subscription.auto_issuance, customer.auto_issuance, True)
    opens = dated + (grace if bill.is_metered else timedelta())
    if bill.is_metered and issues_itself and not _has_come(bill, customer, dated):
        # A subscription that was told of late has had no time for its events: they may come for as long from then on.
        opens = max(opens, subscription.created_at + grace)
    id = new_id()
    return draft(
        _worked_out(bill, boundary, customer, id, (), now),
        subscription,
        customer,
        now,
        by,
        id=id,
        source="subscription",
        boundary=boundary,
        invoice_date=dated,
        eligible_to_issue_at=opens,
        will_auto_issue=issues_itself,
    )


def _has_come(bill: Bill, customer: Customer, end: datetime) -> bool:
    """Has usage come for this bill, and is no backfill open that may bring more?"""
    may_bring = Backfill.select().where(
        Backfill.account == customer.account_id,
        Backfill.customer.is_null() | (Backfill.customer == customer.id),
        Backfill.status == "pending",
        Backfill.timeframe_start < end,
    )
    usage = UsageDay.series(customer.id, bill.wants)
    return any(tally for one in usage.values() for _, tally in one.whole.days) and not may_bring.exists()


def work_out_again(invoice: Invoice, now: datetime) -> Billed | None:
    """The bill of a subscription's draft as it is now, put on `invoice`; None for any other, which stands as it is.

    Nothing is written. What cannot be worked out any more stands as it was.
    """
    if invoice.status != "draft" or invoice.source != "subscription" or invoice.billing_date is None:
        return None
    customer = invoice.customer
    (running,) = Running.each(Subscription.select().where(Subscription.id == invoice.subscription_id), _before(invoice))
    try:
        bill = Bill.at(running, invoice.billing_date)
        document, days = _worked_out(bill, invoice.billing_date, customer, invoice.id, invoice.manual_lines or (), now)
    except CANNOT:
        return None
    changed(invoice, {**_sums(document), "document": {**invoice.document, **document}})
    return document, days


def settle(invoice: Invoice, now: datetime) -> None:
    """Works a draft out for the last time, and takes the credits that it uses. Its customer is held by the caller."""
    again = work_out_again(invoice, now)
    if again:
        _, days = again
        LineDays.delete().where(LineDays.invoice == invoice.id).execute()
        for line_id, line_days in plain_days(days).items():
            LineDays.create(invoice=invoice, line_id=line_id, days=line_days)
    used = invoice.document.get("credits", 0)
    if used and invoice.subscription_id:
        CreditBlock.spend(invoice.customer, used, invoice.currency, invoice.id, now)


def _before(invoice: Invoice) -> date:
    assert invoice.billing_date is not None  # noqa: S101 - asked by the caller
    return invoice.billing_date - _DAY


def _sums(document: Document) -> dict[str, int]:
    return {"subtotal": document["subtotal"], "total": document["total"], "amount_due": document["total"]}


def _worked_out(bill: Bill, boundary: date, customer: Customer, invoice_id: str, more: Any, now: datetime) -> Billed:
    subscription = bill.running.subscription
    usage = UsageDay.series(customer.id, bill.wants)
    return bill.document(
        usage,
        line_id=lambda price_id: line_id(invoice_id, price_id),
        credits=CreditBlock.at_hand(customer.id, subscription.currency, now),
        partials=partials([subscription], {subscription.id: boundary}).get(subscription.id, {}),
        more=[manual(line) for line in more],
    )


def give_back_unused(subscription: Subscription, customer: Customer, end: date, now: datetime) -> int:
    """Of fees that were paid ahead, the days from `end` on become the customer's credit; in minor units.

    The customer is held by the caller, and the subscription still has the end that it had.
    """
    (running,) = Running.each([subscription], end)
    back = 0
    for due in running.terms.ahead(end):
        invoice = _of_boundary(subscription.id, due.days.start)
        for line in invoice.document["lines"] if invoice else []:
            if invoice and line["price"]["id"] == due.price["id"]:
                unused = line["amount"] * (due.days.end - end).days // due.days.length
                back += max(min(unused, line["amount"] - CreditNote.credited(invoice, line["id"])), 0)
    if back > 0:
        BalanceTransaction.move(customer, back, "prorated_refund", now, description=f"{subscription.name}: unused days")
    return back


def _of_boundary(subscription_id: str, boundary: date) -> Invoice | None:
    return Invoice.get_or_none(
        Invoice.subscription == subscription_id,
        Invoice.billing_date == boundary,
        Invoice.source == "subscription",
        Invoice.status.in_(["issued", "paid", "synced"]),
    )
