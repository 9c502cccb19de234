"""Paying: first by which method, then what it needs. What may not be paid so no gateway ever hears of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response, g, request
from werkzeug.exceptions import NotFound, TooManyRequests

from portal import current
from portal.cashier import taking
from portal.documents import bank_transfer
from portal.domain.methods import BY_GATEWAY, NotOffered
from portal.models.customer import Erased
from portal.models.invoice import IllegalState
from portal.models.opening import Opened
from portal.models.paying import LinkClosed, Wanted
from portal.models.payment import Payment
from portal.models.saved_method import SavedMethod
from portal.web import access, amounts, headers, payment_bundle, payment_form
from portal.web.access import Scope
from portal.web.filters import to
from portal.web.fragments import leads_to
from portal.web.fragments import page as whole
from portal.web.payment_bundle import Bundle
from portal.web.payment_form import PaymentForm
from portal.web.stamped import NOT_OURS

MOST_TRIES = 10  # payments that begin through one link
WITHIN = timedelta(minutes=1)
CHANGED = (
    "What is to be paid has changed since you opened this page, so nothing more was charged. Look at it once more."
)


class Hasty(TooManyRequests):
    """So many payments through one link: other people's limits have other reasons (web.errors)."""

    sentence = "Many payments were tried here in a short time. Nothing was charged now. Wait a minute, and try again."


def new(scope: Scope, invoice_id: str | None = None) -> Response:
    """What is to be paid, and by which methods."""
    if _is_none_selected(scope, invoice_id):
        return whole("payment/none_selected.html", 422)
    return _methods(_bundle(scope, invoice_id))


def create(scope: Scope, invoice_id: str | None = None) -> Any:
    """One step of paying: the next one, or what is wrong; at the end the page of a payment that has begun."""
    headers.refuse_strangers()
    bundle = _bundle(scope, invoice_id)
    if bundle.state != "open":
        return _methods(bundle, 422 if bundle.state == "currencies" else 409)
    method = request.form.get("method", "")
    try:
        bundle.offer().check(method)
    except NotOffered as error:
        return _methods(bundle, 422, wrong=error if method else "Choose how you want to pay.")
    form = PaymentForm.bound(bundle.bound())
    if not form.is_ours():
        return _methods(bundle, 403, wrong=NOT_OURS)
    if not form.is_current:
        return _methods(bundle, 409, wrong=CHANGED)
    if method not in BY_GATEWAY:
        return _transfer(bundle, form)
    try:
        return _step(bundle, form)
    except payment_form.WRONG as error:
        return _details(bundle, form, 422, wrong=error)


def _bundle(scope: Scope, invoice_id: str | None) -> Bundle:
    if scope.link.kind == "invoice" or invoice_id:
        return payment_bundle.of_invoice(scope, invoice_id)
    return payment_bundle.of_customer(scope, request.values.getlist("invoice"), request.values.get("currency"))


def _is_none_selected(scope: Scope, invoice_id: str | None) -> bool:
    """Was the button for selected invoices pressed, and none selected? That does not mean all of them."""
    of_customer = scope.link.kind != "invoice" and not invoice_id
    return of_customer and "selected" in request.args and not request.args.getlist("invoice")


def _step(bundle: Bundle, form: PaymentForm) -> Any:
    minor, step = payment_form.amount(bundle, form), form.step.data
    if step == "stored":
        return _confirmation(bundle, form, minor, payment_form.chosen(bundle, form))
    if step == "confirm":
        return _pay(bundle, form, minor, saved=payment_form.chosen(bundle, form))
    if step == "pay":
        return _pay(bundle, form, minor)
    return _details(bundle, form)


