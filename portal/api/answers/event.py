"""Events and backfills, as they are answered."""

from __future__ import annotations

from typing import Any, Literal

from portal.api.answers.kinds import Answer, Count, Id, Page, Stamp, said


class Failed(Answer):
    idempotency_key: str = said("Of the event.", "call-4711")
    validation_errors: list[str] = said("What is wrong with it.", ["event_name is required."])


class Debug(Answer):
    """With `debug=true`: which keys were kept, and which were known already."""

    ingested: list[str] = said("", ["call-4711"])
    duplicate: list[str] = said("", [])


class Ingested(Answer):
    """The whole batch was kept."""

    validation_failed: list[Failed] = said("Empty: with 400, it names the events that were not kept.", [])
    debug: Debug | None = None


class Event(Answer):
    """Something that happened, as it counts now."""

    id: str = said("The idempotency key that it came with.", "call-4711")
    customer_id: Id | None = said("Null until a customer has the external id.")
    external_customer_id: str | None = said("", "crm-7")
    event_name: str = said("", "call")
    timestamp: str = said("An instant, as exact as it came.", "2026-11-23T12:00:00+00:00")
    properties: dict[str, Any] = said("", {"region": "eu", "bytes": 1024})
    deprecated: bool = said("Deprecated, or replaced by a backfill: it counts no more.", False)


class Amended(Answer):
    amended: str = said("The event's id.", "call-4711")


class Deprecated(Answer):
    deprecated: str = said("The event's id.", "call-4711")


class Hour(Answer):
    """How many events came of one hour."""

    count: Count = said("", 42)
    timeframe_start: Stamp
    timeframe_end: Stamp


class Backfill(Answer):
    """Events of a time that is over, counted together once it is closed."""

    id: Id
    status: Literal["pending", "reflected", "pending_revert", "reverted"]
    created_at: Stamp
    timeframe_start: Stamp
    timeframe_end: Stamp
    close_time: Stamp | None = said("When it closes by itself.")
    customer_id: Id | None
    events_ingested: Count = said("", 42)
    replace_existing_events: bool
    deprecation_filter: str | None
    reverted_at: Stamp | None


EventPage = Page[Event]
HourPage = Page[Hour]
BackfillPage = Page[Backfill]
