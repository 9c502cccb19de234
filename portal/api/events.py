"""Events: ingested in batches, searched by their keys, amended and deprecated; and how many came of each hour."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from flask import Blueprint, request
from pydantic import Field, WithJsonSchema
from typing_extensions import TypeAliasType

from portal import current
from portal.api import arrivals, errors, paging, shapes
from portal.api.body import Query, Schema, body, query
from portal.api.fields import When
from portal.models import amending, ingestion
from portal.models.arrival import Refused
from portal.models.base import instant, micros
from portal.models.event import HOUR, Backfill, Event, EventHour

routes = Blueprint("events", __name__)

MOST_EVENTS = 500
LARGEST_BATCH = 4 * 1024 * 1024  # bytes: 500 events of 8 kB each
WEEK = timedelta(days=7)
MOST_TOLD = 20
PROPERTIES = {
    "type": "object",
    "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}, {"type": "null"}]},
}
EVENT: dict[str, Any] = {
    "type": "object",
    "required": ["event_name", "idempotency_key", "timestamp", "properties"],
    "additionalProperties": False,
    "properties": {
        **{name: {"type": "string", "minLength": 1, "maxLength": most} for name, most in arrivals.LONGEST.items()},
        "customer_id": {"type": ["string", "null"], "maxLength": arrivals.LONGEST["customer_id"]},
        "external_customer_id": {"type": ["string", "null"], "maxLength": arrivals.LONGEST["external_customer_id"]},
        "timestamp": {"type": "string", "format": "date-time"},
        "properties": PROPERTIES,
    },
}


NewEvent = TypeAliasType("NewEvent", Annotated[Any, WithJsonSchema(EVENT)])


class Batch(Schema):
    events: Annotated[list[NewEvent], Field(min_length=1, max_length=MOST_EVENTS)]


class IngestQuery(Query):
    backfill_id: str | None = None
    debug: Literal["true", "false"] = "false"


class Amended(Schema):
    event_name: Annotated[Any, WithJsonSchema(EVENT["properties"]["event_name"])]
    timestamp: Annotated[Any, WithJsonSchema(EVENT["properties"]["timestamp"])]
    properties: Annotated[Any, WithJsonSchema(PROPERTIES)]
    customer_id: Annotated[Any, WithJsonSchema(EVENT["properties"]["customer_id"])] = None
    external_customer_id: Annotated[Any, WithJsonSchema(EVENT["properties"]["external_customer_id"])] = None


class Nothing(Schema):
    pass


class Search(Schema):
    event_ids: Annotated[list[str], Field(min_length=1, max_length=MOST_EVENTS)]
    timeframe_start: When | None = None
    timeframe_end: When | None = None


class Volume(paging.Paged):
    timeframe_start: When
    timeframe_end: When | None = None


@routes.before_request
def let_batches_in() -> None:
    """Events come by the hundreds."""
    if request.path.endswith("/ingest"):
        request.max_content_length = LARGEST_BATCH


@routes.post("/ingest")
def ingest() -> dict[str, Any] | tuple[dict[str, Any], int]:
    """Keeps the events that can be kept, and names the others."""
    account, now, asked = current.account(), current.now(), query(IngestQuery)
    given = _batch()
    ingestion.share(account.id)
    backfill = None if asked.backfill_id is None else _open_backfill(asked.backfill_id)
    timeframe = (backfill.timeframe_start, backfill.timeframe_end) if backfill else None
    bounds = arrivals.Bounds(now, current.settings().event_grace_hours, timeframe)
    read = arrivals.Read(given.events, bounds)
    try:
        outcome = ingestion.ingest(account.id, read.arrivals, now, backfill=backfill, failed=read.failed)
    except Refused as refused:
        raise _refusal(refused.failed, len(given.events), kept=False) from refused
    if outcome.failed:
        return _refusal(outcome.failed, len(given.events), kept=True).body, 400
    answer: dict[str, Any] = {"validation_failed": []}
    if asked.debug == "true":
        answer["debug"] = {"duplicate": outcome.duplicate, "ingested": outcome.ingested}
    return answer


def _batch() -> Batch:
    """The body. Where it cannot be read at all, no event is named. Raises Problem."""
    try:
        return body(Batch)
    except errors.Problem as problem:
        problem.body["validation_failed"] = []
        raise


def _open_backfill(id: str) -> Backfill:
    backfill = Backfill.select().where(Backfill.account == current.account(), Backfill.id == id).first()
    if backfill is None:
        raise errors.not_found("Backfill")
    if backfill.status != "pending" or backfill.close_at <= current.now():
        raise errors.constraint("This backfill is closed: it takes no more events.")
    return backfill


def _refusal(failed: dict[str, list[str]], count: int, *, kept: bool) -> errors.Problem:
    told = [f"{key}: {sentence}" for key, sentences in failed.items() for sentence in sentences]
    others = "The others were kept" if kept else "Nothing of the batch was kept"
    detail = (
        f"{len(failed)} of {count} events cannot be kept. {others}: put right what validation_failed names, and "
        "send it again with the same idempotency_key."
    )
    problem = errors.invalid(detail, told[:MOST_TOLD])
    problem.body["validation_failed"] = [
        {"idempotency_key": key, "validation_errors": sentences} for key, sentences in failed.items()
    ]
    return problem


@routes.post("/events/search")
def search() -> dict[str, Any]:
    given, now = body(Search), current.now()
    rows = Event.select().where(
        Event.account == current.account(),
        Event.key.in_(given.event_ids),
        Event.at >= micros(given.timeframe_start or now - WEEK),
        Event.at < micros(given.timeframe_end or now + arrivals.AHEAD),
    )
    found = sorted(rows, key=lambda event: (event.at, event.key), reverse=True)
    return {
        "data": [_shape(event) for event in found],
        "pagination_metadata": {"has_more": False, "next_cursor": None},
    }


def _shape(event: Event) -> dict[str, Any]:
    return {
        "id": event.key,
        "customer_id": event.customer_id,
        "external_customer_id": event.external_id,
        "event_name": event.name,
        "timestamp": event.at.isoformat(),
        "properties": event.properties,
        "deprecated": event.deprecated_at is not None or event.replaced_by is not None,
    }


@routes.put("/events/<external:id>")
def amend(id: str) -> dict[str, Any]:
    given = body(Amended)
    event = _held(id)
    name, properties = _what_may_change(event, given)
    amending.amend(event, name, properties, current.now(), current.actor())
    return {"amended": event.key}


@routes.put("/events/<external:id>/deprecate")
def deprecate(id: str) -> dict[str, Any]:
    body(Schema)
    event = _held(id)
    amending.deprecate(event, current.now(), current.actor())
    return {"deprecated": event.key}


def _held(key: str) -> Event:
    event = amending.held(current.account(), key)
    if event is None:
        raise errors.not_found("Event")
    return event


def _what_may_change(event: Event, given: Amended) -> tuple[str, dict[str, Any]]:
    """The event's new name and properties. Its instant and its customer stay. Raises Problem."""
    wrong: list[str] = []
    fields = given.model_dump()
    name, properties = arrivals.text(fields, "event_name", wrong), arrivals.properties(given.properties, wrong)
    customer_id, external_id = arrivals.customer(fields, wrong)
    at = arrivals.instant(given.timestamp, wrong)
    if wrong:
        raise errors.invalid(" ".join(wrong), wrong)
    if event.deprecated_at is not None:
        raise errors.constraint("A deprecated event cannot be amended.")
    customer = event.customer
    if customer is None:
        raise errors.constraint("The event has no customer yet: create her before it is amended.")
    hers = {event.external_id, customer.external_id}
    named = customer_id == customer.id if external_id is None else external_id in hers
    if at != micros(event.at) or not named:
        raise errors.constraint("timestamp and customer of an event cannot be amended: send them as they are.")
    return name, properties


