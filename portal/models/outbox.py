"""Letters that are to leave the house. A row says what to send; its link is made at the moment it is sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from peewee import CharField, ForeignKeyField, TextField, fn

from portal.models.account import Account
from portal.models.base import IdField, InstantField, Row
from portal.models.customer import Customer

DAY = timedelta(hours=24)
FRESH_LINKS_A_LINK = 3  # within 24 hours
FRESH_LINKS_A_CUSTOMER = 5


class Letter(Row):
    id = IdField()
    account = ForeignKeyField(Account, backref="letters")
    account_id: str
    customer = ForeignKeyField(Customer, backref="letters", index=False)
    customer_id: str
    # "invoice" (one was issued), "fresh_link" (somebody asked on a 410 page), "payment_succeeded", "payment_failed",
    # "payment_returned", "refund"
    kind = TextField()
    invoice_id = CharField(max_length=16, null=True)
    link_id = CharField(max_length=16, null=True)  # the link that was opened in vain
    dedupe_key = TextField(unique=True)
    created_at = InstantField()
    due_at = InstantField()
    sent_at = InstantField(null=True)
    payment_id = CharField(max_length=16, null=True)  # that a letter is about; a refund's id is in the dedupe_key

    class Meta:
        indexes = ((("customer", "kind", "created_at"), False), (("link_id", "created_at"), False))

    @classmethod
    def queue(cls, customer: Customer, kind: str, now: datetime, dedupe_key: str, **about: str | None) -> Self:
        return cls.create(
            account=customer.account_id,
            customer=customer,
            kind=kind,
            dedupe_key=dedupe_key,
            created_at=now,
            due_at=now,
            **about,
        )

    @classmethod
    def ask_fresh_link(cls, link_id: str, customer: Customer, now: datetime) -> bool:
        """Queues "mail me a fresh link", unless today's share is used up (3 a link, 5 a customer).

        The caller's transaction holds the customer, so that two at once are counted one after the other.
        """
        today = (cls.customer == customer) & (cls.kind == "fresh_link") & (cls.created_at > now - DAY)
        of_customer = cls.select(fn.COUNT(cls.id)).where(today).scalar()
        of_link = cls.select(fn.COUNT(cls.id)).where(today, cls.link_id == link_id).scalar()
        if of_link >= FRESH_LINKS_A_LINK or of_customer >= FRESH_LINKS_A_CUSTOMER:
            return False
        nth = f"fresh:{link_id}:{now.isoformat()}:{of_customer}"
        cls.queue(customer, "fresh_link", now, nth, link_id=link_id)
        return True
