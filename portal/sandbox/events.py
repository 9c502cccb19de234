"""What happened, event by event: kept for ever, and told to whoever the payment named."""

from __future__ import annotations

import json
from typing import Any

from portal.sandbox.book import Entry, ref

LONGEST_PAGE = 100


def tell(entry: Entry, type: str, data: dict[str, Any], notify_url: str | None) -> None:
    """Each event has a moment of its own, later than all before: `after` one, none is left out."""
    last = entry.one("SELECT MAX(at) AS at FROM event")
    at = max(entry.now, (last["at"] or 0) + 1 if last else 0)
    entry.add("event", at=at, id=ref("evt"), type=type, data=json.dumps(data), notify_url=notify_url)


def after(entry: Entry, at: int, limit: int) -> list[dict[str, Any]]:
    rows = entry.all("SELECT * FROM event WHERE at > ? ORDER BY at LIMIT ?", at, min(limit, LONGEST_PAGE))
    return [shape(row) for row in rows]


def shape(row: Any) -> dict[str, Any]:
    return {
        "id": row["id"],
        "type": row["type"],
        "at": row["at"],
        "live": False,
        "data": json.loads(row["data"]),
    }
