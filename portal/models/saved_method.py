"""What a gateway keeps for a customer: who she is there, and the methods that she let it save."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from peewee import SQL, BooleanField, CharField, CompositeKey, ForeignKeyField, TextField

from portal.models.account import Account
from portal.models.base import IdField, InstantField, Row, db, tuples
from portal.models.customer import Customer, Taken
from portal.models.record import Record


class Payer(Row):
    """The name under which a gateway knows a customer."""

    customer = ForeignKeyField(Customer, index=False)
    customer_id: str
    gateway = CharField(max_length=8)
    ref = TextField()

    class Meta:
        primary_key = CompositeKey("customer", "gateway")
        indexes = ((("gateway", "ref"), False),)

    @classmethod
    def ref_of(cls, customer_id: str, gateway: str) -> str | None:
        found = cls.select(cls.ref).where(cls.customer == customer_id, cls.gateway == gateway).first()
        return found.ref if found else None

    @classmethod
    def refs(cls, customer_ids: Sequence[str], gateway: str) -> dict[str, str]:
        """What the gateway calls each of them, where it knows her. One query."""
        if not customer_ids:
            return {}
        query = cls.select(cls.customer, cls.ref).where(cls.customer.in_(list(customer_ids)), cls.gateway == gateway)
        return dict(tuples(query))

    @classmethod
    def keep(cls, customer_id: str, gateway: str, ref: str) -> None:
        """The gateway knows her by `ref` from now on; what it called her before stays where it was the first."""
        cls.insert(customer=customer_id, gateway=gateway, ref=ref).on_conflict_ignore().execute()

    @classmethod
    def link(cls, customer: Customer, gateway: str, ref: str) -> None:
        """An operator says by which ref the gateway knows her. Raises Taken where another customer of theirs has it."""
        others = cls.select().join(Customer).where(cls.gateway == gateway, cls.ref == ref)
        if others.where(Customer.account == customer.account_id, Customer.id != customer.id).exists():
            raise Taken("payment_provider_id belongs to another customer")
        row = cls.insert(customer=customer, gateway=gateway, ref=ref)
        row.on_conflict(conflict_target=[cls.customer, cls.gateway], update={cls.ref: ref}).execute()

    @classmethod
    def unlink(cls, customer_id: str, gateway: str) -> None:
        """The gateway does not know her any more: the next payment makes her known to it again."""
        cls.delete().where(cls.customer == customer_id, cls.gateway == gateway).execute()


class SavedMethod(Row):
    id = IdField()
    account = ForeignKeyField(Account, index=False)
    account_id: str
    customer = ForeignKeyField(Customer, index=False)
    customer_id: str
    gateway = CharField(max_length=8)
    gateway_ref = TextField()
    method = CharField(max_length=16)  # card, us_bank_account, sepa_debit
    label = TextField()  # for people: "Visa ending in 4242"
    expires = CharField(max_length=7, null=True)  # YYYY-MM
    is_default = BooleanField(default=False)
    created_at = InstantField()
    removed_at = InstantField(null=True)

    class Meta:
        indexes = ((("gateway", "gateway_ref"), True), (("customer", "created_at", "id"), False))

    @classmethod
    def of(cls, customer_id: str, gateway: str) -> list[Self]:
        """Those that can be charged, the default first and then the newest. One query."""
        kept = (cls.customer == customer_id) & (cls.gateway == gateway) & cls.removed_at.is_null()
        return list(cls.select().where(kept).order_by(cls.is_default.desc(), cls.created_at.desc(), cls.id))

    @classmethod
    def default(cls, customer_id: str, gateway: str) -> Self | None:
        """The only one that is ever charged without its payer."""
        return next((one for one in cls.of(customer_id, gateway) if one.is_default), None)

    @classmethod
    def defaults(cls, customer_ids: Sequence[str], gateway: str) -> dict[str, Self]:
        """The defaults of many customers. One query."""
        kept = (cls.gateway == gateway) & cls.is_default & cls.removed_at.is_null()
        rows = cls.select().where(cls.customer.in_(list(customer_ids)), kept) if customer_ids else ()
        return {row.customer_id: row for row in rows}

    @classmethod
    def keep(cls, customer: Customer, gateway: str, ref: str, now: datetime, by: str, **described: str | None) -> Self:
        """The method `ref` as the gateway describes it: method, label, expires. Her first becomes the default.

        One that was removed here stays removed. Her row is held by the caller's transaction.
        """
        row = cls.select().where(cls.gateway == gateway, cls.gateway_ref == ref).first()
        if row is not None:
            cls.update(**described).where(cls.id == row.id).execute()
            return cls.get_by_id(row.id)
        row = cls.create(
            account=customer.account_id,
            customer=customer,
            gateway=gateway,
            gateway_ref=ref,
            created_at=now,
            is_default=not cls.of(customer.id, gateway),
            **described,
        )
        Record.write(customer.account_id, now, by, "payment_method.saved", row.id)
        return row

    @classmethod
    def never_keep(cls, customer: Customer, gateway: str, ref: str, now: datetime) -> None:
        """Remembers of a method that it was removed before we heard that it was saved. She is held by the caller."""
        named = {"gateway": gateway, "gateway_ref": ref, "method": "", "label": ""}
        cls.create(account=customer.account_id, customer=customer, created_at=now, removed_at=now, **named)

    def is_kept_for(self, customer: Customer) -> bool:
        """Is it hers, and there, now?"""
        now = SavedMethod.select().where(SavedMethod.id == self.id, SavedMethod.removed_at.is_null()).first()
        return now is not None and now.customer_id == customer.id

    def make_default(self, now: datetime, by: str) -> None:
        """Charged from now on where nobody chooses."""
        with db.atomic():
            customer = Customer(id=self.customer_id).held()
            if not self.is_kept_for(customer):
                return
            hers = (SavedMethod.customer == customer) & (SavedMethod.gateway == self.gateway)
            SavedMethod.update(is_default=False).where(hers, SavedMethod.is_default).execute()
            SavedMethod.update(is_default=True).where(SavedMethod.id == self.id).execute()
            Record.write(self.account_id, now, by, "payment_method.default", self.id)

    @classmethod
    def have_no_default(cls, customer: Customer, gateway: str, now: datetime, by: str) -> None:
        """Nothing is charged without its payer any more. Her row is held by the caller's transaction."""
        hers = (cls.customer == customer) & (cls.gateway == gateway) & cls.is_default
        if cls.update(is_default=False).where(hers).execute():
            Record.write(customer.account_id, now, by, "payment_method.no_default", customer.id)

    def remove(self, now: datetime, by: str) -> None:
        """No longer charged. The newest that is left becomes the default where this one was."""
        with db.atomic():
            customer = Customer(id=self.customer_id).held()
            row = SavedMethod.get_by_id(self.id)
            if row.removed_at:
                return
            SavedMethod.update(removed_at=now, is_default=False).where(SavedMethod.id == self.id).execute()
            left = SavedMethod.of(customer.id, self.gateway)
            if row.is_default and left:
                SavedMethod.update(is_default=True).where(SavedMethod.id == left[0].id).execute()
            Record.write(self.account_id, now, by, "payment_method.removed", self.id)


SavedMethod.add_index(
    SavedMethod.index(
        SavedMethod.customer,
        SavedMethod.gateway,
        unique=True,
        where=SavedMethod.is_default & SQL("removed_at IS NULL"),
        name="saved_method_one_default_a_customer",
    )
)
