"""Who did what, when, to what and why. Rows are only ever added; the database refuses the rest."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from peewee import CharField, TextField

from portal.models.base import IdField, InstantField, JsonField, Row


class Record(Row):
    id = IdField()
    account_id = CharField(max_length=16)  # no foreign key: an account's birth is a record too
    at = InstantField()
    actor = TextField()  # "api:<key id>", "cli", "customer:<link id>", "system"
    deed = TextField()  # "link.revoked", "invoice.issued", ...
    subject = CharField(max_length=16)  # the id of what it was done to
    detail = JsonField(default=dict)  # never a link URL or token

    class Meta:
        indexes = ((("account_id", "at"), False), (("subject", "at"), False))

    @classmethod
    def write(cls, account_id: str, now: datetime, actor: str, deed: str, subject: str, **detail: Any) -> None:
        cls.create(account_id=account_id, at=now, actor=actor, deed=deed, subject=subject, detail=detail)
