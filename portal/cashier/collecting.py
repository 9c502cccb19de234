"""Invoices are collected by themselves: on their due date, by the method that their customer made her default."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from portal.cashier import taking
from portal.domain.methods import NotOffered, NotPayable
from portal.gateways import Gateway, Unreachable
from portal.models.account import Account
from portal.models.base import db
from portal.models.collection import RETRIES, Collection
from portal.models.customer import Customer, Erased
from portal.models.invoice import OWED, IllegalState, Invoice
from portal.models.paying import Busy, Part, Stale, Wanted
from portal.models.payment import Allocation, Payment
from portal.models.saved_method import SavedMethod

ACTOR = "system"
BATCH = 25
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def collect(gateway: Gateway, notify_url: str, now: datetime) -> Iterator[str]:
    """Charges what is due. Raises Unreachable after the first without an answer; its payment has begun all the same."""
    for waits in Collection.take(now, BATCH):
        payment = _begin(gateway, waits, now)
        if payment is None:
            continue
        after = taking.ask(gateway, payment, notify_url, now, ACTOR)
        if after.stage == "begun":
            raise Unreachable(f"no answer about payment {payment.id}")
        yield f"collected invoice {payment.order['reference']}: {after.stage}"


def _begin(gateway: Gateway, waits: Collection, now: datetime) -> Payment | None:
    """The payment, written down together with the try that it is; None where nothing can be charged now."""
    invoice = Invoice.get_by_id(waits.invoice_id)
    customer = Customer.get_by_id(invoice.customer_id)
    left = invoice.remaining()
    if invoice.status not in OWED or not left or customer.deleted_at:
        Collection.stop(invoice.id)
        return None
    method = SavedMethod.default(customer.id, gateway.name)
    if not _is_time(invoice, customer, method, waits, now) or method is None:
        return None
    wanted = Wanted(
        customer_id=customer.id,
        parts=[Part(invoice.id, left, left)],
        method=method.method,
        label=method.label,
        gateway=gateway.name,
        order=taking.order(reference=str(invoice.number), saved=method, present=False),
        saved=method,
        automatic=True,
    )
    try:
        with db.atomic():
            payment = taking.begin(gateway, wanted, now, ACTOR)
            waits.tried(now)
    except (NotOffered, NotPayable):
        waits.put_off(now + DAY)
    except (Busy, Stale):
        waits.put_off(now + HOUR)
    except (IllegalState, Erased):
        Collection.stop(invoice.id)
    else:
        return payment
    return None


def _is_time(
    invoice: Invoice, customer: Customer, method: SavedMethod | None, waits: Collection, now: datetime
) -> bool:
    """May it be charged now? If not, it is looked at again later, and no try is counted."""
    until = _next_try(invoice, waits)
    if Allocation.live([invoice.id]):
        waits.put_off(now + HOUR)
    elif method is None or Account.get_by_id(customer.account_id).closed_at:
        waits.put_off(now + DAY)
    elif until and until > now:
        waits.put_off(until)
    else:
        return True
    return False


def _next_try(invoice: Invoice, waits: Collection) -> datetime | None:
    """When the pause after the latest try is over: it counts from the failure, which may come days after the try."""
    if not 0 < waits.tries <= len(RETRIES):
        return None
    tries = Payment.select().join(Allocation).where(Allocation.invoice == invoice, Payment.automatic)
    latest = tries.order_by(Payment.created_at.desc()).first()
    return latest.ended_at + RETRIES[waits.tries - 1] if latest and latest.ended_at else None
