"""Backfills: events of a time that is over, counted together once they are complete, and taken back as one."""

from __future__ import annotations

from typing import Any, Literal

from flask import Blueprint

from portal import current
from portal.api import errors, paging, shapes
from portal.api.body import Schema, body, query
from portal.api.fields import Text, When
from portal.domain.metrics import NotMeasured, read
from portal.models import backfill as backfills
from portal.models.customer import Customer
from portal.models.event import Backfill

routes = Blueprint("backfills", __name__)


class NewBackfill(Schema):
    timeframe_start: When
    timeframe_end: When
    close_time: When | None = None
    customer_id: str | None = None
    external_customer_id: str | None = None
    replace_existing_events: bool | None = None
    deprecation_filter: Text | None = None


class Nothing(Schema):
    pass


class Filters(paging.Paged):
    customer_id: str | None = None
    status: Literal["pending", "reflected", "pending_revert", "reverted"] | None = None


@routes.post("/events/backfills")
def create() -> tuple[dict[str, Any], int]:
    given = body(NewBackfill)
    _refuse_times(given)
    _refuse_filter(given)
    backfill = backfills.begin(
        current.account(),
        current.now(),
        current.actor(),
        start=given.timeframe_start,
        end=given.timeframe_end,
        customer=_customer(given),
        close_at=given.close_time,
        replaces=bool(given.replace_existing_events),
        deprecation_filter=given.deprecation_filter,
    )
    return shape(backfill), 201


def _refuse_times(given: NewBackfill) -> None:
    if given.timeframe_end <= given.timeframe_start:
        raise errors.invalid("timeframe_end must be after timeframe_start.")
    if given.timeframe_end - given.timeframe_start > backfills.LONGEST:
        raise errors.invalid(f"A timeframe may be at most {backfills.LONGEST.days} days long: use more backfills.")
    if given.close_time is not None and given.close_time <= current.now():
        raise errors.invalid("close_time must be in the future.")


def _refuse_filter(given: NewBackfill) -> None:
    if given.deprecation_filter is None:
        return
    if not given.replace_existing_events:
        raise errors.invalid("deprecation_filter needs replace_existing_events.")
    try:
        read(backfills.filter_sql(given.deprecation_filter))
    except NotMeasured as error:
        raise errors.invalid(f"deprecation_filter: {error}.") from error


def _customer(given: NewBackfill) -> Customer | None:
    if given.customer_id is not None and given.external_customer_id is not None:
        raise errors.invalid("Name the customer by one of customer_id and external_customer_id, or by neither.")
    if given.customer_id is None and given.external_customer_id is None:
        return None
    customer = Customer.of(current.account(), id=given.customer_id, external_id=given.external_customer_id)
    if customer is None:
        raise errors.not_found("Customer")
    return customer


@routes.get("/events/backfills")
def listed() -> dict[str, Any]:
    given = query(Filters)
    own = Backfill.select().where(Backfill.account == current.account())
    if given.customer_id is not None:
        own = own.where(Backfill.customer == given.customer_id)
    if given.status is not None:
        own = own.where(Backfill.status == given.status)
    return paging.page(own, (Backfill.created_at, Backfill.id), given, shape_all)


@routes.get("/events/backfills/<id>")
def fetch(id: str) -> dict[str, Any]:
    return shape(_own(id))


@routes.post("/events/backfills/<id>/close")
def close(id: str) -> dict[str, Any]:
    body(Nothing)
    return shape(backfills.close(_own(id), current.now(), current.actor()))


@routes.post("/events/backfills/<id>/revert")
def revert(id: str) -> dict[str, Any]:
    body(Nothing)
    return shape(backfills.revert(_own(id), current.now(), current.actor()))


def _own(id: str) -> Backfill:
    backfill = Backfill.select().where(Backfill.account == current.account(), Backfill.id == id).first()
    if backfill is None:
        raise errors.not_found("Backfill")
    return backfill


def shape(backfill: Backfill) -> dict[str, Any]:
    return shape_all([backfill])[0]


def shape_all(found: list[Backfill]) -> list[dict[str, Any]]:
    """Each backfill as the wire has it, the events of all counted in one query."""
    counts = backfills.events_of(backfill.id for backfill in found)
    return [
        {
            "id": backfill.id,
            "status": backfill.status,
            "created_at": shapes.stamp(backfill.created_at),
            "timeframe_start": shapes.stamp(backfill.timeframe_start),
            "timeframe_end": shapes.stamp(backfill.timeframe_end),
            "close_time": shapes.stamp(backfill.close_at),
            "customer_id": backfill.customer_id,
            "events_ingested": counts.get(backfill.id, 0),
            "replace_existing_events": backfill.replaces,
            "deprecation_filter": backfill.deprecation_filter,
            "reverted_at": shapes.stamp(backfill.reverted_at),
        }
        for backfill in found
    ]
