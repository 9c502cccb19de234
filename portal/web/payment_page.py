"""The page of one payment: how it is going, what its payer has still to do, and in the end what became of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Response, g, request

from portal import current
from portal.cashier import taking
from portal.gateways import Action, Checkout, GatewayError
from portal.models.invoice import IllegalState
from portal.models.opening import Opened
from portal.models.payment import Payment
from portal.web import headers
from portal.web.access import Scope
from portal.web.filters import to
from portal.web.fragments import aimed, leads_to, reloads, wanted
from portal.web.fragments import page as whole
from portal.web.payment_seen import Late, Seen, place_of
from portal.web.stamped import NOT_OURS, Bound, StampedForm

# Seconds from one look at an open payment to the next; after the last of them the page asks no more.
PAUSES = (2, 2, 3, 4, 5, 8, 10, 15, 20, 30, 30, 45, 60, 60, 60, 60, 60)
LATE = timedelta(hours=24)  # for how long the payment of a session that has expired can still be looked at


def show(scope: Scope, payment_id: str, invoice_id: str | None = None) -> Response:
    """How it is going. Asks again, less and less often, for as long as that may change."""
    seen = Seen.of(scope, payment_id, invoice_id)
    asked = _asked()
    if wanted() and request.args.get("known") == seen.state:
        return whole("payment/_wait.html", seen=seen, pause=_pause(asked), asked=asked + 1)
    return _shown(seen)


def show_late(link: Opened, payment_id: str, invoice_id: str | None = None) -> Response | None:
    """Amount and status, for who comes back after her session has expired to the payment that she began through it."""
    payment = Payment.select().where(Payment.id == payment_id, Payment.customer == link.customer_id).first()
    if payment is None or payment.link_id != link.id or current.now() >= payment.created_at + LATE:
        return None
    late, asked = Late(payment, place_of(invoice_id)), _asked()
    if wanted() and request.args.get("known") == late.state:
        return whole("payment/_wait.html", seen=late, pause=_pause(asked), asked=asked + 1)
    values = {"seen": late, "pause": _pause(0), "asked": 1}
    if wanted():
        return aimed(whole("payment/_late.html", **values), "#pf-payment", "outerHTML")
    return whole("payment/late.html", **values)


def give_up(scope: Scope, payment_id: str, invoice_id: str | None = None) -> Any:
    """Ends a payment that waits for its payer: at the gateway first."""
    headers.refuse_strangers()
    seen = Seen.of(scope, payment_id, invoice_id)
    gateway = current.gateway()
    if not _form(scope.link, seen.payment).is_ours():
        return _shown(seen, 403, wrong=NOT_OURS)
    if seen.state == "canceled":  # by the first of two clicks
        return leads_to(to(seen.tail))
    if gateway is None or gateway.name != seen.payment.gateway:
        return _shown(seen, 409, wrong="This payment can no longer be given up here.")
    try:
        taking.give_up(gateway, seen.payment, current.now(), current.actor())
    except IllegalState:
        return _shown(seen, 409, wrong="This payment can no longer be given up: it has moved on.")
    except GatewayError:
        return _shown(seen, 503, wrong="It could not be given up just now. Try again in a moment.")
    return leads_to(to(seen.tail))


def _shown(seen: Seen, status: int = 200, wrong: str = "") -> Response:
    action = _action(seen.payment)
    scripted = action is not None and action.kind == "script"
    if scripted and wanted():
        return reloads()
    values: dict[str, Any] = {
        "seen": seen,
        "action": action,
        "way_out": _way_out(seen.payment, action),
        "checkout": _checkout(seen.payment) if scripted else None,
        "next": to(seen.tail),
        "form": _form(g.link, seen.payment) if seen.state == "action" else None,
        "pause": _pause(0) if seen.is_open else None,
        "asked": 1,
        "wrong": wrong,
        "zone": g.link.timezone,
        "payer": g.link.customer_name,
    }
    if scripted:
        g.opens = current.gateway().origins
    if wanted():
        return aimed(whole("payment/_show.html", status, **values), "#pf-payment", "outerHTML")
    return whole("payment/page.html", status, **values)


def _action(payment: Payment) -> Action | None:
    """What the payer has to do, as the gateway says now: that is kept nowhere. None where she has done it."""
    gateway = current.gateway()
    if payment.stage != "action" or gateway is None or gateway.name != payment.gateway:
        return None
    try:
        action: Action | None = gateway.look(payment.gateway_ref).action
    except GatewayError:
        return None
    return action


def _way_out(payment: Payment, action: Action | None) -> str | None:
    """The gateway's page, and for the sandbox the way back from it: only the browser carries that."""
    if action is None or action.url is None or payment.gateway != "sandbox":
        return action.url if action else None
    back = f"{current.settings().base_url}{request.script_root}{request.path}"
    return f"{action.url}{'&' if '?' in action.url else '?'}{urlencode({'return': back})}"


def _checkout(payment: Payment) -> Checkout:
    checkout: Checkout = current.gateway().checkout(payment.method, payment.amount, payment.currency)
    return checkout


def _form(link: Opened, payment: Payment) -> StampedForm:
    return StampedForm.bound(Bound("giving up", (link.id, payment.id)))


def _asked() -> int:
    """How often the page has asked before."""
    text = request.args.get("asked", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else len(PAUSES)


def _pause(asked: int) -> int | None:
    """How many seconds from now the page asks again. None: no more."""
    return PAUSES[asked] if asked < len(PAUSES) else None
