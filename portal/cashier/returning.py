"""Money is given back through the gateway that took it: written down, and asked for once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from portal.cashier import hearing
from portal.domain.settlement import Share
from portal.gateways import Gateway, Refused, Unreachable
from portal.models.invoice import IllegalState
from portal.models.payment import Payment
from portal.models.refund import Refund


def refund(
    gateway: Gateway,
    payment_id: str,
    shares: Sequence[Share] | int | None,
    now: datetime,
    by: str,
    reason: str | None = None,
) -> Refund:
    """Gives back these shares of a payment, so much of it, or all that is left.

    Where no answer came it is still `begun`, and the worker asks again. Raises IllegalState where that cannot be.
    """
    return ask(gateway, begin(gateway, payment_id, shares, now, by, reason), now, by)


def begin(
    gateway: Gateway,
    payment_id: str,
    shares: Sequence[Share] | int | None,
    now: datetime,
    by: str,
    reason: str | None = None,
) -> Refund:
    """The row of a refund, before the gateway hears of it. Raises IllegalState."""
    if Payment.get_by_id(payment_id).gateway != gateway.name:
        raise IllegalState("this payment was not taken by the gateway that is set up here: refund it there")
    return Refund.begin(payment_id, shares, now, by, reason)


def ask(gateway: Gateway, wanted: Refund, now: datetime, by: str) -> Refund:
    """Asks the gateway for a refund that has begun, the first time or for the very same once more."""
    payment = Payment.get_by_id(wanted.payment_id)
    if wanted.stage != "begun" or payment.gateway_ref is None:
        return wanted
    try:
        news = gateway.refund(wanted.id, f"refund_{wanted.id}", payment.gateway_ref, wanted.amount, payment.currency)
    except Refused:
        wanted.refuse(now, by)
    except Unreachable:
        wanted.put_off(now)
    else:
        hearing.apply(gateway.name, news, now, by)
    return Refund.get_by_id(wanted.id)
