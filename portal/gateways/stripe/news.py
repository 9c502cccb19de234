"""Stripe's objects, as its API and its webhooks write them, read as news of ours. Nothing here asks anybody.

Where a shape is not the documented one, one of faults.UNREADABLE comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from portal.gateways import Action, DisputeNews, MethodNews, News, PaymentNews, RefundNews, Saved, Stage, Told
from portal.gateways.stripe import amounts, faults

Object = Mapping[str, Any]

PAYMENT_ID = "portal_payment_id"  # in the metadata of what we make
REFUND_ID = "portal_refund_id"
METHODS = ("card", "us_bank_account", "sepa_debit")

_STAGES: dict[str, Stage] = {
    "requires_confirmation": "begun",
    "requires_action": "action",
    "processing": "processing",
    "requires_capture": "processing",
    "canceled": "canceled",
    "succeeded": "succeeded",
}
_CHARGE_STAGES: dict[str, Stage] = {"pending": "processing", "failed": "failed", "succeeded": "succeeded"}
_REFUND_STAGES = {"succeeded": "succeeded", "failed": "failed", "canceled": "failed"}
_DISPUTE_STAGES = {"lost": "lost", "won": "won", "prevented": "won", "warning_closed": "won"}
# Only debits of bank accounts are disputed for these. They are final: there is nothing to be won.
_OF_A_BANK = {"bank_cannot_process", "debit_not_authorized", "incorrect_account_details", "insufficient_funds"}
_BRANDS = {
    "amex": "American Express",
    "cartes_bancaires": "Cartes Bancaires",
    "diners": "Diners Club",
    "discover": "Discover",
    "eftpos_au": "eftpos",
    "jcb": "JCB",
    "mastercard": "Mastercard",
    "unionpay": "UnionPay",
    "visa": "Visa",
}


def told(event: Object) -> Told:
    """One event, from a webhook or a list of them."""
    kind, changed = event["type"], event["data"]
    reads = _READERS.get(kind)
    news = reads(changed["object"], bool(event["livemode"]), changed) if reads else None
    return Told(id=_text(event["id"]), at=datetime.fromtimestamp(event["created"], UTC), type=_text(kind), news=news)


def payment(intent: Object) -> PaymentNews:
    """A PaymentIntent, with or without `latest_charge` and `payment_method` expanded."""
    stage, error = _stage(intent), intent.get("last_payment_error") or {}
    moved = intent["amount_received"] if stage == "succeeded" else intent["amount"]
    details = _details(intent)
    types = intent.get("payment_method_types") or []
    return PaymentNews(
        ref=_text(intent["id"]),
        payment_id=intent["metadata"].get(PAYMENT_ID),
        stage=stage,
        **_money(moved, intent["currency"]),
        live=bool(intent["livemode"]),
        # We allow one type for each payment; without a charge to look at, that one it is.
        method=details["type"] if details else types[0] if len(types) == 1 else None,
        label=label(details) if details else None,
        failure=faults.failure(error) if stage == "failed" else None,
        action=_action(intent) if stage == "action" else None,
        saved=_saved_by(intent) if stage in ("processing", "succeeded") else None,
        payer_ref=_ref(intent.get("customer")),
    )


def refund(given: Object, live: bool) -> RefundNews:
    metadata = given.get("metadata") or {}
    return RefundNews(
        ref=_text(given["id"]),
        payment_ref=_text(_ref(given["payment_intent"])),
        payment_id=metadata.get(PAYMENT_ID),
        refund_id=metadata.get(REFUND_ID),
        stage=_REFUND_STAGES.get(given["status"], "pending"),  # type: ignore[arg-type]  # the table holds no other
        **_money(given["amount"], given["currency"]),
        live=live,
    )


def saved(method: Object) -> Saved | None:
    """A PaymentMethod; None for a kind that we do not keep."""
    if method["type"] not in METHODS:
        return None
    card = method.get("card") if method["type"] == "card" else None
    expires = f"{card['exp_year']:04}-{card['exp_month']:02}" if card else None
    return Saved(ref=_text(method["id"]), method=method["type"], label=label(method), expires=expires)


def label(details: Object) -> str:
    """ "Visa ending in 4242": of a PaymentMethod, or of a charge's details."""
    kind = details["type"]
    part = details.get(kind) or {}
    name = _BRANDS.get(str(part.get("brand")), "Card") if kind == "card" else "Bank account"
    return f"{name} ending in {part['last4']}" if part.get("last4") else name


def _stage(intent: Object) -> Stage:
    status = intent["status"]
    if status == "requires_payment_method":  # before the first attempt, and again after one that failed
        return "failed" if intent.get("last_payment_error") else "begun"
    return _STAGES[status]


