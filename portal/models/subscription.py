"""A subscription says which prices a customer pays each period, and on what terms."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Self

from peewee import (
    JOIN,
    BigIntegerField,
    BooleanField,
    CharField,
    CompositeKey,
    ForeignKeyField,
    IntegerField,
    TextField,
    fn,
)

from portal.domain.periods import Period, midnight, month_period
from portal.models.account import Account
from portal.models.base import ID_LENGTH, DayField, IdField, InstantField, JsonField, Row, new_id
from portal.models.catalog import Metric, Price
from portal.models.customer import Customer
from portal.models.plan import Plan

Interval = tuple[date | None, date | None]  # None: as the subscription; the end is exclusive


class Subscription(Row):
    id = IdField()
    account = ForeignKeyField(Account, backref="subscriptions", index=False)
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
    # {discounts: [{type, value, reason, price_ids, start, end}], minimum: minor|null, tax_rates: [[description,
    # percentage]], rules: [{type: minimum|maximum, value, price_ids, reason, start, end}], partials: true}
    terms = JsonField(default=dict)
    plan = ForeignKeyField(Plan, null=True, backref="subscriptions")
    plan_id: str | None
    # The instants of the two days, which programs read. One that was cancelled at once ends in the middle of its last.
    starts_at = InstantField(null=True)
    ends_at = InstantField(null=True)
    anchor = DayField(null=True)  # the day from which its periods are counted; None: billing_cycle_day of any month
    trial_end = DayField(null=True)  # exclusive
    metadata = JsonField(null=True)
    auto_collection = BooleanField(null=True)  # None: as the customer has it
    auto_issuance = BooleanField(null=True)
    invoicing_threshold = BigIntegerField(null=True)  # minor units
    default_invoice_memo = TextField(null=True)
    coupon = JsonField(null=True)  # {coupon_id, start, end}: the one that was redeemed
    bill_at = InstantField(null=True, index=True)  # when the next invoice is drafted; None: never
    billed_to = DayField(null=True)  # the boundary up to which invoices were drafted

    class Meta:
        indexes = ((("account", "created_at", "id"), False),)

    @classmethod
    def of(cls, account: Account, id: str) -> Self | None:
        """The account's own subscription, with its customer."""
        return cls.select(cls, Customer).join(Customer).where(cls.account == account, cls.id == id).first()

    @classmethod
    def start(
        cls,
        customer: Customer,
        now: datetime,
        *,
        name: str,
        currency: str,
        prices: list[Price],
        intervals: Mapping[str, Interval] | None = None,
        **fields: Any,
    ) -> Self:
        """A subscription to `prices`; `intervals` says of some of them, by id, on which days they are agreed."""
        for day, instant in (("start_date", "starts_at"), ("end_date", "ends_at")):
            if fields.get(day) is not None:
                fields.setdefault(instant, midnight(fields[day], customer.timezone))
        subscription = cls.create(
            account=customer.account_id, customer=customer, created_at=now, name=name, currency=currency, **fields
        )
        for position, price in enumerate(prices):
            start, end = (intervals or {}).get(price.id, (None, None))
            SubscriptionPrice.create(
                subscription=subscription, price=price, position=position, start_date=start, end_date=end
            )
        return subscription

    def change(self, changes: dict[str, Any]) -> None:
        for name, value in changes.items():
            setattr(self, name, value)
        if changes:
            Subscription.update(**changes).where(Subscription.id == self.id).execute()

    def first_instant(self, timezone: str) -> datetime:
        """When it starts, for a customer who lives there."""
        return self.starts_at or midnight(self.start_date, timezone)

    def last_instant(self, timezone: str) -> datetime | None:
        """When it ends (exclusive), for a customer who lives there."""
        return self.ends_at or (None if self.end_date is None else midnight(self.end_date, timezone))

    def status(self, now: datetime, timezone: str) -> str:
        """upcoming, active or ended; what was cancelled before it started has ended."""
        first, end = self.first_instant(timezone), self.last_instant(timezone)
        if end is not None and end <= max(first, now):
            return "ended"
        return "upcoming" if first > now else "active"

    @classmethod
    def running(cls, customer_id: str, today: date) -> list[Self]:
        """The customer's subscriptions that are billed today, oldest first."""
        return cls.within(customer_id, Period(today, today + timedelta(days=1)))

    @classmethod
    def within(cls, customer_id: str, days: Period) -> list[Self]:
        """The customer's subscriptions that are billed for some of `days`, oldest first."""
        ends_later = cls.end_date.is_null() | (cls.end_date > days.start)
        return list(
            cls.select()
            .where(cls.customer == customer_id, cls.start_date < days.end, ends_later)
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
    interval_id = CharField(max_length=ID_LENGTH, null=True, default=new_id)
    start_date = DayField(null=True)  # None: as long as the subscription
    end_date = DayField(null=True)  # exclusive

    class Meta:
        primary_key = CompositeKey("subscription", "price")

    def hand_over(self, price: Price, day: date) -> None:
        """From `day` on, which is one of its days, `price` stands in its place."""
        mine = (SubscriptionPrice.subscription == self.subscription_id) & (SubscriptionPrice.price == self.price_id)
        first = self.start_date or self.subscription.start_date
        if day <= first:
            SubscriptionPrice.delete().where(mine).execute()
        else:
            SubscriptionPrice.update(end_date=day).where(mine).execute()
        SubscriptionPrice.create(
            subscription=self.subscription_id,
            price=price,
            position=self.position,
            start_date=self.start_date if day <= first else day,
            end_date=self.end_date,
        )

    @classmethod
    def of(cls, subscription_ids: list[str]) -> dict[str, list[Self]]:
        """What each subscription pays for, in order, with the prices and their metrics. One query."""
        found: dict[str, list[Self]] = {id: [] for id in subscription_ids}
        if not subscription_ids:
            return found
        rows = (
            cls.select(cls, Price, Metric)
            .join(Price)
            .join(Metric, JOIN.LEFT_OUTER)
            .where(cls.subscription.in_(subscription_ids))
            .order_by(cls.subscription, cls.position, fn.COALESCE(cls.start_date, ""))
        )
        for row in rows:
            found[row.subscription_id].append(row)
        return found


class Threshold(Row):
    """What the worker last saw of a subscription that is billed as soon as its usage comes to a threshold."""

    subscription = ForeignKeyField(Subscription, primary_key=True)
    subscription_id: str
    revision = IntegerField(default=0)  # of the customer's account page, which counts her usage
