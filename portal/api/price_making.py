"""The rows that are made of prices as they are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from peewee import IntegrityError

from portal.api import errors
from portal.api.metrics import keep_apart
from portal.api.price_fields import PriceFields, refuse_unpriced
from portal.models.account import Account
from portal.models.base import claim
from portal.models.catalog import Item, Metric, Price

# What `Price.add` says of a price by itself.
SETTLED = {"id", "name", "currency", "item", "created_at", "price_type", "billable_metric"}


def made(
    account: Account, wanted: Sequence[tuple[str, PriceFields]], currency: str | None, now: datetime
) -> list[Price]:
    """The prices, each with where it stands in the body; `currency` is that of a plan or a subscription.

    Raises Problem. Metrics of matrix prices keep their usage apart from now on.
    """
    wires = [given.wire(where) for where, given in wanted]
    if any(given.model_type == "matrix" for _, given in wanted):
        claim(f"events {account.id}")
    items = _found(Item, account, [given.item_id for _, given in wanted])
    metrics = _found(Metric, account, [given.billable_metric_id for _, given in wanted])
    _refuse_taken(account, [given.external_price_id for _, given in wanted])
    prices = []
    for (where, given), wire in zip(wanted, wires, strict=True):
        metric = metrics[given.billable_metric_id] if given.billable_metric_id else None
        settled = _currency(given, currency, where)
        prices.append(add(items[given.item_id], now, name=given.name, currency=settled, wire=wire, metric=metric))
    for id in dict.fromkeys(price.metric_id for price in prices if price.model_type == "matrix"):
        keep_apart(metrics[str(id)])
    return prices


def add(item: Item, now: datetime, **fields: Any) -> Price:
    """Raises Problem where somebody took the external id in this very moment."""
    try:
        return Price.add(item, now, **fields)
    except IntegrityError as error:
        raise errors.duplicate("external_price_id belongs to another price.") from error


def instead_of(price: Price, changes: dict[str, Any], now: datetime, where: str = "") -> Price:
    """A price like `price` but for `changes` of its wire object. Raises Problem."""
    if price.model_type == "matrix":
        claim(f"events {price.account_id}")
    settled = {name: value for name, value in price.wire.items() if name not in SETTLED}
    wire = {**settled, "external_price_id": None, "replaces_price_id": price.id, **changes}
    refuse_unpriced({**wire, "price_type": price.wire["price_type"]}, where)
    named = {"name": price.name, "currency": price.currency, "metric": price.metric}
    made = add(price.item, now, wire={name: _uncovered(value) for name, value in wire.items()}, **named)
    if made.metric and made.model_type == "matrix":
        keep_apart(made.metric)
    return made


def _uncovered(value: Any) -> Any:
    """A minimum, a maximum or a discount that a new price is to carry."""
    return (
        {**value, "applies_to_price_ids": []} if isinstance(value, dict) and "applies_to_price_ids" in value else value
    )


def _currency(given: PriceFields, currency: str | None, where: str) -> str:
    if currency is None and given.currency is None:
        raise errors.invalid(f"{where}currency is required.")
    if None not in (currency, given.currency) and given.currency != currency:
        raise errors.invalid(f"{where}currency must be {currency}: prices are billed in one currency together.")
    return str(currency or given.currency)


def _found(table: Any, account: Account, ids: Iterable[str | None]) -> dict[str, Any]:
    wanted = {id for id in ids if id is not None}
    found = {row.id: row for row in table.select().where(table.account == account, table.id.in_(wanted))}
    if len(found) < len(wanted):
        raise errors.not_found(table.__name__)
    return found


def _refuse_taken(account: Account, external_ids: Iterable[str | None]) -> None:
    names = [name for name in external_ids if name is not None]
    if not names:
        return
    taken = Price.select().where(Price.account == account, Price.external_id.in_(names)).exists()
    if taken or len(set(names)) < len(names):
        raise errors.duplicate("external_price_id belongs to another price.")
