"""Do our books and the gateway's say the same? Worked out from both sides, payment by payment; nothing is changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from portal.domain.settlement import DISPUTE_STAGES, REFUND_STAGES, STAGES, furthest
from portal.gateways import DisputeNews, Gateway, PaymentNews, RefundNews, Refused
from portal.models.payment import Booking, Payment
from portal.models.refund import HERE

Money = PaymentNews | RefundNews | DisputeNews
ORDER: dict[type, Sequence[str]] = {PaymentNews: STAGES, RefundNews: REFUND_STAGES, DisputeNews: DISPUTE_STAGES}
MOVED = {PaymentNews: ("succeeded",), RefundNews: ("pending", "succeeded"), DisputeNews: ("lost",)}


@dataclass(frozen=True, slots=True)
class Sums:
    """What is left of all payments in one currency, in minor units, as both sides have it."""

    currency: str
    ours: int
    theirs: int

    @property
    def difference(self) -> int:
        return self.ours - self.theirs


@dataclass(slots=True)
class Report:
    sums: list[Sums] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)  # ids of payments, or the gateway's names of unknown ones


def report(gateway: Gateway, start: datetime) -> Report:
    """All payments that were begun since `start`. Raises Unreachable."""
    payments = {
        row.id: row for row in Payment.select().where(Payment.gateway == gateway.name, Payment.created_at >= start)
    }
    heard = _heard(gateway, start)
    theirs: dict[str, int] = defaultdict(int)
    currencies = {id: row.currency for id, row in payments.items()}
    ids = {row.gateway_ref: id for id, row in payments.items() if row.gateway_ref} | _named(heard)
    for one in heard.values():
        id = _payment_id(one, ids)
        if id and (id in payments or not Payment.select().where(Payment.id == id).exists()):
            theirs[id] += _moved(one)
            currencies.setdefault(id, one.currency)
    for row in payments.values():
        if row.gateway_ref and (PaymentNews, row.gateway_ref) not in heard:
            theirs[row.id] += _looked(gateway, row.gateway_ref)
    ours = {id: _kept(id) for id in payments}
    return _compared(ours, theirs, currencies)


def _heard(gateway: Gateway, start: datetime) -> dict[tuple[type, str], Money]:
    """The furthest that the gateway ever said of each payment, refund and dispute."""
    found: dict[tuple[type, str], Money] = {}
    for event in gateway.since(start):
        news = event.news
        if isinstance(news, PaymentNews | RefundNews | DisputeNews):
            kind = type(news)
            before = found.get((kind, news.ref))
            if before is None or furthest(before.stage, news.stage, ORDER[kind]) == news.stage:
                found[(kind, news.ref)] = news
    return found


def _named(heard: dict[tuple[type, str], Money]) -> dict[str, str]:
    """Our ids by the gateway's names, where a payment said both."""
    return {one.ref: one.payment_id for one in heard.values() if isinstance(one, PaymentNews) and one.payment_id}


def _payment_id(news: Money, ids: dict[str, str]) -> str | None:
    """None for what others do through the same account of a gateway."""
    return news.payment_id or ids.get(news.ref if isinstance(news, PaymentNews) else news.payment_ref)


def _moved(news: Money) -> int:
    if news.stage not in MOVED[type(news)]:
        return 0
    return news.amount if isinstance(news, PaymentNews) else -news.amount


def _looked(gateway: Gateway, ref: str) -> int:
    try:
        return _moved(gateway.look(ref))
    except Refused:
        return 0


def _kept(payment_id: str) -> int:
    return sum(amount for (_, kind), amount in Booking.sums(payment_id).items() if kind in HERE)


def _compared(ours: dict[str, int], theirs: dict[str, int], currencies: dict[str, str]) -> Report:
    found = Report()
    for currency in sorted(set(currencies.values())):
        ids = [id for id in currencies if currencies[id] == currency]
        pair = sum(ours.get(id, 0) for id in ids), sum(theirs.get(id, 0) for id in ids)
        found.sums.append(Sums(currency, *pair))
    found.differing = sorted(id for id in currencies if ours.get(id, 0) != theirs.get(id, 0))
    return found
