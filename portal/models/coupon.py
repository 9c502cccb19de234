"""A coupon is a discount that a code brings to a subscription."""

from __future__ import annotations

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


# Archiving sets a code free.
Coupon.add_index(
    Coupon.index(
        Coupon.account, Coupon.code, unique=True, where=Coupon.archived_at.is_null(), name="coupon_one_live_a_code"
    )
)
