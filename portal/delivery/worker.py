"""Everything that happens by itself: drafts are issued on their day, pages published, idempotency keys forgotten.

Any number of workers may run: each deed looks again, under its locks, whether it is still to be done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime

from peewee import InterfaceError, OperationalError

from portal.models import moments
from portal.models.account import Account
from portal.models.base import connection, db, forget_connection
from portal.models.customer import Customer
from portal.models.idempotency import Idempotency
from portal.models.invoice import Invoice
from portal.models.published import Published

ACTOR = "system"
PAUSE_SECONDS = 5.0
STEP_SECONDS = 0.1
BATCH = 100  # drafts looked up at once
PAGES = 50  # looked at between two deeds of another kind

Publish = Callable[[str, datetime], bool]  # renders the page of an invoice and keeps it; False where it did not


class Stop:
    """Asked for by a signal. An Event would not do: its handler may wait for a lock that the wait itself holds."""

    def __init__(self) -> None:
        self._asked = False

    def ask(self, *_: object) -> None:
        self._asked = True

    def asked(self) -> bool:
        return self._asked

    def wait(self, seconds: float) -> None:
        """Until it is asked for, or `seconds` are over."""
        for _ in range(round(seconds / STEP_SECONDS)):
            if self.asked():
                return
            time.sleep(STEP_SECONDS)


def work(
    clock: Callable[[], datetime],
    kid: Callable[[], str],
    publish: Publish,
    say: Callable[[str], None],
    stop: Stop,
    pause: float = PAUSE_SECONDS,
) -> None:
    """Round after round until `stop` is asked for; says each deed in one line. A deed that was begun is finished."""
    while not stop.asked():
        try:
            with connection():
                for deed in deeds(clock(), kid(), publish):
                    say(deed)
                    if stop.asked():
                        return
        except (OperationalError, InterfaceError) as error:
            say(f"the database did not answer ({type(error).__name__}); trying again")
            forget_connection()
        stop.wait(pause)


def deeds(now: datetime, kid: str, publish: Publish | None = None) -> Iterator[str]:
    """Does all that is due, and says each deed after it was done. Without `publish` pages wait for another worker."""
    yield from _issues(now, kid)
    while publish and (ids := Published.take(now, PAGES)):
        yield f"published {sum(publish(id, now) for id in ids)} pages"
    if forgotten := Idempotency.forget_old(now):
        yield f"forgot {forgotten} idempotency keys"


def _issues(now: datetime, kid: str) -> Iterator[str]:
    while batch := _due(now):
        for invoice in batch:
            if number := _issue(invoice, now, kid):
                yield f"issued invoice {number} ({invoice.id})"


def _due(now: datetime) -> list[Invoice]:
    return list(
        Invoice.select(Invoice.id, Invoice.customer)
        .join(Account)
        .where(
            Invoice.status == "draft",
            Invoice.will_auto_issue == True,  # noqa: E712 - a query, not a comparison
            Invoice.eligible_to_issue_at <= now,
            Account.closed_at.is_null(),
        )
        .order_by(Invoice.eligible_to_issue_at, Invoice.id)
        .limit(BATCH)
    )


def _issue(invoice: Invoice, now: datetime, kid: str) -> str | None:
    """The number that the invoice got, or None where somebody was faster, or thought better of it."""
    with db.atomic():
        Customer.get_by_id(invoice.customer_id).held()
        held = invoice.held()
        if held.status != "draft" or not held.will_auto_issue or held.eligible_to_issue_at > now:
            return None
        return moments.issue(held, now, kid, ACTOR).number
