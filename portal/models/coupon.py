"""A coupon is a discount that a code brings to a subscription."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from peewee import ForeignKeyField, IntegerField, TextField

from portal.models.account import Account
from portal.models.base import IdField, InstantField, JsonField, Row


class Coupon(Row):
    """A discount that a code brings to a subscription."""

    id = IdField()
    account = ForeignKeyField(Account, backref="coupons", index=False)
    account_id: str
    created_at = InstantField()
    code = TextField()
    discount = JsonField()  # {discount_type, percentage_discount | amount_discount}, as on the wire
    months = IntegerField(null=True)  # how long it lasts; None: for ever
    most = IntegerField(null=True)  # redemptions
    redeemed = IntegerField(default=0)
    archived_at = InstantField(null=True)

    class Meta:
        indexes = ((("account", "created_at", "id"), False),)

    @classmethod
    def of(cls, account: Account, id: str) -> Self | None:
        return cls.select().where(cls.account == account, cls.id == id).first()

    @classmethod
    def live(cls, account: Account, *, id: str | None = None, code: str | None = None) -> Self | None:
        """The account's own coupon by its id or its code, unless it is archived."""
        named = (cls.id == id) if id is not None else (cls.code == code)
        return cls.select().where(cls.account == account, named, cls.archived_at.is_null()).first()

    def redeem(self) -> bool:
        """Counts a redemption; False where it has had as many as it may. Two at once never pass the limit."""
        left = Coupon.most.is_null() | (Coupon.redeemed < Coupon.most)
        counted = Coupon.update(redeemed=Coupon.redeemed + 1)
        return bool(counted.where(Coupon.id == self.id, Coupon.archived_at.is_null(), left).execute())

    def archive(self, now: datetime) -> bool:
        """Was it there to be archived?"""
        self.archived_at = now
        return bool(Coupon.update(archived_at=now).where(Coupon.id == self.id, Coupon.archived_at.is_null()).execute())


# Archiving sets a code free.
Coupon.add_index(
    Coupon.index(
        Coupon.account, Coupon.code, unique=True, where=Coupon.archived_at.is_null(), name="coupon_one_live_a_code"
    )
)
