"""Stripe's objects in the shapes that its API reference documents, cut to what is there in every account."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]
CREATED = 1_790_000_000

CARD = {"brand": "visa", "country": "US", "exp_month": 4, "exp_year": 2031, "funding": "credit", "last4": "4242"}
BANK = {"account_type": "checking", "bank_name": "STRIPE TEST BANK", "last4": "6789", "routing_number": "110000000"}
SEPA = {"bank_code": "19043", "country": "AT", "last4": "3201", "mandate": "mandate_1"}
PARTS = {"card": CARD, "us_bank_account": BANK, "sepa_debit": SEPA}


def method(kind: str = "card", **more: Any) -> Object:
    return {
        "id": "pm_1",
        "object": "payment_method",
        "billing_details": {"address": {}, "email": "ann@acme.example", "name": "Ann", "phone": None},
        "created": CREATED,
        "customer": "cus_1",
        "livemode": False,
        "metadata": {},
        "type": kind,
        kind: PARTS.get(kind, {}),
    } | more


def charge(kind: str = "card", **more: Any) -> Object:
    return {
        "id": "ch_1",
        "object": "charge",
        "amount": 12500,
        "amount_refunded": 0,
        "captured": True,
        "created": CREATED,
        "currency": "usd",
        "customer": "cus_1",
        "failure_code": None,
        "livemode": False,
        "metadata": {"portal_payment_id": "pay_1"},
        "paid": True,
        "payment_intent": "pi_1",
        "payment_method": "pm_1",
        "payment_method_details": {"type": kind, kind: PARTS.get(kind, {})},
        "status": "succeeded",
    } | more


def intent(status: str = "succeeded", kind: str = "card", **more: Any) -> Object:
    """Not expanded, as events hold it."""
    return {
        "id": "pi_1",
        "object": "payment_intent",
        "amount": 12500,
        "amount_received": 12500 if status == "succeeded" else 0,
        "capture_method": "automatic_async",
        "client_secret": "pi_1_secret_abc",
        "created": CREATED,
        "currency": "usd",
        "customer": "cus_1",
        "description": "A-1",
        "last_payment_error": None,
        "latest_charge": "ch_1" if status in ("succeeded", "processing") else None,
        "livemode": False,
        "metadata": {"portal_payment_id": "pay_1"},
        "next_action": None,
        "payment_method": "pm_1",
        "payment_method_types": [kind],
        "setup_future_usage": None,
        "status": status,
    } | more


def expanded(status: str = "succeeded", kind: str = "card", **more: Any) -> Object:
    """As it answers requests of ours."""
    found = intent(status, kind) | {"payment_method": method(kind)} | more
    return found | ({"latest_charge": charge(kind)} if found["latest_charge"] else {})


def refused(code: str | None, kind: str = "invalid_request_error", **more: Any) -> Object:
    return {"error": {"type": kind, "code": code, "message": "Somebody typed 4242424242424242", "doc_url": ""} | more}


def declined(code: str = "card_declined", decline_code: str | None = "generic_decline", kind: str = "card") -> Object:
    """The answer 402 to a request that makes and confirms: the payment is there, and its attempt has failed."""
    error = refused(code, "card_error", decline_code=decline_code, payment_method=method(kind))["error"]
    made = intent("requires_payment_method", kind, payment_method=None, last_payment_error=error)
    return {"error": error | {"payment_intent": made}}


def refund(status: str = "succeeded", **more: Any) -> Object:
    return {
        "id": "re_1",
        "object": "refund",
        "amount": 5000,
        "charge": "ch_1",
        "created": CREATED,
        "currency": "usd",
        "metadata": {"portal_refund_id": "ref_1"},
        "payment_intent": "pi_1",
        "reason": None,
        "status": status,
    } | more


def dispute(status: str = "needs_response", reason: str = "fraudulent", kind: str | None = "card") -> Object:
    """Debits of bank accounts have no details of their own in it."""
    return {
        "id": "dp_1",
        "object": "dispute",
        "amount": 12500,
        "charge": "ch_1",
        "created": CREATED,
        "currency": "usd",
        "livemode": False,
        "metadata": {},
        "payment_intent": "pi_1",
        "payment_method_details": {"type": kind, kind: {"brand": "visa"}} if kind else None,
        "reason": reason,
        "status": status,
    }


def event(kind: str, changed: Object, previous: Object | None = None, **more: Any) -> Object:
    return {
        "id": "evt_1",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": CREATED,
        "data": {"object": changed} | ({"previous_attributes": previous} if previous else {}),
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": "req_1", "idempotency_key": None},
        "type": kind,
    } | more


def listed(*objects: Object, more: bool = False) -> Object:
    return {"object": "list", "url": "/v1/things", "has_more": more, "data": list(objects)}
