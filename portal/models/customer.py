"""A customer of an account: who is billed, where letters go, and what stands to her credit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Self

from peewee import BigIntegerField, BooleanField, CharField, Check, ForeignKeyField, TextField

from portal.models.account import Account
from portal.models.base import IdField, InstantField, JsonField, Row, among, db, locked, many, rows
from portal.models.record import Record


class Taken(ValueError):
    """Another row of the account already has this name."""


class Erased(ValueError):
    """The customer was deleted."""


class Customer(Row):
    id = IdField()
    account = ForeignKeyField(Account, backref="customers", index=False)
    account_id: str
    created_at = InstantField()
    external_id = TextField(null=True)
    name = TextField()
    email = TextField()
    additional_emails = JsonField(default=list)
    currency = CharField(max_length=3, null=True)
    timezone = CharField(max_length=64)
    locale = CharField(max_length=16, null=True)
    billing_address = JsonField(null=True)
    shipping_address = JsonField(null=True)
    tax_id = JsonField(null=True)  # {country, type, value}
    metadata = JsonField(default=dict)
    auto_collection = BooleanField(default=False)
    auto_issuance = BooleanField(null=True)
    email_delivery = BooleanField(default=True)
    permanent_portal_link = BooleanField(default=True)
    payment_methods = JsonField(null=True)  # narrows the account's
    payment_provider = TextField(null=True)
    payment_provider_id = TextField(null=True)
    payment_configuration = JsonField(null=True)
    balance = BigIntegerField(default=0)  # minor units; positive is credit. Its rows: BalanceTransaction
    deleted_at = InstantField(null=True)  # what was hers is gone, and the row stays without her name

    class Meta:
        indexes = ((("account", "external_id"), True), (("account", "created_at", "id"), False))

    @classmethod
    def add(cls, account: Account, now: datetime, by: str, **fields: Any) -> Self:
        """A new customer. Raises Taken where the external id is in use."""
        with db.atomic():
            _refuse_taken(account, fields.get("external_id"))
            customer = cls.create(account=account, created_at=now, **{"timezone": account.timezone, **fields})
            Record.write(account.id, now, by, "customer.created", customer.id)
        return customer

    @classmethod
    def of(cls, account: Account, *, id: str | None = None, external_id: str | None = None) -> Self | None:
        """The account's own customer by either id, or None: another account's is no different from none."""
        named = (cls.id == id) if id is not None else (cls.external_id == external_id)
        return cls.select().where(cls.account == account, named, cls.deleted_at.is_null()).first()

    def held(self) -> Self:
        """This customer, locked until the transaction ends: the first lock of every deed on what is hers.

        Raises Erased where she was deleted.
        """
        held: Self = locked(type(self).select().where(Customer.id == self.id)).get()
        if held.deleted_at:
            raise Erased("this customer was deleted")
        return held

    def covers(self, total: int, currency: str) -> int:
        """What her balance takes off an invoice of `total`: at most that; a debt is added whole, a negative total kept.

        In minor units. Source: Orb's `balance`, positive where it reduces the next invoice.
        """
        if self.currency != currency:
            return 0
        return total if total < 0 else min(self.balance, total)

    def change(self, changes: dict[str, Any], now: datetime, by: str) -> None:
        with db.atomic():
            if changes.get("external_id") not in (None, self.external_id):
                _refuse_taken(self.account, changes["external_id"])
            changed = {name: value for name, value in changes.items() if getattr(self, name) != value}
            for name, value in changed.items():
                setattr(self, name, value)
            if changed:
                Customer.update(**changed).where(Customer.id == self.id).execute()
                Record.write(self.account_id, now, by, "customer.changed", self.id, changed=sorted(changed))


class BalanceTransaction(Row):
    """One movement of a customer's balance; the rows chain from one balance to the next."""

    id = IdField()
    customer = ForeignKeyField(Customer, backref="balance_transactions", index=False)
    customer_id: str
    created_at = InstantField()
    type = CharField(max_length=9, constraints=[Check("type IN ('increment', 'decrement')")])
    action = CharField(max_length=32)
    amount = BigIntegerField(constraints=[Check("amount > 0")])  # minor units of the customer's currency
    starting_balance = BigIntegerField()
    ending_balance = BigIntegerField()
    description = TextField(null=True)
    invoice_id = CharField(max_length=16, null=True, index=True)  # no foreign key: invoices come after customers

    class Meta:
        indexes = ((("customer", "created_at", "id"), False),)

    @classmethod
    def of_invoices(cls, ids: Sequence[str]) -> dict[str, list[Self]]:
        """The movements that each of the invoices caused, oldest first. One query."""
        found: dict[str, list[Self]] = {id: [] for id in ids}
        moved = map(cls.read, rows(f"{MOVED} {among('m.invoice_id')}", many(ids)) if ids else ())
        for row in sorted(moved, key=cls.when):
            found[str(row.invoice_id)].append(row)
        return found

    def when(self) -> tuple[datetime, str]:
        """What movements are sorted by, whoever reads them."""
        return self.created_at, self.id

    @classmethod
    def move(
        cls,
        customer: Customer,
        minor: int,
        action: str,
        now: datetime,
        *,
        invoice_id: str | None = None,
        description: str | None = None,
    ) -> Self:
        """Adds `minor` (negative: takes) to the balance of `customer`, who is held by the caller's transaction."""
        row = cls.create(
            customer=customer,
            created_at=cls._next_moment(customer, now),
            type="increment" if minor > 0 else "decrement",
            action=action,
            amount=abs(minor),
            starting_balance=customer.balance,
            ending_balance=customer.balance + minor,
            description=description,
            invoice_id=invoice_id,
        )
        customer.balance = row.ending_balance
        Customer.update(balance=row.ending_balance).where(Customer.id == customer.id).execute()
        return row

    @classmethod
    def _next_moment(cls, customer: Customer, now: datetime) -> datetime:
        """`now`, or just after the movement before: one call may make several, and who waits for the lock is late."""
        before = cls.select().where(cls.customer == customer).order_by(cls.created_at.desc(), cls.id.desc()).first()
        return max(now, before.created_at + timedelta(microseconds=1)) if before else now


# By hand: it is asked for whenever an invoice is fetched (decision 8).
MOVED = f"SELECT {BalanceTransaction.columns('m')} FROM balance_transaction m WHERE"  # noqa: S608 - our own names


def _refuse_taken(account: Account, external_id: str | None) -> None:
    if external_id is not None and Customer.of(account, external_id=external_id):
        raise Taken(f"external_customer_id {external_id!r} belongs to another customer")
