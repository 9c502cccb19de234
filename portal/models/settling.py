"""What a gateway says of a payment becomes true here: in any order, any number of times, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from portal.domain import periods
from portal.domain.settlement import LIVE, Share, furthest, spread, takes
from portal.models.account import Account
from portal.models.base import db, locked
from portal.models.collection import Collection
from portal.models.held import Held
from portal.models.invoice import OWED
from portal.models.outbox import Letter
from portal.models.payment import Booking, Payment
from portal.models.record import Record

FIRST_ASK = timedelta(seconds=60)  # longer than any answer takes that still comes
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (30, 120, 300, 900))  # and then every hour
HOUR = timedelta(hours=1)
ON_ITS_WAY_PAUSE = timedelta(hours=6)
CONFIRM_WITHIN = timedelta(minutes=60)
DEPOSITS_WITHIN = timedelta(days=10)


class Foreign(ValueError):
    """News of another mode or currency than the payment's: it is not believed."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Where a payment stands, as its gateway says."""

    ref: str
    stage: str
    amount: int  # minor units
    currency: str
    live: bool  # real money
    method: str | None = None
    label: str | None = None
    failure: str | None = None
    by_deposits: bool = False  # it waits for micro-deposits


def hear(payment_id: str, heard: Heard, now: datetime, by: str) -> Payment:
    """The payment, as far as it has come by now. Raises Foreign, and then nothing was changed."""
    with db.atomic():
        held = Held.of(payment_id)
        payment = held.payment
        _refuse_foreign(payment, heard)
        if payment.gateway_ref not in (None, heard.ref):
            _second(held, heard, now, by)
            return payment
        before, after = payment.stage, furthest(payment.stage, heard.stage)
        changes = _changes(payment, heard, after, now)
        if after == "succeeded" and before != "succeeded":
            changes["received_on"] = periods.local_day(now, held.customer.timezone)
        Payment.update(**changes).where(Payment.id == payment.id).execute()
        for name, value in changes.items():
            setattr(payment, name, value)
        if after != before:
            _follow(held, heard, now, by)
    return payment


def refuse(payment_id: str, failure: str, now: datetime, by: str) -> Payment:
    """The gateway made nothing of it, and never will: it failed."""
    with db.atomic():
        held = Held.of(payment_id)
        payment = held.payment
        if payment.stage == "begun":
            changes = {"stage": "failed", "failure": failure, "ask_at": None, "order": None, "ended_at": now}
            Payment.update(**changes).where(Payment.id == payment.id).execute()
            payment = held.payment = Payment.get_by_id(payment.id)
            write_failed(held, now)
            Record.write(payment.account_id, now, by, "payment.failed", payment.id, failure=failure)
    return payment


def put_off(payment_id: str, now: datetime) -> Payment:
    """No answer came: what has become of it is not known, and is asked for again."""
    with db.atomic():
        payment = locked(Payment.select().where(Payment.id == payment_id)).get()
        if payment.stage in LIVE:
            ask_at = next_ask(payment, payment.stage, now, payment.gives_up_at)
            Payment.update(tries=Payment.tries + 1, ask_at=ask_at).where(Payment.id == payment_id).execute()
        return Payment.get_by_id(payment_id)


def _refuse_foreign(payment: Payment, heard: Heard) -> None:
    mode = Account.get_by_id(payment.account_id).mode
    if heard.live != (mode == "live"):
        raise Foreign(f"news of {'real' if heard.live else 'play'} money for an account in {mode} mode")
    if heard.currency != payment.currency:
        raise Foreign(f"news in {heard.currency} of a payment in {payment.currency}")


def _changes(payment: Payment, heard: Heard, after: str, now: datetime) -> dict[str, Any]:
    changes: dict[str, Any] = {"gateway_ref": heard.ref}
    if heard.label:
        changes["label"] = heard.label
    if after != heard.stage:
        return changes  # old news
    failure = heard.failure or payment.failure
    changes |= {"stage": after, "failure": failure if after == "failed" else None}
    if after == "action":
        days = heard.by_deposits or payment.method == "us_bank_account"
        changes["gives_up_at"] = payment.gives_up_at or payment.created_at + (
            DEPOSITS_WITHIN if days else CONFIRM_WITHIN
        )
    if after in LIVE:
        changes["ask_at"] = next_ask(payment, after, now, changes.get("gives_up_at"))
    else:
        changes |= {"ask_at": None, "order": None, "ended_at": payment.ended_at if payment.stage == after else now}
    return changes


