"""A plan is what a subscription starts from: prices that belong together, and the terms that go with them."""

from __future__ import annotations

from peewee import CharField, Check, CompositeKey, ForeignKeyField, IntegerField, TextField

from portal.models.account import Account
from portal.models.base import ID_LENGTH, IdField, InstantField, JsonField, Row, new_id
from portal.models.catalog import Price


class Plan(Row):
    """What a subscription starts from: prices that belong together, and the terms that go with them."""

    id = IdField()
    account = ForeignKeyField(Account, backref="plans", index=False)
    account_id: str
    created_at = InstantField()
    name = TextField()
    description = TextField(default="")
    external_id = TextField(null=True)
    currency = CharField(max_length=3)
    net_terms = IntegerField(null=True)  # days
    default_invoice_memo = TextField(null=True)
    status = CharField(max_length=8, default="active", constraints=[Check("status IN ('active', 'archived', 'draft')")])
    metadata = JsonField(default=dict)
    product_id = CharField(max_length=ID_LENGTH, default=new_id)  # each plan is a product of its own
    adjustments = JsonField(default=list)  # Orb's plan phase adjustments, as on the wire
    trial_days = IntegerField(null=True)

    class Meta:
        indexes = ((("account", "external_id"), True), (("account", "created_at", "id"), False))


class PlanPrice(Row):
    plan = ForeignKeyField(Plan, backref="plan_prices", index=False)
    plan_id: str
    price = ForeignKeyField(Price, backref="plan_prices")
    price_id: str
    position = IntegerField()

    class Meta:
        primary_key = CompositeKey("plan", "price")
