"""What a gateway is asked about again, because no answer came or its payer is awaited: by one worker at a time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from peewee import fn

from portal.domain.settlement import LIVE
from portal.models.base import db, skipping_locked
from portal.models.link import ON_PURPOSE, Link
from portal.models.payment import Payment
from portal.models.record import Record
from portal.models.refund import Refund

LEASE = timedelta(minutes=2)  # what a worker took and did not finish is taken again


def payments(gateway: str, now: datetime, limit: int) -> list[Payment]:
    """Live payments that are due, for this worker."""
    due = Payment.select().where(Payment.gateway == gateway, Payment.ask_at <= now, Payment.stage.in_(LIVE))
    return _taken(Payment, due.order_by(Payment.ask_at), now, limit)


def refunds(gateway: str, now: datetime, limit: int) -> list[Refund]:
    """Refunds without an answer that are due, for this worker."""
    of_gateway = Payment.select(Payment.id).where(Payment.gateway == gateway)
    due = Refund.select().where(Refund.ask_at <= now, Refund.stage == "begun", Refund.payment.in_(of_gateway))
    return _taken(Refund, due.order_by(Refund.ask_at), now, limit)


def give_up_revoked(gateway: str, now: datetime) -> int:
    """Whose link was revoked on purpose need not do her part any more: such payments are given up now. How many."""
    revoked = Link.select(Link.id).where(Link.id == Payment.link_id, Link.ended_how == ON_PURPOSE)
    waits = (Payment.gateway == gateway) & (Payment.stage == "action") & (Payment.ask_at > now)
    waits &= Payment.gives_up_at > now
    found = [row.id for row in Payment.select(Payment.id).where(waits, fn.EXISTS(revoked))]
    if found:
        Payment.update(ask_at=now, gives_up_at=now).where(Payment.id.in_(found), waits).execute()
    return len(found)


def postpone(row: Payment | Refund, until: datetime) -> None:
    kind = type(row)
    kind.update(ask_at=until).where(kind.id == row.id, kind.ask_at.is_null(False)).execute()


def unresolved(row: Payment | Refund, now: datetime, by: str) -> bool:
    """Tells the operator that nobody knows what became of it. False where she was told before."""
    subject, deed = (
        (row.id, "payment.unresolved") if isinstance(row, Payment) else (row.payment_id, "refund.unresolved")
    )
    told = Record.select().where(Record.subject == subject, Record.deed == deed)
    if any(one.detail.get("id") == row.id for one in told):
        return False
    Record.write(str(row.account_id), now, by, deed, subject, id=row.id)
    return True


def _taken(kind: Any, due: Any, now: datetime, limit: int) -> list[Any]:
    if not due.exists():  # asked first, for a transaction would make others wait
        return []
    with db.atomic():
        found = list(skipping_locked(due.limit(limit)))
        if found:
            kind.update(ask_at=now + LEASE).where(kind.id.in_([row.id for row in found])).execute()
    return found
