"""An order as the one request that makes a PaymentIntent and confirms it."""

from __future__ import annotations

import re
from typing import Any

from portal.gateways import Order, Refused
from portal.gateways.stripe import amounts, news

TOKEN = "confirmation_token"  # noqa: S105 - the name of the form's field, in which Stripe's script leaves its token
EXPANDED = ["latest_charge", "payment_method"]
LONGEST_TEXT = 500  # characters: the numbers of many invoices are cut
_TOKEN = re.compile(r"ctoken_\w{1,200}", re.ASCII)


def request(order: Order) -> dict[str, Any]:
    """The parameters, the same for the same order. Raises Refused for what Stripe could not take."""
    if not amounts.serves(order.method, order.currency):
        raise Refused(f"Stripe does not charge {order.currency} by {order.method}.", "not_supported")
    if order.amount < amounts.minimum(order.currency):
        raise Refused(f"This is less than Stripe charges in {order.currency}.", "not_supported")
    params = {
        "amount": amounts.to_stripe(order.amount, order.currency),
        "currency": order.currency.lower(),
        "payment_method_types": [order.method],
        "confirm": True,
        "metadata": {news.PAYMENT_ID: order.payment_id},
        "expand": EXPANDED,
        **({"description": order.reference[:LONGEST_TEXT]} if order.reference else {}),
        **({"customer": order.payer.ref} if order.payer.ref else {}),
        **({"setup_future_usage": "off_session"} if order.saves else {}),
    }
    return params | (_by_saved(order) if order.saved_ref else _by_token(order))


def _by_saved(order: Order) -> dict[str, Any]:
    """Debits of a bank account go by the mandate given when it was saved: nobody has to confirm them, ever."""
    if order.present and order.method == "card":
        return {"payment_method": order.saved_ref, "use_stripe_sdk": True}
    return {"payment_method": order.saved_ref, "off_session": True}


def _by_token(order: Order) -> dict[str, Any]:
    token = order.details.get(TOKEN, "")
    if not _TOKEN.fullmatch(token):
        raise Refused("The form did not bring Stripe's confirmation token.", "wrong_details")
    return {"confirmation_token": token}
