"""News of gateways, each told once: kept before it is acted on, and kept on for as long as nothing fits it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self

from peewee import CharField, CompositeKey, IntegerField, TextField

from portal.models.base import InstantField, JsonField, Row, locked

FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=6)
GIVES_UP = timedelta(days=30)


class GatewayEvent(Row):
    gateway = CharField(max_length=8)
    id = TextField()
    type = TextField()  # as the gateway calls it
    at = InstantField()  # when it happened there
    received_at = InstantField()
    applied_at = InstantField(null=True)  # None: nothing here fits it yet
    tries = IntegerField(default=0)
    retry_at = InstantField(null=True, index=True)
    said_at = InstantField(null=True)  # when the operator was told that it waits
    news = JsonField(null=True)  # while nothing fits it: what it says

    class Meta:
        primary_key = CompositeKey("gateway", "id")

    @classmethod
    def first(cls, gateway: str, id: str, type: str, at: datetime, now: datetime) -> Self | None:
        """The row of an event that is new; None where it was told before. In the transaction that acts on it."""
        row = {"gateway": gateway, "id": id, "type": type, "at": at, "received_at": now, "applied_at": now}
        if not cls.insert(**row).on_conflict_ignore().as_rowcount().execute():
            return None
        return cls.one(gateway, id)

    @classmethod
    def one(cls, gateway: str, id: str) -> Self:
        return locked(cls.select().where(cls.gateway == gateway, cls.id == id)).get()

    @classmethod
    def waiting(cls, gateway: str, now: datetime, limit: int) -> list[Self]:
        """Those that fitted nothing and are to be tried again."""
        due = cls.select().where(cls.gateway == gateway, cls.retry_at <= now)
        return list(due.order_by(cls.retry_at).limit(limit))

    def keep(self, news: dict[str, Any], now: datetime) -> None:
        """Nothing fits it yet; and after a month nothing will: others may use the same account of a gateway."""
        pause = min(FIRST_RETRY * 2 ** min(self.tries, 16), LONGEST_RETRY)
        retry_at = now + pause if now - self.received_at < GIVES_UP else None
        self._set(applied_at=None, news=news, tries=self.tries + 1, retry_at=retry_at)

    def said(self, now: datetime) -> None:
        self._set(said_at=now)

    def applied(self, now: datetime) -> None:
        self._set(applied_at=now, news=None, retry_at=None)

    def _set(self, **changes: Any) -> None:
        mine = (GatewayEvent.gateway == self.gateway) & (GatewayEvent.id == self.id)
        GatewayEvent.update(**changes).where(mine).execute()


class GatewayCursor(Row):
    """Up to when the events of a gateway were read through from its side."""

    gateway = CharField(max_length=8, primary_key=True)
    read_to = InstantField()

    @classmethod
    def of(cls, gateway: str) -> datetime | None:
        found = cls.select().where(cls.gateway == gateway).first()
        return found.read_to if found else None

    @classmethod
    def move(cls, gateway: str, to: datetime) -> None:
        again = cls.insert(gateway=gateway, read_to=to).on_conflict(
            conflict_target=[cls.gateway], update={cls.read_to: to}
        )
        again.execute()
