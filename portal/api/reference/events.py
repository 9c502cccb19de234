"""Events and backfills, described."""

from __future__ import annotations

from portal.api import backfills, events
from portal.api.answers.event import (
    Amended,
    Backfill,
    BackfillPage,
    Deprecated,
    EventPage,
    HourPage,
    Ingested,
)
from portal.api.reference.call import Call, Section

EVENTS = Section(
    "Events",
    "What happened, sent in batches and counted by the metrics as it comes. The idempotency key is the event's id: an "
    "event that comes twice counts once.",
    {
        events.ingest: Call(
            "Ingest events",
            Ingested,
            "Up to 500 events and 4 MB. What is valid is kept; where something is not, the answer is 400 and names it "
            "by its key. Each event names its customer by exactly one of `customer_id` and `external_customer_id`; an "
            "external id that nobody has yet is attributed later. An event may be 5 minutes ahead, and as old as the "
            "grace period; older ones need a backfill.",
            body=events.Batch,
            query=events.IngestQuery,
            finds=True,
            example={
                "events": [
                    {
                        "event_name": "call",
                        "idempotency_key": "call-4711",
                        "external_customer_id": "crm-7",
                        "timestamp": "2026-11-23T12:00:00Z",
                        "properties": {"status": "ok", "region": "eu", "bytes": 1024},
                    }
                ]
            },
            refused="This backfill is closed: it takes no more events.",
        ),
        events.search: Call(
            "Search for events",
            EventPage,
            "By their ids, up to 500; those of the last week, unless a timeframe is given.",
            body=events.Search,
            example={"event_ids": ["call-4711"]},
        ),
        events.amend: Call(
            "Amend an event",
            Amended,
            "Gives it another name and other properties, and counts it again. Its instant and its customer stay: send "
            "them as they are.",
            body=events.Amended,
            example={
                "event_name": "call",
                "external_customer_id": "crm-7",
                "timestamp": "2026-11-23T12:00:00Z",
                "properties": {"status": "ok", "region": "eu", "bytes": 2048},
            },
            refused="A deprecated event cannot be amended.",
        ),
        events.deprecate: Call("Deprecate an event", Deprecated, "Takes back what it counted for. May be repeated."),
        events.volume: Call(
            "List the volume of events",
            HourPage,
            "How many came of each hour, the oldest first, by the time that they say.",
            query=events.Volume,
        ),
    },
)

BACKFILLS = Section(
    "Backfills",
    "Events of a time that is over. Ingested with its id, they count once the backfill is closed.",
    {
        backfills.create: Call(
            "Begin a backfill",
            Backfill,
            "For all customers, or for one. With `replace_existing_events` the events of its timeframe are deprecated "
            "when it closes.",
            status=201,
            body=backfills.NewBackfill,
            finds=True,
            example={
                "timeframe_start": "2026-10-01T00:00:00Z",
                "timeframe_end": "2026-11-01T00:00:00Z",
                "replace_existing_events": False,
            },
            refused="Another open backfill covers this time.",
        ),
        backfills.listed: Call("List backfills", BackfillPage, "The newest first.", query=backfills.Filters),
        backfills.fetch: Call("Fetch a backfill", Backfill),
        backfills.close: Call(
            "Close a backfill",
            Backfill,
            "From now on its events count.",
            body=backfills.Nothing,
            example={},
            refused="Only a pending backfill can be closed.",
        ),
        backfills.revert: Call(
            "Revert a backfill",
            Backfill,
            "Its events count no more; those it replaced count again.",
            body=backfills.Nothing,
            example={},
            refused="Only a reflected backfill can be reverted.",
        ),
    },
)
