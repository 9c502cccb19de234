"""Prices: what a unit of something costs, made for any subscription to add."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from portal import current
from portal.api import errors, line_shapes, paging
from portal.api.body import Schema, body, query
from portal.api.fields import Currency, Metadata, merged
from portal.api.price_fields import PriceFields
from portal.api.price_making import made
from portal.models.catalog import Price

routes = Blueprint("prices", __name__)


class NewPrice(PriceFields):
    currency: Currency


class PriceChange(Schema):
    """Only metadata changes: what was agreed stays agreed. What else a price says may be sent back as it was read."""

    accepted = PriceFields.accepted | frozenset(PriceFields.model_fields) - {"metadata"}

    metadata: Metadata | None = None


@routes.post("/prices")
def create() -> tuple[dict[str, Any], int]:
    [price] = made(current.account(), [("", body(NewPrice))], None, current.now())
    return shape(price), 201


@routes.get("/prices")
def listed() -> dict[str, Any]:
    own = Price.select().where(Price.account == current.account())
    return paging.page(
        own, (Price.created_at, Price.id), query(paging.Paged), lambda rows: [shape(row) for row in rows]
    )


@routes.get("/prices/external_price_id/<external:external_id>")
def fetch_by_external_id(external_id: str) -> dict[str, Any]:
    return shape(found(external_id=external_id))


@routes.get("/prices/<id>")
def fetch(id: str) -> dict[str, Any]:
    return shape(found(id=id))


@routes.put("/prices/external_price_id/<external:external_id>")
def update_by_external_id(external_id: str) -> dict[str, Any]:
    return _updated(found(external_id=external_id))


@routes.put("/prices/<id>")
def update(id: str) -> dict[str, Any]:
    return _updated(found(id=id))


def found(**named: str | None) -> Price:
    """The account's own price, by `id` or by `external_id`. Raises Problem."""
    price = Price.of(current.account(), **named)
    if price is None:
        raise errors.not_found("Price")
    return price


def _updated(price: Price) -> dict[str, Any]:
    given = body(PriceChange)
    if "metadata" in given.model_fields_set:
        price.change(merged(price.wire.get("metadata") or {}, given.metadata))
    return shape(price)


def shape(price: Price) -> dict[str, Any]:
    wire: dict[str, Any] = line_shapes.price(price.wire)
    return wire
