"""Items and metrics, described."""

from __future__ import annotations

from portal.api import body, items, metrics, paging
from portal.api.answers.catalog import Item, Metric
from portal.api.answers.kinds import Page
from portal.api.reference.call import Call, Section

ITEMS = Section(
    "Items",
    "What is sold, by name. Prices and invoice lines point at items.",
    {
        items.create: Call(
            "Create an item",
            Item,
            status=201,
            body=items.NewItem,
            example={"name": "Onboarding", "metadata": {"team": "north"}},
        ),
        items.listed: Call("List items", Page[Item], "All items, the newest first.", query=paging.Paged),
        items.fetch: Call("Fetch an item", Item),
        items.update: Call(
            "Change an item",
            Item,
            "Its name and metadata. Invoices that are issued keep the old name.",
            body=items.ItemFields,
            example={"name": "Onboarding and training"},
        ),
        items.archive: Call(
            "Archive an item",
            Item,
            "What is sold already goes on.",
            body=body.Schema,
            example={},
            refused="This item is archived already.",
        ),
    },
)

METRICS = Section(
    "Metrics",
    "What is counted, said in SQL: one of COUNT, COUNT DISTINCT, SUM, MAX, MIN, AVG or the latest value, of the events "
    "that a WHERE names. It is read, never run.",
    {
        metrics.create: Call(
            "Create a metric",
            Metric,
            "Counts the events that are there already, too. SQL that cannot be counted is refused, saying which part. "
            "With `dimensions` the usage is kept apart by these properties, so that it can be grouped by them.",
            status=201,
            body=metrics.NewMetric,
            finds=True,
            example={
                "name": "API calls",
                "item_id": "XimGiw3pnsgusvc3",
                "description": "Calls that were answered",
                "sql": "SELECT COUNT(*) FROM events WHERE event_name = 'call' AND status = 'ok'",
                "unit": "calls",
                "dimensions": ["region"],
            },
        ),
        metrics.listed: Call("List metrics", Page[Metric], "All metrics, the newest first.", query=metrics.Filters),
        metrics.fetch: Call("Fetch a metric", Metric),
        metrics.update: Call(
            "Change a metric",
            Metric,
            "Its words and `dimensions`; what it counts stands. Other dimensions count its events again.",
            body=metrics.ChangedMetric,
            example={"description": "Calls that were answered in time", "dimensions": ["region", "plan"]},
            refused="A metric may be kept apart by at most 5 properties; this would be a, b, c, d, e, f.",
        ),
        metrics.archive: Call(
            "Archive a metric",
            Metric,
            "Prices that use it go on.",
            body=body.Schema,
            example={},
            refused="This metric is archived already.",
        ),
        metrics.unarchive: Call(
            "Bring a metric back",
            Metric,
            body=body.Schema,
            example={},
            refused="This metric is not archived.",
        ),
    },
)
