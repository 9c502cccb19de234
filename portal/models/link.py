"""A link is a row; the token in its URL only names it. The row decides, at every request, whether it opens."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any, Self

from peewee import BigIntegerField, CharField, Check, ForeignKeyField, TextField

from portal.domain import expiry, periods
from portal.models.account import Account
from portal.models.base import IdField, InstantField, Row, db
from portal.models.customer import Customer
from portal.models.invoice import IllegalState, Invoice
from portal.models.record import Record

ON_PURPOSE = "revoked"  # how a link ended that nobody is to get a fresh one for


class SessionsOnly(ValueError):
    """Permanent links are no longer given to customers of this account."""


class Link(Row):
    id = IdField()  # what the API calls it; says nothing about the token
    token_id = CharField(max_length=32, unique=True, default=lambda: secrets.token_bytes(16).hex())
    kind = CharField(max_length=8, constraints=[Check("kind IN ('invoice', 'customer', 'session')")])
    account = ForeignKeyField(Account, backref="links")
    account_id: str
    customer = ForeignKeyField(Customer, index=False)
    customer_id: str
    invoice = ForeignKeyField(Invoice, null=True, index=False)
    invoice_id: str | None
    kid = CharField(max_length=2, index=True)
    token_exp = BigIntegerField()  # epoch seconds as sealed into the token, 0 for none; never changes
    expires_at = InstantField(null=True)  # may only shrink
    created_at = InstantField()
    created_by = TextField()
    ended_at = InstantField(null=True)
    ended_by = TextField(null=True)
    ended_how = CharField(max_length=12, null=True)  # revoked | refreshed | rotated | replaced
    reason = TextField(null=True)

    class Meta:
        indexes = ((("invoice", "created_at"), False), (("customer", "kind", "created_at"), False))
        constraints = [
            Check("(kind = 'invoice') = (invoice_id IS NOT NULL)"),
            Check("(kind = 'customer') = (expires_at IS NULL)"),
            Check("(ended_at IS NULL) = (ended_how IS NULL)"),
        ]

    # The first links: made when an invoice is issued, when a customer is added.

    @classmethod
    def first(cls, invoice: Invoice, account: Account, timezone: str, now: datetime, kid: str, by: str) -> Self:
        """The link that an invoice is born with (product rule 1)."""
        return cls._mint(invoice, now, kid, by, _terms(expiry.first, invoice, account, timezone, now))

    @classmethod
    def permanent(cls, customer: Customer, now: datetime, kid: str, by: str) -> Self:
        return cls._mint(customer, now, kid, by, None)

    # Replacing them.

    @classmethod
    def reissue(cls, invoice: Invoice, account: Account, timezone: str, now: datetime, kid: str, by: str) -> Self:
        """A fresh link for an issued invoice; the earlier one stops in the same transaction."""
        with db.atomic():
            held = invoice.held()
            if held.status in ("draft", "void"):
                raise IllegalState(f"only an issued invoice has a link; this one is {held.status}")
            cls._end(cls.invoice == held, "refreshed", now, by)
            return cls._mint(held, now, kid, by, _terms(expiry.refreshed, held, account, timezone, now))

    @classmethod
    def rotate(cls, customer: Customer, now: datetime, kid: str, by: str) -> Self:
        """A new permanent link; the earlier one stops. Raises SessionsOnly where the customer may have none."""
        with db.atomic():
            held = customer.held()
            if Account.get_by_id(held.account_id).customer_portal_sessions_only:
                raise SessionsOnly("this account is sessions only: a permanent link can be revoked, not made")
            if not held.permanent_portal_link:
                raise SessionsOnly("permanent_portal_link is false for this customer: set it to true first")
            cls._end((cls.customer == held) & (cls.kind == "customer"), "rotated", now, by)
            return cls._mint(held, now, kid, by, None)

    @classmethod
    def start_session(
        cls,
        customer: Customer,
        now: datetime,
        kid: str,
        by: str,
        *,
        minutes: int = 60,
        invalidate_existing: bool = True,
    ) -> Self:
        """A portal session of `minutes`; the customer's others end in the same transaction, unless told otherwise."""
        with db.atomic():
            held = customer.held()  # concurrent calls line up here, so that exactly one session is left
            if invalidate_existing:
                cls._end(cls._sessions(held), "replaced", now, by)
            return cls._mint(held, now, kid, by, expiry.session(now, minutes), kind="session")

    # Ending them.

    @classmethod
    def end_all(cls, customer: Customer, now: datetime, by: str, reason: str) -> int:
        """Ends every live link of the customer, who is held, and of her invoices; and says how many."""
        return cls._end(cls.customer == customer, ON_PURPOSE, now, by, reason)

    def revoke(self, now: datetime, by: str, reason: str | None = None) -> None:
        """Ends this link on purpose. From the moment it returns no process serves it. Ended before: nothing changes."""
        with db.atomic():
            self._end(Link.id == self.id, ON_PURPOSE, now, by, reason)

    @classmethod
    def end_sessions(cls, customer: Customer, now: datetime, by: str, reason: str | None = None) -> int:
        """Ends all live sessions of the customer and says how many."""
        with db.atomic():
            return cls._end(cls._sessions(customer.held()), ON_PURPOSE, now, by, reason)

    # Reading them.

    @classmethod
    def of_invoice(cls, invoice_id: str) -> Self | None:
        """The invoice's link that has not been ended (it may have expired)."""
        return cls.select().where(cls.invoice == invoice_id, cls.ended_at.is_null()).first()

    @classmethod
    def of_customer(cls, customer_id: str) -> Self | None:
        return cls.select().where(cls.customer == customer_id, cls.kind == "customer", cls.ended_at.is_null()).first()

    @classmethod
    def current(cls, kind: str, owner_ids: list[str]) -> dict[str, Self]:
        """The un-ended invoice or customer link of each of many owners. One query."""
        if not owner_ids:
            return {}
        owner = cls.invoice if kind == "invoice" else cls.customer
        rows = cls.select().where(owner.in_(owner_ids), cls.kind == kind, cls.ended_at.is_null())
        return {str(row.invoice_id if kind == "invoice" else row.customer_id): row for row in rows}

    @classmethod
    def history(cls, kind: str, owner_id: str) -> list[Self]:
        """The ended links of an invoice or a customer, newest first."""
        owner = cls.invoice if kind == "invoice" else cls.customer
        rows = cls.select().where(owner == owner_id, cls.kind == kind, cls.ended_at.is_null(False))
        return list(rows.order_by(cls.created_at.desc(), cls.id))

    @classmethod
    def live_sessions(cls, customer_id: str, now: datetime) -> Any:
        """A query of the customer's sessions that open now."""
        return cls.select().where(cls._sessions(customer_id), cls.expires_at > now)

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and now >= self.expires_at

    def newest(self) -> Self:
        """The newest link of this one's kind for the same invoice or customer: it decides about a fresh one."""
        same = (Link.kind == self.kind) & (
            (Link.invoice == self.invoice_id) if self.kind == "invoice" else (Link.customer == self.customer_id)
        )
        return type(self).select().where(same).order_by(Link.created_at.desc(), Link.id.desc()).first()

    @classmethod
    def _sessions(cls, customer: Customer | str) -> Any:
        return (cls.customer == customer) & (cls.kind == "session") & cls.ended_at.is_null()

    @classmethod
    def _mint(
        cls, owner: Invoice | Customer, now: datetime, kid: str, by: str, expires_at: datetime | None, kind: str = ""
    ) -> Self:
        of_invoice = isinstance(owner, Invoice)
        link = cls.create(
            kind=kind or ("invoice" if of_invoice else "customer"),
            account=owner.account_id,
            customer=owner.customer_id if isinstance(owner, Invoice) else owner.id,
            invoice=owner.id if of_invoice else None,
            kid=kid,
            token_exp=int(expires_at.timestamp()) if expires_at else 0,
            expires_at=expires_at,
            created_at=now,
            created_by=by,
        )
        Record.write(owner.account_id, now, by, "link.created", link.id, kind=link.kind, owner=owner.id)
        return link

    @classmethod
    def _end(cls, which: Any, how: str, now: datetime, by: str, reason: str | None = None) -> int:
        ended = (
            cls.update(ended_at=now, ended_by=by, ended_how=how, reason=reason)
            .where(which, cls.ended_at.is_null())
            .returning(cls.id, cls.account)
            .tuples()
            .execute()
        )
        rows = list(ended)
        for id, account_id in rows:
            Record.write(account_id, now, by, f"link.{how}", id, reason=reason)
        return len(rows)


Link.add_index(
    Link.index(
        Link.invoice,
        unique=True,
        where=(Link.kind == "invoice") & Link.ended_at.is_null(),
        name="link_one_live_an_invoice",
    )
)
Link.add_index(
    Link.index(
        Link.customer,
        unique=True,
        where=(Link.kind == "customer") & Link.ended_at.is_null(),
        name="link_one_permanent_a_customer",
    )
)


def _terms(rule: Any, invoice: Invoice, account: Account, timezone: str, now: datetime) -> datetime:
    issued_on = periods.local_day(invoice.issued_at or now, timezone)
    days_after, refreshed = account.invoice_link_days_after_due, account.refreshed_link_days
    return rule(invoice.due_date, issued_on, timezone, now, days_after, refreshed)
