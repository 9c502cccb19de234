"""Usage is one quantity a customer, metric and day, side by side in the key: a page reads days, never events."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from peewee import SQL, BigIntegerField, CompositeKey, ForeignKeyField, TextField, fn

from portal.domain.periods import Period
from portal.models.base import DayField, Row, tuples
from portal.models.catalog import Metric
from portal.models.customer import Customer

ROWS_A_STATEMENT = 200


class UsageDay(Row):
    customer = ForeignKeyField(Customer, index=False)
    customer_id: str
    metric = ForeignKeyField(Metric, index=False)
    metric_id: str
    day = DayField()  # in the customer's time zone
    cell = TextField(default="")  # the values of the metric's dimensions, as a JSON list of text and null; or nothing
    quantity = TextField()  # decimal text; what it says of the day: domain.usage.Tally
    count = BigIntegerField(default=0, constraints=[SQL("DEFAULT 0")])  # events
    at = BigIntegerField(default=0, constraints=[SQL("DEFAULT 0")])  # microseconds: the newest event

    class Meta:
        primary_key = CompositeKey("customer", "metric", "day", "cell")
        without_rowid = True

    @classmethod
    def put(cls, customer: Customer, metric: Metric, days: Iterable[tuple[date, Decimal]]) -> None:
        """Says what the quantities of `days` are, whatever they were before."""
        rows = [{"customer": customer, "metric": metric, "day": day, "quantity": str(amount)} for day, amount in days]
        for start in range(0, len(rows), ROWS_A_STATEMENT):
            (
                cls.insert_many(rows[start : start + ROWS_A_STATEMENT])
                .on_conflict(conflict_target=(cls.customer, cls.metric, cls.day, cls.cell), preserve=(cls.quantity,))
                .execute()
            )

    @classmethod
    def by_day(
        cls, customer_id: str, metric_ids: Iterable[str], period: Period
    ) -> dict[str, list[tuple[date, Decimal]]]:
        """Each metric's days of `period`, in order, a zero for a day without usage. One query."""
        metrics = list(metric_ids)
        found: dict[tuple[str, date], Decimal] = {}
        if metrics:
            query = cls.select(cls.metric, cls.day, cls.quantity).where(
                cls.customer == customer_id,
                cls.metric.in_(metrics),
                cls.day >= period.start,
                cls.day < period.end,
            )
            found = {(metric, date.fromisoformat(str(day))): Decimal(text) for metric, day, text in tuples(query)}
        days = period.days()
        return {metric: [(day, found.get((metric, day), Decimal(0))) for day in days] for metric in metrics}

    @classmethod
    def metrics(cls, customer_id: str, account_id: str) -> list[Metric]:
        """The account's metrics that the customer has used, by name. One query that reads no days."""
        used = cls.select(SQL("1")).where(cls.customer == customer_id, cls.metric == Metric.id)
        return list(
            Metric.select().where(Metric.account == account_id, fn.EXISTS(used)).order_by(Metric.name, Metric.id)
        )


class UsageValue(Row):
    """A value that a metric which counts different ones met on a day. The new ones of a period are found by it."""

    customer = ForeignKeyField(Customer, index=False)
    customer_id: str
    metric = ForeignKeyField(Metric, index=False)
    metric_id: str
    day = DayField()
    cell = TextField(default="")
    value = TextField()  # as JSON, so that 3 and "3" are two; long ones by their digest

    class Meta:
        primary_key = CompositeKey("customer", "metric", "day", "cell", "value")
        without_rowid = True
