"""Items: what is sold, by name. Prices and invoice lines point at them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from portal import current
from portal.api import errors, paging, shapes
from portal.api.body import Schema, body, query
from portal.api.fields import Line, Metadata, merged
from portal.models.catalog import Item

routes = Blueprint("items", __name__)


class ItemFields(Schema):
    accepted = frozenset({"id", "created_at", "external_connections", "archived_at"})

    name: Line | None = None
    metadata: Metadata | None = None


class NewItem(ItemFields):
    name: Line


@routes.post("/items")
def create() -> tuple[dict[str, Any], int]:
    given = body(NewItem)
    metadata = merged({}, given.metadata)
    item = Item.create(account=current.account(), created_at=current.now(), name=given.name, metadata=metadata)
    return shape(item), 201


@routes.get("/items")
def listed() -> dict[str, Any]:
    own = Item.select().where(Item.account == current.account())
    return paging.page(own, (Item.created_at, Item.id), query(paging.Paged), lambda rows: [shape(row) for row in rows])


@routes.get("/items/<id>")
def fetch(id: str) -> dict[str, Any]:
    return shape(by_id(id))


@routes.put("/items/<id>")
def update(id: str) -> dict[str, Any]:
    item = by_id(id)
    given = body(ItemFields)
    changes: dict[str, Any] = {} if given.name in (None, item.name) else {"name": given.name}
    if "metadata" in given.model_fields_set:
        changes["metadata"] = merged(item.metadata, given.metadata)
    item.change(changes)
    return shape(item)


@routes.post("/items/<id>/archive")
def archive(id: str) -> dict[str, Any]:
    item = by_id(id)
    body(Schema)
    if not item.archive(current.now()):
        raise errors.constraint("This item is archived already.")
    return shape(item)


def by_id(id: str) -> Item:
    """The account's own item. Raises Problem."""
    item = Item.of(current.account(), id)
    if item is None:
        raise errors.not_found("Item")
    return item


def shape(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name,
        "created_at": shapes.stamp(item.created_at),
        "external_connections": [],
        "metadata": item.metadata,
        "archived_at": shapes.stamp(item.archived_at),
    }