def _pay(bundle: Bundle, form: PaymentForm, minor: int, saved: SavedMethod | None = None) -> Any:
    """Charges, and leads to the payment's page, however it went."""
    gateway, link = current.gateway(), bundle.scope.link
    wanted = _wanted(bundle, form, minor, saved)
    _refuse_haste(link)
    try:
        begun = taking.pay(gateway, wanted, _notify_url(gateway), current.now(), current.actor())
    except LinkClosed:
        raise access.closed(link) from None
    except Erased:
        raise NotFound from None
    except IllegalState:  # another payment has begun, or what is owed has changed: since we looked
        return _methods(_bundle(bundle.scope, bundle.invoice_id), 409, wrong=CHANGED)
    return leads_to(to(f"{bundle.place}payments/{begun.id}"))


def _wanted(bundle: Bundle, form: PaymentForm, minor: int, saved: SavedMethod | None) -> Wanted:
    """What the cashier is asked for. Raises Incomplete."""
    method = form.method.data
    asked = payment_form.checkout(bundle, method, minor)
    order = taking.order(
        reference=bank_transfer.reference(bundle.numbers),
        details=payment_form.details(asked) if asked and saved is None else {},
        saved=saved,
        saves=saved is None and payment_form.saves(bundle, form),
    )
    return Wanted(
        customer_id=bundle.customer.id,
        parts=bundle.parts(minor),
        method=method,
        label=saved.label if saved else payment_form.LABELS[method],
        gateway=current.gateway().name,
        order=order,
        link_id=bundle.scope.link.id,
        saved=saved,
    )


def _refuse_haste(link: Opened) -> None:
    """Nobody tries stolen cards here, one after the other. Counted from rows. Raises Hasty."""
    since = current.now() - WITHIN
    mine = (Payment.customer == link.customer_id) & (Payment.link_id == link.id)
    if Payment.select().where(mine, Payment.created_at > since).count() >= MOST_TRIES:
        raise Hasty(retry_after=int(WITHIN.total_seconds()))


def _notify_url(gateway: Any) -> str:
    return f"{current.settings().base_url}/webhooks/{gateway.name}"


# What is shown.


def _methods(bundle: Bundle, status: int = 200, wrong: object = None) -> Response:
    """The first step; and what is said where there is nothing to choose."""
    open_ = bundle.state == "open"
    return whole(
        "payment/new.html",
        status,
        bundle=bundle,
        offer=bundle.offer() if open_ else None,
        form=PaymentForm.bound(bundle.bound()) if open_ else None,
        wrong=wrong,
    )


def _details(bundle: Bundle, form: PaymentForm, status: int = 200, wrong: object = None) -> Response:
    """The second step; what was typed is kept. Whatever is wrong with the amount comes first."""
    method, wrong_amount = form.method.data, None
    try:
        minor = payment_form.amount(bundle, form)
    except payment_form.WRONG as error:
        minor, wrong_amount = bundle.total, error
    g.opens = current.gateway().origins
    return whole(
        "payment/details.html",
        status,
        bundle=bundle,
        form=form,
        minor=minor,
        written=_written(bundle, minor),
        payable=bundle.payable(method),
        stored=payment_form.stored(bundle, method),
        checkout=payment_form.checkout(bundle, method, minor),
        gateway=current.gateway(),
        wrong=wrong,
        wrong_amount=wrong_amount,
    )


def _confirmation(bundle: Bundle, form: PaymentForm, minor: int, saved: SavedMethod) -> Response:
    """What is about to be charged to a stored method, and the button that does it."""
    shown = {"bundle": bundle, "form": form, "minor": minor, "written": _written(bundle, minor), "saved": saved}
    return whole("payment/confirm.html", **shown)


def _transfer(bundle: Bundle, form: PaymentForm) -> Response:
    """Where to transfer the money to. Nothing begins here: it is the payer's bank that is asked."""
    banks = bank_transfer.transfers(bundle.account.bank_accounts, bundle.numbers, bundle.total, bundle.currency)
    return whole("payment/transfer.html", bundle=bundle, form=form, transfers=banks)


def _written(bundle: Bundle, minor: int) -> str:
    return amounts.written(minor, bundle.currency, bundle.customer.locale)