@routes.get("/events/volume")
def volume() -> dict[str, Any]:
    """Each hour from the one of timeframe_start on, oldest first."""
    given = query(Volume)
    first = micros(given.timeframe_start) // HOUR
    after = -(-micros(given.timeframe_end or current.now()) // HOUR)
    if given.cursor is not None:
        first = max(first, _hour(given.cursor))
    hours = range(first, max(first, min(after, first + given.limit)))
    rows = EventHour.select(EventHour.hour, EventHour.count).where(
        EventHour.account == current.account(),
        EventHour.hour >= hours.start * HOUR,
        EventHour.hour < hours.stop * HOUR,
    )
    counts = {micros(row.hour) // HOUR: row.count for row in rows}
    more = hours.stop < after
    return {
        "data": [
            {
                "count": counts.get(hour, 0),
                "timeframe_start": shapes.stamp(_start(hour)),
                "timeframe_end": shapes.stamp(_start(hour + 1)),
            }
            for hour in hours
        ],
        "pagination_metadata": {"has_more": more, "next_cursor": str(hours.stop) if more else None},
    }


def _start(hour: int) -> datetime:
    return instant(hour * HOUR)


def _hour(cursor: str) -> int:
    if not cursor.isascii() or not cursor.isdecimal() or len(cursor) > 9:
        raise errors.invalid("cursor must be the next_cursor of an earlier page, unchanged.")
    return int(cursor)
