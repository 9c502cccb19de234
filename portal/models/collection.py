"""Invoices that are collected by themselves on their due date, and again after it where that failed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from peewee import ForeignKeyField, IntegerField

from portal.domain import periods
from portal.models.base import InstantField, Row, db, skipping_locked
from portal.models.invoice import Invoice

RETRIES = (timedelta(days=1), timedelta(days=3), timedelta(days=5))  # after the first, second and third failure
LEASE = timedelta(minutes=10)  # what a worker took and did not finish is taken again


class Collection(Row):
    invoice = ForeignKeyField(Invoice, primary_key=True)
    invoice_id: str
    next_at = InstantField(null=True, index=True)  # None: not by itself any more
    tries = IntegerField(default=0)
    previous_at = InstantField(null=True)

    @classmethod
    def plan(cls, invoice: Invoice, timezone: str, now: datetime) -> None:
        """To be collected on its due date, or at once where it has none; only if the invoice says so."""
        if invoice.auto_collection and invoice.status == "issued":
            due = periods.midnight(invoice.due_date, timezone) if invoice.due_date else now
            cls.insert(invoice=invoice.id, next_at=max(due, now)).on_conflict_ignore().execute()

    @classmethod
    def stop(cls, invoice_id: str) -> None:
        """Nothing is charged for it again unless somebody asks."""
        cls.update(next_at=None).where(cls.invoice == invoice_id).execute()

    @classmethod
    def of(cls, invoice_ids: list[str]) -> dict[str, Self]:
        """Those of many invoices. One query."""
        rows = cls.select().where(cls.invoice.in_(invoice_ids)) if invoice_ids else []
        return {row.invoice_id: row for row in rows}

    @classmethod
    def take(cls, now: datetime, limit: int) -> list[Self]:
        """Up to `limit` that are due, for this worker: others take other ones."""
        due = cls.select().where(cls.next_at <= now).order_by(cls.next_at).limit(limit)
        if not due.exists():  # asked first, for a transaction would make others wait
            return []
        with db.atomic():
            found = list(skipping_locked(due))
            cls.update(next_at=now + LEASE).where(cls.invoice.in_([row.invoice_id for row in found])).execute()
        return found

    def tried(self, now: datetime) -> None:
        """One more attempt was made, or refused: the next one where the schedule has one."""
        pause = RETRIES[self.tries] if self.tries < len(RETRIES) else None
        Collection.update(tries=Collection.tries + 1, previous_at=now, next_at=now + pause if pause else None).where(
            Collection.invoice == self.invoice_id
        ).execute()

    def put_off(self, until: datetime) -> None:
        """Nothing was tried: there is nothing to charge yet."""
        Collection.update(next_at=until).where(Collection.invoice == self.invoice_id).execute()
