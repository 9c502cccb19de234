"""What the portal's client says to the sandbox: JSON over HTTP, in the manner of Stripe."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint, current_app, g, request
from pydantic import BaseModel
from werkzeug.exceptions import BadRequest, ServiceUnavailable, Unauthorized

from portal.sandbox import events, near, payers, payments, refunds
from portal.sandbox.asked import NewMethod, NewPayer, NewPayment, NewRefund
from portal.sandbox.bank import Bank
from portal.sandbox.book import Entry
from portal.sandbox.refusal import OtherBody, Refused

LONGEST_KEY = 255
LATEST = 2**63 - 1

Model = TypeVar("Model", bound=BaseModel)
calls = Blueprint("calls", __name__, url_prefix="/v1")


def bank() -> Bank:
    found: Bank = current_app.extensions["bank"]
    return found


def show_the_key() -> None:
    given = request.headers.get("Authorization", "").encode()
    if not hmac.compare_digest(given, f"Bearer {bank().key}".encode()):
        raise Unauthorized("The key is not the sandbox's: it runs with another secret key, or another data directory.")


def read(model: type[Model]) -> Model:
    return model.model_validate_json(request.get_data())


@calls.before_request
def admit() -> None:
    show_the_key()
    if request.method == "POST":
        if bank().happens(bank().faults.unavailable_rate):
            raise ServiceUnavailable("The sandbox is out of order, as it was told to be.")
        g.vanishes = bank().happens(bank().faults.timeout_rate)


@calls.post("/payments")
def create_payment() -> Any:
    asked = read(NewPayment)
    _near(asked.notify_url)
    return _once(asked, lambda entry: payments.make(entry, asked), payments.shape)


@calls.get("/payments")
def list_payments() -> Any:
    with bank().entry() as entry:
        return {"data": payments.found(entry, request.args.get("payment_id"))}


@calls.get("/payments/<ref>")
def show_payment(ref: str) -> Any:
    with bank().entry() as entry:
        return payments.shape(entry, ref)


@calls.post("/payments/<ref>/cancel")
def cancel_payment(ref: str) -> Any:
    with bank().entry() as entry:
        payments.cancel(entry, ref)
        return payments.shape(entry, ref)


@calls.post("/refunds")
def create_refund() -> Any:
    asked = read(NewRefund)
    return _once(
        asked,
        lambda entry: refunds.make(entry, asked.payment, asked.refund_id, asked.amount, asked.currency),
        refunds.shape,
    )


@calls.post("/payers")
def create_payer() -> Any:
    asked = read(NewPayer)
    with bank().entry() as entry:
        return {"ref": payers.known(entry, asked.id, asked.name, asked.email)}


@calls.get("/payers/<ref>/methods")
def list_methods(ref: str) -> Any:
    with bank().entry() as entry:
        return {"data": payers.methods(entry, ref)}


@calls.post("/payers/<ref>/methods")
def create_method(ref: str) -> Any:
    asked = read(NewMethod)
    _near(asked.notify_url or bank().portal_url)
    with bank().entry() as entry:
        return payers.saved(entry, payers.keep(entry, ref, asked.method, asked.outcome, asked.notify_url))


@calls.delete("/methods/<ref>")
def remove_method(ref: str) -> Any:
    with bank().entry() as entry:
        return payers.remove(entry, ref)


@calls.get("/events")
def list_events() -> Any:
    after = request.args.get("after", "0")
    limit = request.args.get("limit", str(events.LONGEST_PAGE))
    if not (after.isascii() and after.isdigit() and limit.isascii() and limit.isdigit()):
        raise BadRequest("after and limit are whole numbers.")
    with bank().entry() as entry:
        return {"data": events.after(entry, min(int(after), LATEST), int(limit))}


def _once(asked: BaseModel, make: Callable[[Entry], str], shape: Callable[[Entry, str], Any]) -> Any:
    """Makes it, once a key; with the same key and body again it is shown as it is now."""
    key = request.headers.get("Idempotency-Key", "")
    if not 0 < len(key) <= LONGEST_KEY:
        raise BadRequest("Idempotency-Key is missing, or longer than 255 characters.")
    said = json.dumps([request.path, asked.model_dump()], sort_keys=True)
    digest = hashlib.sha256(said.encode()).hexdigest()
    with bank().entry() as entry:
        known = entry.one("SELECT digest, ref FROM asked WHERE key = ?", key)
        if known is None:
            if bank().happens(bank().faults.refuse_rate):
                raise Refused("The sandbox refuses, as it was told to.", "declined")
            made = make(entry)
            entry.add("asked", key=key, digest=digest, ref=made)
        elif known["digest"] != digest:
            raise OtherBody("This Idempotency-Key was used with another body.")
        else:
            made = str(known["ref"])
        return shape(entry, made)


def _near(url: str) -> None:
    if near.origin(url, bank().portal_url) is None:
        raise BadRequest("notify_url is neither on this machine nor at the portal's address.")
