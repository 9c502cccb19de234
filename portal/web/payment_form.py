"""What a payer fills in, step by step: by which method, and then what that method needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request
from wtforms import BooleanField, StringField

from portal import current
from portal.domain.methods import BY_GATEWAY, NotOffered, NotPayable
from portal.gateways import Checkout
from portal.models.saved_method import SavedMethod
from portal.web import amounts
from portal.web.amounts import NotAnAmount
from portal.web.payment_bundle import Bundle
from portal.web.stamped import StampedForm

# For people, until a gateway says it better.
LABELS = {"card": "Card", "us_bank_account": "Bank account (ACH)", "sepa_debit": "SEPA direct debit"}
LONGEST = 1000  # characters of one detail of a gateway


class PaymentForm(StampedForm):
    method = StringField()
    step = StringField()
    amount = StringField()
    saved = StringField()
    save = BooleanField()


class Incomplete(ValueError):
    """Something has still to be chosen. The message is for the payer."""


def amount(bundle: Bundle, form: PaymentForm) -> int:
    """What is to be paid by the method that was chosen. Raises NotAnAmount, NotPayable and NotOffered."""
    text = (form.amount.data or "").strip()
    minor = amounts.typed(text, bundle.currency, bundle.customer.locale) if text else bundle.total
    bundle.payable(form.method.data).check(minor)
    bundle.offer(minor).check(form.method.data)
    return minor


def checkout(bundle: Bundle, method: str, minor: int) -> Checkout | None:
    """What the gateway's own part of the form asks for; None where no gateway is asked."""
    return current.gateway().checkout(method, minor, bundle.currency) if method in BY_GATEWAY else None


def details(wanted: Checkout) -> Mapping[str, str]:
    """What was filled in for the gateway. Raises Incomplete."""
    found = {name: request.form.get(name, "")[:LONGEST] for name in wanted.fields}
    if not all(found.values()):
        raise Incomplete("Something is missing. Fill in how you pay, and try again.")
    return found


def stored(bundle: Bundle, method: str) -> list[SavedMethod]:
    """The payer's stored methods of this kind, where this link may use them."""
    if not bundle.may_use_stored or method not in BY_GATEWAY:
        return []
    return [one for one in SavedMethod.of(bundle.customer.id, current.gateway().name) if one.method == method]


def chosen(bundle: Bundle, form: PaymentForm) -> SavedMethod:
    """The stored method that is to be charged. Raises Incomplete."""
    for one in stored(bundle, form.method.data):
        if one.id == form.saved.data:
            return one
    raise Incomplete("Choose how you want to pay.")


def saves(bundle: Bundle, form: PaymentForm) -> bool:
    """Is the method to be kept for later?"""
    wish = bundle.account.save_payment_method
    return wish == "required" or (wish == "optional" and bool(form.save.data))


WRONG: tuple[type[Any], ...] = (NotAnAmount, NotPayable, NotOffered, Incomplete)
