"""What is sold: items, the metrics that measure them, the prices that charge for them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from peewee import CharField, ForeignKeyField, TextField

from portal.domain.metrics import Measure, read
from portal.domain.pricing import dimensions
from portal.models.account import Account
from portal.models.base import IdField, InstantField, JsonField, Row


class Item(Row):
    id = IdField()
    account = ForeignKeyField(Account, backref="items", index=False)
    account_id: str
    created_at = InstantField()
    archived_at = InstantField(null=True)
    name = TextField()
    metadata = JsonField(default=dict)

    class Meta:
        indexes = ((("account", "created_at", "id"), False),)

    @classmethod
    def of(cls, account: Account, id: str) -> Self | None:
        return cls.select().where(cls.account == account, cls.id == id).first()

    def change(self, changes: dict[str, Any]) -> None:
        """The item as `changes` say; its prices, which name it, follow. Frozen documents keep the name they had."""
        _write(self, changes)
        if "name" in changes:
            for price in Price.select().where(Price.item == self.id):
                _write(price, {"wire": {**price.wire, "item": {"id": self.id, "name": self.name}}})

    def archive(self, now: datetime) -> bool:
        """Was it there to be archived?"""
        return _archive(self, now)


class Metric(Row):
    """What is counted. Its `sql` says how (domain.metrics); without one, its days arrive counted (`UsageDay.put`)."""

    id = IdField()
    account = ForeignKeyField(Account, backref="metrics", index=False)
    account_id: str
    item = ForeignKeyField(Item, backref="metrics")
    item_id: str
    created_at = InstantField()
    name = TextField()
    unit = TextField(default="")  # "GB", "calls": what stands behind a quantity
    description = TextField(null=True)
    sql = TextField(default="")
    metadata = JsonField(default=dict)
    archived_at = InstantField(null=True)
    # The properties that usage is kept apart by, in the order of a `UsageDay.cell`; null: none.
    dimensions = JsonField(null=True)

    class Meta:
        indexes = ((("account", "created_at", "id"), False),)

    @classmethod
    def of(cls, account: Account, id: str) -> Self | None:
        """The account's own metric, with its item."""
        return cls.select(cls, Item).join(Item).where(cls.account == account, cls.id == id).first()

    @property
    def measure(self) -> Measure:
        """How it counts. Raises NotMeasured, which creating it would have raised before."""
        return read(self.sql)

    def change(self, changes: dict[str, Any]) -> None:
        _write(self, changes)

    def archive(self, now: datetime) -> bool:
        """Was it there to be archived? Prices that use it go on."""
        return _archive(self, now)

    def unarchive(self) -> bool:
        """Was it archived?"""
        return _archive(self, None)

    def needed(self) -> list[str]:
        """The properties that matrix prices keep its usage apart by."""
        matrices = (
            Price.select().where(Price.metric == self.id, Price.model_type == "matrix").order_by(Price.created_at)
        )
        return list(dict.fromkeys(name for price in matrices for name in dimensions(price.wire)))


class Price(Row):
    """A price in Orb's wire shape, which `domain.pricing` reads as it is."""

    id = IdField()
    account = ForeignKeyField(Account, backref="prices", index=False)
    account_id: str
    item = ForeignKeyField(Item, backref="prices")
    item_id: str
    metric = ForeignKeyField(Metric, null=True, backref="prices")
    metric_id: str | None
    created_at = InstantField()
    name = TextField()
    currency = CharField(max_length=3)
    model_type = CharField(max_length=32)
    wire = JsonField()  # the whole Price object
    external_id = TextField(null=True)

    class Meta:
        indexes = ((("account", "external_id"), True), (("account", "created_at", "id"), False))

    @classmethod
    def of(cls, account: Account, *, id: str | None = None, external_id: str | None = None) -> Self | None:
        """The account's own price by either id."""
        named = (cls.id == id) if id is not None else (cls.external_id == external_id)
        return cls.select().where(cls.account == account, named).first()

    @classmethod
    def add(
        cls, item: Item, now: datetime, *, name: str, currency: str, wire: dict[str, Any], metric: Metric | None = None
    ) -> Self:
        """A price whose wire object is `wire` (model_type, its config, fixed_price_quantity, ...) made complete."""
        price = cls(item=item, account=item.account_id, metric=metric, created_at=now, name=name, currency=currency)
        price.model_type = wire["model_type"]
        price.external_id = wire.get("external_price_id")
        price.wire = price_object(
            price.id,
            now,
            name=name,
            currency=currency,
            item={"id": item.id, "name": item.name},
            metric_id=metric.id if metric else None,
            **{key: _covering(value, price.id) for key, value in wire.items()},
        )
        price.save(force_insert=True)
        return price

    def change(self, metadata: dict[str, str]) -> None:
        _write(self, {"wire": {**self.wire, "metadata": metadata}})


def _covering(value: Any, price_id: str) -> Any:
    """What a price carries itself covers itself."""
    return {**value, "applies_to_price_ids": [price_id]} if _names_prices(value) else value


def _names_prices(value: Any) -> bool:
    return isinstance(value, dict) and value.get("applies_to_price_ids") == []


def price_object(
    id: str,
    now: datetime,
    *,
    name: str,
    currency: str,
    item: dict[str, str],
    model_type: str,
    metric_id: str | None = None,
    **special: Any,
) -> dict[str, Any]:
    """A complete Orb Price, every nullable key present; `special` holds the model's config and what differs."""
    return {
        "id": id,
        "name": name,
        "external_price_id": None,
        "price_type": "usage_price" if metric_id else "fixed_price",
        "model_type": model_type,
        "created_at": now.replace(microsecond=0).isoformat(),
        "cadence": "monthly",
        "billing_cycle_configuration": {"duration": 1, "duration_unit": "month"},
        "invoicing_cycle_configuration": None,
        "billable_metric": {"id": metric_id} if metric_id else None,
        "fixed_price_quantity": None,
        "plan_phase_order": None,
        "currency": currency,
        "conversion_rate": None,
        "conversion_rate_config": None,
        "item": item,
        "credit_allocation": None,
        "discount": None,
        "minimum": None,
        "minimum_amount": None,
        "maximum": None,
        "maximum_amount": None,
        "billing_mode": "in_arrear",
        "invoice_grouping_key": None,
        "replaces_price_id": None,
        "composite_price_filters": None,
        "metadata": {},
        "dimensional_price_configuration": None,
        "license_type": None,
        **special,
    }


def _write(row: Any, changes: dict[str, Any]) -> None:
    """`row` with `changes`, in memory and in the database."""
    for name, value in changes.items():
        setattr(row, name, value)
    if changes:
        type(row).update(**changes).where(type(row).id == row.id).execute()


def _archive(row: Any, now: datetime | None) -> bool:
    """Puts `row` away, or takes it out again; False where somebody did so before."""
    table = type(row)
    was = table.archived_at.is_null(now is not None)
    row.archived_at = now
    return bool(table.update(archived_at=now).where(table.id == row.id, was).execute())
