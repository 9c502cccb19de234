"""What a key was answered before, so that a repeated call changes nothing. Answers hold link ids, never links."""

from __future__ import annotations

from datetime import datetime, timedelta

from peewee import CharField, CompositeKey, ForeignKeyField, IntegerField

from portal.models.account import Account
from portal.models.base import InstantField, JsonField, Row

KEPT = timedelta(hours=48)
ABANDONED = timedelta(seconds=60)  # longer than the server lets a request live


class Idempotency(Row):
    account = ForeignKeyField(Account, index=False)
    account_id: str
    key = CharField(max_length=64)
    request_digest = CharField(max_length=64)  # SHA-256 of method, path and body
    locked_at = InstantField()  # when the present holder began
    created_at = InstantField(index=True)
    status = IntegerField(null=True)  # null while in flight
    body = JsonField(null=True)  # the answer; while in flight the id of what was begun, which a gateway is asked for

    class Meta:
        primary_key = CompositeKey("account", "key")

    @classmethod
    def forget_old(cls, now: datetime) -> int:
        """Deletes keys older than 48 hours and says how many."""
        return cls.delete().where(cls.created_at < now - KEPT).execute()
