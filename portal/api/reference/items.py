"""Items, described."""

from __future__ import annotations

from portal.api import items, paging
from portal.api.answers.catalog import Item
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
    },
)
