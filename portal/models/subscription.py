"""A subscription says which prices a customer pays each period, and on what terms."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Self

from peewee import JOIN, CharField, CompositeKey, ForeignKeyField, IntegerField, TextField

from portal.domain.periods import Period, month_period
from portal.models.account import Account
from portal.models.base import DayField, IdField, InstantField, JsonField, Row
from portal.models.catalog import Metric, Price
from portal.models.customer import Customer


class Subscription(Row):
    id = IdField()
    account = ForeignKeyField(Account, backref="subscriptions")
    account_id: str
    customer = ForeignKeyField(Customer, backref="subscriptions")
    customer_id: str
    created_at = InstantField()
    name = TextField()
    currency = CharField(max_length=3)
    start_date = DayField()
    end_date = DayField(null=True)  # exclusive
    billing_cycle_day = IntegerField(default=1)
    net_terms = IntegerField(default=30)  # days
    # {discounts: [{type, value, reason}], minimum: minor|null, tax_rates: [[description, percentage]], credits: minor}
    terms = JsonField(default=dict)

    @classmethod
    def start(
        cls, customer: Customer, now: datetime, *, name: str, currency: str, prices: list[Price], **fields: Any
    ) -> Self:
        subscription = cls.create(
            account=customer.account_id, customer=customer, created_at=now, name=name, currency=currency, **fields
        )
        for position, price in enumerate(prices):
            SubscriptionPrice.create(subscription=subscription, price=price, position=position)
        return subscription

    @classmethod
    def running(cls, customer_id: str, today: date) -> list[Self]:
        """The customer's subscriptions that are billed today, oldest first."""
        ends_later = cls.end_date.is_null() | (cls.end_date > today)
        return list(
            cls.select()
            .where(cls.customer == customer_id, cls.start_date <= today, ends_later)
            .order_by(cls.created_at, cls.id)
        )

    def period(self, today: date) -> Period:
        """The billing period that holds `today`."""
        return month_period(self.billing_cycle_day, today)


class SubscriptionPrice(Row):
    subscription = ForeignKeyField(Subscription, backref="terms_of_price", index=False)
    subscription_id: str
    price = ForeignKeyField(Price)
    price_id: str
    position = IntegerField()

    class Meta:
        primary_key = CompositeKey("subscription", "price")

    @classmethod
    def of(cls, subscription_ids: list[str]) -> dict[str, list[Price]]:
        """The prices of each subscription, in order, with their items and metrics. One query."""
        found: dict[str, list[Price]] = {id: [] for id in subscription_ids}
        if not subscription_ids:
            return found
        rows = (
            cls.select(cls, Price, Metric)
            .join(Price)
            .join(Metric, JOIN.LEFT_OUTER)
            .where(cls.subscription.in_(subscription_ids))
            .order_by(cls.subscription, cls.position)
        )
        for row in rows:
            found[row.subscription_id].append(row.price)
        return found
