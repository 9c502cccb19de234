"""A payment is taken to its gateway: written down, asked for once, and asked for again with the very same order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from portal.cashier import hearing
from portal.domain.methods import BY_GATEWAY, NotOffered
from portal.gateways import Gateway, Order, PaymentNews, Refused, Unreachable
from portal.gateways import Payer as GatewayPayer
from portal.models import offering, paying, settling
from portal.models.account import Account
from portal.models.base import db
from portal.models.customer import Customer
from portal.models.invoice import IllegalState, Invoice
from portal.models.payment import Payment
from portal.models.saved_method import Payer, SavedMethod


def pay(gateway: Gateway, wanted: paying.Wanted, notify_url: str, now: datetime, by: str) -> Payment:
    """The payment as far as it came. Where no answer came it is still `begun`, and the worker asks again.

    Raises as `begin`: then nothing was written, and the gateway has heard of nothing.
    """
    return ask(gateway, begin(gateway, wanted, now, by), notify_url, now, by)


def begin(gateway: Gateway, wanted: paying.Wanted, now: datetime, by: str) -> Payment:
    """The row of a payment, before the gateway hears of it.

    Raises NotOffered and NotPayable (domain.methods), Busy, Stale and LinkClosed (models.paying), IllegalState and
    Erased.
    """

    def check(account: Account, customer: Customer, invoices: Sequence[Invoice], amount: int) -> None:
        _refuse_method(gateway, wanted, account, customer, invoices, amount)
        for part in wanted.parts:
            if part.amount != part.remaining:
                payable = offering.payable(account, gateway, wanted.method, part.remaining, invoices[0].currency)
                payable.check(part.amount)

    return paying.begin(wanted, now, by, check)


def order(
    *,
    reference: str,
    details: Mapping[str, str] | None = None,
    saved: SavedMethod | None = None,
    saves: bool = False,
    present: bool = True,
) -> dict[str, Any]:
    """What goes into Wanted.order: all that the gateway is told besides the payment and its payer."""
    return {
        "details": dict(details or {}),
        "saved_ref": saved.gateway_ref if saved else None,
        "saves": saves,
        "present": present,
        "reference": reference,
    }


def ask(gateway: Gateway, payment: Payment, notify_url: str, now: datetime, by: str) -> Payment:
    """Sends the order of a payment that has begun, the first time or the very same once more."""
    if payment.stage != "begun" or payment.gateway != gateway.name:
        return payment
    try:
        news = gateway.start(_order(gateway, payment, notify_url))
    except Refused as refusal:
        return settling.refuse(payment.id, refusal.failure, now, by)
    except Unreachable:
        return settling.put_off(payment.id, now)
    return hearing.answered(payment, news, now, by)


def give_up(gateway: Gateway, payment: Payment, now: datetime, by: str) -> Payment:
    """Cancels a payment that waits for its payer: at the gateway first, and then here.

    What the gateway answers counts: it may have succeeded meanwhile. Raises IllegalState for one that does not wait,
    and Unreachable.
    """
    if payment.stage != "action" or payment.gateway_ref is None:
        raise IllegalState(f"only a payment that waits for its payer can be cancelled; this one is {payment.stage}")
    return hearing.answered(payment, gateway.cancel(payment.gateway_ref), now, by)


def look(gateway: Gateway, payment: Payment, now: datetime, by: str) -> PaymentNews:
    """What the gateway says of it now; it is heard as well. Raises Unreachable, and Refused where it has none such."""
    if payment.gateway_ref is None:
        raise IllegalState("the gateway has not answered yet")
    news = gateway.look(payment.gateway_ref)
    hearing.answered(payment, news, now, by)
    return news


def forget(gateway: Gateway, saved: SavedMethod, now: datetime, by: str) -> None:
    """Removes a saved method: here first, so that it is never charged again. Raises Unreachable, Refused."""
    saved.remove(now, by)
    gateway.forget(saved.gateway_ref)


def sync(gateway: Gateway, customer: Customer, now: datetime, by: str) -> None:
    """Brings in the methods that the gateway keeps for a customer. Raises Unreachable, Refused, Erased."""
    ref = Payer.ref_of(customer.id, gateway.name)
    kept = gateway.saved(ref) if ref else []
    with db.atomic():
        held = customer.held()
        for one in kept:
            hearing.keep(held, gateway.name, one, now, by)
        there = {one.ref for one in kept}
        for row in SavedMethod.of(held.id, gateway.name):
            if row.gateway_ref not in there:
                row.remove(now, by)
        default = next((one.ref for one in kept if one.is_default), None)
        for row in SavedMethod.of(held.id, gateway.name):
            if row.gateway_ref == default and not row.is_default:
                row.make_default(now, by)


def _refuse_method(
    gateway: Gateway,
    wanted: paying.Wanted,
    account: Account,
    customer: Customer,
    invoices: Sequence[Invoice],
    amount: int,
) -> None:
    if wanted.saved and wanted.saved.method != wanted.method:
        raise NotOffered("This saved method is of another kind. Choose it again.")
    offering.offered(account, customer, invoices, gateway, amount, invoices[0].currency).check(wanted.method)
    if wanted.method not in BY_GATEWAY:
        raise NotOffered("A bank transfer is made at your bank: nothing is charged here.")


def _order(gateway: Gateway, payment: Payment, notify_url: str) -> Order:
    """The same every time, whatever has changed about its payer meanwhile."""
    said = payment.order or {}
    return Order(
        payment_id=payment.id,
        key=f"pay_{payment.id}",
        amount=payment.amount,
        currency=payment.currency,
        method=str(payment.method),
        details=said.get("details", {}),
        saved_ref=said.get("saved_ref"),
        saves=said.get("saves", False),
        present=said.get("present", True),
        payer=_payer(gateway, payment.customer_id, **said["payer"]),
        reference=said.get("reference", ""),
        notify_url=notify_url,
    )


def _payer(gateway: Gateway, id: str, name: str, email: str | None) -> GatewayPayer:
    """The customer as the gateway knows her, from the first payment on."""
    ref = Payer.ref_of(id, gateway.name)
    if ref is None:
        Payer.keep(id, gateway.name, gateway.payer(GatewayPayer(id, None, name, email)))
        ref = Payer.ref_of(id, gateway.name)
    return GatewayPayer(id, ref, name, email)
