"""What happens by itself: debits settle, and events are posted, signed, until somebody says that they arrived."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from typing import Any

import requests

from portal.sandbox import events, payments, refunds
from portal.sandbox.bank import Bank
from portal.sandbox.book import SECOND, Entry

PAUSES = (0.2, 0.5, 1, 2, 5, 15, 60, 300)  # seconds between two tries; the last one again and again
TIMEOUTS = (1, 5)  # seconds: to connect, and to wait for an answer
BATCH = 20  # deliveries between two looks at everything else


def go_round(bank: Bank, session: requests.Session, stopped: Callable[[], bool]) -> bool:
    """Does what is due; what is left when it is `stopped` waits in the file. False: there was nothing to post."""
    with bank.book.entry(bank.clock(), bank.base_url) as entry:
        before = entry.now - round(bank.faults.settle_seconds * SECOND)
        payments.settle_due(entry, before)
        refunds.settle_due(entry, before)
        if bank.faults.hold:
            return False
        _plan(bank, entry)
        due = _due(entry)
    for delivery in due:
        if stopped():
            break
        arrived = _post(bank, session, delivery)
        with bank.book.entry(bank.clock(), bank.base_url) as entry:
            _note(entry, delivery, arrived)
    return bool(due)


def signature(secret: str, seconds: int, body: bytes) -> str:
    """The value of Portal-Sandbox-Signature for a body that is posted at this moment."""
    signed = hmac.digest(secret.encode(), f"{seconds}.".encode() + body, "sha256").hex()
    return f"t={seconds},v1={signed}"


def _plan(bank: Bank, entry: Entry) -> None:
    """One delivery an event; two, or a late one, where that is to go wrong."""
    for event in entry.all("SELECT at, notify_url FROM event WHERE planned = 0 ORDER BY at"):
        for _ in range(2 if bank.happens(bank.faults.duplicate_rate) else 1):
            late = bank.up_to(round(bank.faults.reorder_seconds * SECOND))
            if event["notify_url"]:
                entry.add("delivery", event=event["at"], due=entry.now + late)
        entry.db.execute("UPDATE event SET planned = 1 WHERE at = ?", [event["at"]])


def _due(entry: Entry) -> list[Any]:
    return entry.all(
        "SELECT d.id AS delivery, d.tries, e.* FROM delivery d JOIN event e ON e.at = d.event"
        " WHERE d.due <= ? ORDER BY d.due, d.id LIMIT ?",
        entry.now,
        BATCH,
    )


def _post(bank: Bank, session: requests.Session, delivery: Any) -> bool:
    body = json.dumps(events.shape(delivery)).encode()
    signed = signature(bank.webhook_secret, bank.clock() // SECOND, body)
    headers = {"Content-Type": "application/json", "Portal-Sandbox-Signature": signed}
    try:
        answer = session.post(
            delivery["notify_url"], data=body, headers=headers, timeout=TIMEOUTS, allow_redirects=False
        )
    except (requests.RequestException, ValueError):  # the address itself may be what is wrong
        return False
    return 200 <= answer.status_code < 300


def _note(entry: Entry, delivery: Any, arrived: bool) -> None:
    if arrived:
        entry.db.execute("DELETE FROM delivery WHERE id = ?", [delivery["delivery"]])
        return
    pause = PAUSES[min(delivery["tries"], len(PAUSES) - 1)]
    entry.db.execute(
        "UPDATE delivery SET tries = tries + 1, due = ? WHERE id = ?",
        [entry.now + round(pause * SECOND), delivery["delivery"]],
    )
