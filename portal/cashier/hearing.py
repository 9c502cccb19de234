"""What gateways say is understood here, and made true by the models: each event once, each fact as often as told."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from portal.gateways import DisputeNews, Gateway, MethodNews, News, PaymentNews, RefundNews, Saved, Told
from portal.models import dispute, settling
from portal.models.base import db
from portal.models.customer import Customer
from portal.models.dispute import Dispute
from portal.models.gateway_event import GatewayEvent
from portal.models.payment import Payment
from portal.models.record import Record
from portal.models.refund import Refund
from portal.models.saved_method import Payer, SavedMethod
from portal.models.settling import Foreign, Heard

KINDS: dict[str, type[News]] = {
    "payment": PaymentNews,
    "refund": RefundNews,
    "dispute": DisputeNews,
    "method": MethodNews,
}


def told(gateway: Gateway, event: Told, now: datetime) -> bool:
    """Acts on one event, in one transaction. False where it was told before.

    What fits nothing yet is kept, and tried again by the worker.
    """
    with db.atomic():
        row = GatewayEvent.first(gateway.name, event.id, event.type, event.at, now)
        if row is None:
            return False
        if event.news and not apply(gateway.name, event.news, now, _by(gateway.name)):
            row.keep(written(event.news), now)
    return True


def apply(gateway: str, news: News, now: datetime, by: str) -> bool:
    """Makes `news` true. False where nothing here fits it yet; what is another mode's or currency's is not believed."""
    if isinstance(news, MethodNews):
        return _of_method(gateway, news, now, by)
    payment = _payment(gateway, news)
    if payment is None:
        return False
    if isinstance(news, PaymentNews):
        answered(payment, news, now, by)
        return True
    try:
        with db.atomic():
            if isinstance(news, DisputeNews):
                return _of_dispute(payment, news, now, by)
            return _of_refund(payment, news, now, by)
    except Foreign as error:
        _note_foreign(payment, error, now, by)
        return True


def answered(payment: Payment, news: PaymentNews, now: datetime, by: str) -> Payment:
    """The payment, as far as it has come; as it was, where the news is another mode's or currency's."""
    try:
        return of_payment(payment.id, news, now, by)
    except Foreign as error:
        _note_foreign(payment, error, now, by)
        return payment


def of_payment(payment_id: str, news: PaymentNews, now: datetime, by: str) -> Payment:
    """The payment, as far as it has come. Raises Foreign."""
    heard = Heard(
        ref=news.ref,
        stage=news.stage,
        amount=news.amount,
        currency=news.currency,
        live=news.live,
        method=news.method,
        label=news.label,
        failure=news.failure,
        by_deposits=news.action is not None and news.action.kind == "micro_deposits",
    )
    with db.atomic():
        payment = settling.hear(payment_id, heard, now, by)
        if news.saved:
            customer = Customer.get_by_id(payment.customer_id)
            if not customer.deleted_at:
                keep(customer, payment.gateway, news.saved, now, by)
        if payment.stage == "succeeded":
            dispute.catch_up(payment.id, now)
    return payment


def keep(customer: Customer, gateway: str, saved: Saved, now: datetime, by: str) -> SavedMethod:
    """The saved method as the gateway describes it. The customer is held by the caller's transaction."""
    described = {"method": saved.method, "label": saved.label, "expires": saved.expires}
    return SavedMethod.keep(customer, gateway, saved.ref, now, by, **described)


def written(news: News) -> dict[str, Any]:
    """`news` as it is kept."""
    kind = next(name for name, made in KINDS.items() if isinstance(news, made))
    return {"kind": kind, **asdict(news)}


def read(kept: dict[str, Any]) -> News:
    """What `written` wrote. What a payer had to do is asked for again when she looks."""
    fields = dict(kept)
    made = KINDS[fields.pop("kind")]
    fields.pop("action", None)
    if fields.get("saved"):
        fields["saved"] = Saved(**fields["saved"])
    return made(**fields)


def _payment(gateway: str, news: PaymentNews | RefundNews | DisputeNews) -> Payment | None:
    """By our id, as the gateway was told; or by its own, once we know it."""
    ref = news.ref if isinstance(news, PaymentNews) else news.payment_ref
    mine = Payment.select().where(Payment.gateway == gateway)
    found: Payment | None = None
    if news.payment_id:
        found = mine.where(Payment.id == news.payment_id).first()
    return found or mine.where(Payment.gateway_ref == ref).first()


def _of_refund(payment: Payment, news: RefundNews, now: datetime, by: str) -> bool:
    _refuse_mode(payment, news.live)
    heard = Refund.hear(
        payment.id,
        id=news.refund_id,
        ref=news.ref,
        stage=news.stage,
        amount=news.amount,
        currency=news.currency,
        now=now,
        by=by,
    )
    return heard is not None


def _of_dispute(payment: Payment, news: DisputeNews, now: datetime, by: str) -> bool:
    _refuse_mode(payment, news.live)
    Dispute.hear(
        payment.id,
        ref=news.ref,
        stage=news.stage,
        amount=news.amount,
        currency=news.currency,
        reason=news.reason,
        is_return=news.is_return,
        now=now,
        by=by,
    )
    return True


def _of_method(gateway: str, news: MethodNews, now: datetime, by: str) -> bool:
    payer = Payer.select().where(Payer.gateway == gateway, Payer.ref == news.payer_ref).first()
    with db.atomic():
        customer = Customer(id=payer.customer_id).held() if payer else None
        row = SavedMethod.select().where(SavedMethod.gateway == gateway, SavedMethod.gateway_ref == news.ref).first()
        if customer and news.saved:
            keep(customer, gateway, news.saved, now, by)
        elif row is not None and news.saved is None:
            row.remove(now, by)
        elif customer and news.saved is None:
            SavedMethod.never_keep(customer, gateway, news.ref, now)  # what tells that it was saved may still come
    return True  # of methods of strangers nothing is waited for


def _refuse_mode(payment: Payment, live: bool) -> None:
    if live != (payment.account.mode == "live"):
        raise Foreign("news of another mode than the account's")


def _note_foreign(payment: Payment, error: Foreign, now: datetime, by: str) -> None:
    Record.write(payment.account_id, now, by, "payment.foreign_news", payment.id, why=str(error))


def _by(gateway: str) -> str:
    return f"gateway:{gateway}"
