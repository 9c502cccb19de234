"""A plan is what a subscription starts from: prices that belong together, and the terms that go with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Self

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

    @classmethod
    def of(cls, account: Account, *, id: str | None = None, external_id: str | None = None) -> Self | None:
        """The account's own plan by either id."""
        named = (cls.id == id) if id is not None else (cls.external_id == external_id)
        return cls.select().where(cls.account == account, named).first()

    @classmethod
    def add(cls, account: Account, now: datetime, prices: Sequence[Price], **fields: Any) -> Self:
        """A plan of `prices`, in their order."""
        plan = cls.create(account=account, created_at=now, **fields)
        for position, price in enumerate(prices):
            PlanPrice.create(plan=plan, price=price, position=position)
        return plan

    def change(self, changes: dict[str, Any]) -> None:
        for name, value in changes.items():
            setattr(self, name, value)
        if changes:
            Plan.update(**changes).where(Plan.id == self.id).execute()


class PlanPrice(Row):
    plan = ForeignKeyField(Plan, backref="plan_prices", index=False)
    plan_id: str
    price = ForeignKeyField(Price, backref="plan_prices")
    price_id: str
    position = IntegerField()

    class Meta:
        primary_key = CompositeKey("plan", "price")

    @classmethod
    def of(cls, plan_ids: Iterable[str]) -> dict[str, list[Price]]:
        """The prices of each plan, in order. One query."""
        found: dict[str, list[Price]] = {id: [] for id in plan_ids}
        if found:
            rows = cls.select(cls, Price).join(Price).where(cls.plan.in_(list(found))).order_by(cls.plan, cls.position)
            for row in rows:
                found[row.plan_id].append(row.price)
        return found