def _details(intent: Object) -> Object | None:
    """How it was charged or, before that, how it would be."""
    charge, method = intent.get("latest_charge"), intent.get("payment_method")
    if isinstance(charge, Mapping) and charge.get("payment_method_details"):
        return charge["payment_method_details"]
    if isinstance(method, Mapping):
        return method
    return (intent.get("last_payment_error") or {}).get("payment_method")


def _action(intent: Object) -> Action:
    needed = intent["next_action"]
    if needed["type"] == "verify_with_microdeposits":
        return Action("micro_deposits", url=needed["verify_with_microdeposits"]["hosted_verification_url"])
    return Action("script", secret=intent["client_secret"])


def _saved_by(intent: Object) -> Saved | None:
    method = intent.get("payment_method")
    return saved(method) if intent.get("setup_future_usage") and isinstance(method, Mapping) else None


def _money(amount: int, currency: str) -> dict[str, Any]:
    upper = currency.upper()
    return {"amount": amounts.from_stripe(amount, upper), "currency": upper}


def _ref(given: Any) -> Any:
    """The id of what may be expanded."""
    return given["id"] if isinstance(given, Mapping) else given


def _text(given: Any) -> str:
    if not isinstance(given, str) or not given:
        raise ValueError("a text is missing")
    return given


# What events hold: the object, whether money is real, and what it was before.


def _payment_told(intent: Object, _live: bool, _changed: Object) -> News | None:
    return payment(intent) if PAYMENT_ID in intent["metadata"] else None


def _charge_told(charge: Object, live: bool, _changed: Object) -> News | None:
    """Says what a PaymentIntent in an event leaves out: how it was charged. A charge inherits its metadata."""
    if PAYMENT_ID not in charge["metadata"] or not charge.get("payment_intent"):
        return None
    stage, details = _CHARGE_STAGES[charge["status"]], charge["payment_method_details"]
    error = {"type": "card_error", "code": charge.get("failure_code")}
    return PaymentNews(
        ref=_text(_ref(charge["payment_intent"])),
        payment_id=charge["metadata"][PAYMENT_ID],
        stage=stage,
        **_money(charge["amount"], charge["currency"]),
        live=live,
        method=details["type"],
        label=label(details),
        failure=faults.failure(error) if stage == "failed" else None,
        payer_ref=_ref(charge.get("customer")),
    )


def _refund_told(given: Object, live: bool, _changed: Object) -> News | None:
    return refund(given, live) if given.get("payment_intent") else None


def _dispute_told(given: Object, live: bool, _changed: Object) -> News | None:
    if not given.get("payment_intent"):
        return None
    kind = (given.get("payment_method_details") or {}).get("type")
    is_return = kind in METHODS[1:] or (kind is None and given["reason"] in _OF_A_BANK)
    stage = _DISPUTE_STAGES.get(given["status"], "opened")
    return DisputeNews(
        ref=_text(given["id"]),
        payment_ref=_text(_ref(given["payment_intent"])),
        payment_id=None,
        stage="lost" if is_return and stage == "opened" else stage,  # type: ignore[arg-type]  # as in the table
        **_money(given["amount"], given["currency"]),
        live=live,
        reason=_text(given["reason"]),
        is_return=is_return,
    )


def _method_told(method: Object, live: bool, _changed: Object) -> News | None:
    kept = saved(method)
    return MethodNews(kept.ref, _ref(method.get("customer")), live, kept) if kept else None


def _method_gone(method: Object, live: bool, changed: Object) -> News | None:
    if method["type"] not in METHODS:
        return None
    return MethodNews(_text(method["id"]), (changed.get("previous_attributes") or {}).get("customer"), live, None)


_READERS: dict[str, Callable[[Object, bool, Object], News | None]] = {
    "payment_intent.succeeded": _payment_told,
    "payment_intent.processing": _payment_told,
    "payment_intent.requires_action": _payment_told,
    "payment_intent.payment_failed": _payment_told,
    "payment_intent.canceled": _payment_told,
    "charge.pending": _charge_told,
    "charge.succeeded": _charge_told,
    "refund.created": _refund_told,
    "refund.updated": _refund_told,
    "refund.failed": _refund_told,
    "charge.dispute.created": _dispute_told,
    "charge.dispute.updated": _dispute_told,
    "charge.dispute.closed": _dispute_told,
    "payment_method.attached": _method_told,
    "payment_method.updated": _method_told,
    "payment_method.automatically_updated": _method_told,
    "payment_method.detached": _method_gone,
}
TYPES = tuple(_READERS)  # what the webhook endpoint has to be told of; Stripe lists at most 20 kinds at once