def next_ask(payment: Payment, stage: str, now: datetime, gives_up_at: datetime | None) -> datetime:
    """When the worker asks about a live payment again."""
    if stage == "processing":
        return now + ON_ITS_WAY_PAUSE
    if stage == "action" and gives_up_at:
        return max(gives_up_at, now)
    return now + (PAUSES[payment.tries] if payment.tries < len(PAUSES) else HOUR)


def _follow(held: Held, heard: Heard, now: datetime, by: str) -> None:
    """What else changes because the payment has moved on."""
    payment = held.payment
    if payment.stage == "succeeded":
        _book(held, heard.amount, now, by)
    if payment.stage == "succeeded":
        write(held, "payment_succeeded", now, f"payment:{payment.id}:succeeded")
    if payment.stage == "failed":
        write_failed(held, now)
    if payment.stage in ("action", "processing", "canceled", "failed", "succeeded"):
        Record.write(payment.account_id, now, by, f"payment.{payment.stage}", payment.id, **_detail(heard))
    if heard.method and heard.method != payment.method:
        Record.write(payment.account_id, now, by, "payment.other_method", payment.id, charged=heard.method)


def _detail(heard: Heard) -> dict[str, str]:
    return {"failure": heard.failure} if heard.failure else {}


def _book(held: Held, moved: int, now: datetime, by: str) -> None:
    """What moved is booked, whatever became of the invoices meanwhile: what they do not take is surplus."""
    payment = held.payment
    parts, over = spread(moved, held.shares)
    if moved != payment.amount:
        Record.write(payment.account_id, now, by, "payment.other_amount", payment.id, moved=moved)
    if over and parts:
        parts[-1] = Share(parts[-1].invoice_id, parts[-1].amount + over)
    for part in parts:
        book_received(held, part, now, by)


def book_received(held: Held, part: Share, now: datetime, by: str, ref: str = "") -> None:
    """Books one invoice's share of money that came in, and its surplus to the customer's balance."""
    invoice = held.invoices[part.invoice_id]
    left = invoice.remaining() if invoice.status in OWED else 0
    _, surplus = takes(part.amount, left)
    Booking.write(held.payment, invoice.id, "received", part.amount, now, ref)
    if surplus:
        to_surplus(held, invoice.id, surplus, now, by, ref)
    midnight = periods.midnight(_received_on(held, now), held.customer.timezone)
    held.update(invoice.id, now, payment_received_at=midnight)
    if invoice.status not in OWED:
        Collection.stop(invoice.id)


def to_surplus(held: Held, invoice_id: str, amount: int, now: datetime, by: str, ref: str) -> None:
    """What an invoice does not take is the customer's; where her balance cannot take it, the operator has to."""
    Booking.write(held.payment, invoice_id, "surplus", -amount, now, ref)
    moved = held.to_balance(amount, invoice_id, now)
    account_id = held.payment.account_id
    Record.write(account_id, now, by, "payment.surplus", invoice_id, amount=amount, to_balance=moved)


def _received_on(held: Held, now: datetime) -> date:
    return held.payment.received_on or periods.local_day(now, held.customer.timezone)


def _second(held: Held, heard: Heard, now: datetime, by: str) -> None:
    """The gateway knows our payment by two names. If money moved under the second as well, it is the customer's."""
    payment = held.payment
    booked = Booking.select().where(Booking.payment == payment, Booking.ref == heard.ref)
    if heard.stage != "succeeded" or booked.exists():
        return
    Record.write(payment.account_id, now, by, "payment.second", payment.id, ref=heard.ref, amount=heard.amount)
    parts, over = spread(heard.amount, held.shares)
    if over and parts:
        parts[-1] = Share(parts[-1].invoice_id, parts[-1].amount + over)
    for part in parts:
        book_received(held, part, now, by, heard.ref)


def write_failed(held: Held, now: datetime) -> None:
    """Whoever pays by card sees at once that it failed; of all else she hears by letter."""
    payment = held.payment
    if payment.automatic or payment.method != "card":
        write(held, "payment_failed", now, f"payment:{payment.id}:failed")


def write(held: Held, kind: str, now: datetime, dedupe_key: str, invoice_id: str | None = None) -> None:
    """Queues one letter about the payment, where the customer wants letters and this one was not queued before.

    It leads to one invoice: the one named, or else the first.
    """
    if held.customer.deleted_at or not held.customer.email_delivery:
        return
    if not Letter.select().where(Letter.dedupe_key == dedupe_key).exists():
        about = {"invoice_id": invoice_id or held.allocations[0].invoice_id, "payment_id": held.payment.id}
        Letter.queue(held.customer, kind, now, dedupe_key, **about)
