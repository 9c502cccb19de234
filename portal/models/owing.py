"""What a customer's open invoices ask for together: one row a currency, worked out by the database and only read here.

Whatever opens, pays or voids an invoice has the row worked out again from the open invoices, in the same transaction
and whoever did it: `portal.models.guards`. Nothing is ever added to it or taken from it.
"""

from __future__ import annotations

from typing import Any, Self

from peewee import BigIntegerField, CharField, CompositeKey, ForeignKeyField, IntegerField

from portal.models.base import Row
from portal.models.customer import Customer


class Owing(Row):
    customer = ForeignKeyField(Customer, index=False)
    customer_id: str
    currency = CharField(max_length=3)
    count = IntegerField()  # of invoices with something left to pay
    remaining = BigIntegerField()  # minor units

    class Meta:
        primary_key = CompositeKey("customer", "currency")

    @classmethod
    def of(cls, customer_id: str) -> list[Self]:
        """What is owed in each currency, where anything is. One query, however many invoices there are."""
        something: Any = cls.count > 0
        return list(cls.select().where(cls.customer == customer_id, something).order_by(cls.currency))
