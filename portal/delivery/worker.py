"""Everything that happens by itself: subscriptions billed, drafts issued, money collected, pages published.

Any number of workers may run: each deed looks again, under its locks, whether it is still to be done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from peewee import InterfaceError, OperationalError

from portal.cashier.catching_up import CatchingUp
from portal.models import backfill, drafting, moments, threshold
from portal.models.account import Account
from portal.models.base import connection, db, forget_connection
from portal.models.bill import CANNOT
from portal.models.credit import CreditBlock, IllegalMove
from portal.models.customer import Customer, Erased
from portal.models.drafting import GRACE, CannotBill
from portal.models.idempotency import Idempotency
from portal.models.invoice import IllegalState, Invoice
from portal.models.published import Published, PublishedHome

ACTOR = "system"
PAUSE_SECONDS = 5.0
STEP_SECONDS = 0.1
BATCH = 100  # drafts looked up at once
PAGES = 25  # published between two looks at everything else
HOMES = 100  # account pages published a round: with every midnight all of them are due

# Renders the page of the invoice or the customer with this id, and keeps it; False where it did not.
Publish = Callable[[str, str, datetime], bool]


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
    grace: timedelta = GRACE,
    catching_up: CatchingUp | None = None,
) -> None:
    """Round after round until `stop` is asked for; says each deed in one line. A deed that was begun is finished.

    Nothing is asked of a gateway without `catching_up`.
    """
    while not stop.asked():
        try:
            with connection():
                for deed in deeds(clock(), kid(), publish, grace, catching_up):
                    say(deed)
                    if stop.asked():
                        return
        except (OperationalError, InterfaceError) as error:
            say(f"the database did not answer ({type(error).__name__}); trying again")
            forget_connection()
        except Erased as error:
            say(f"{error} meanwhile; going on")
        stop.wait(pause)


def deeds(
    now: datetime,
    kid: str,
    publish: Publish | None = None,
    grace: timedelta = GRACE,
    catching_up: CatchingUp | None = None,
) -> Iterator[str]:
    """Does all that is due, and says each deed after it was done. Without `publish` pages wait for another worker."""
    yield from _closes(now)
    yield from _drafts(now, grace)
    yield from _parts(now, kid)
    yield from _issues(now, kid)
    if catching_up:
        yield from catching_up.deeds(now)
    if publish:
        yield from _publishes(now, kid, publish)
    if expired := CreditBlock.expire(now):
        yield f"expired {expired} credit blocks"
    if forgotten := Idempotency.forget_old(now):
        yield f"forgot {forgotten} idempotency keys"


def _closes(now: datetime) -> Iterator[str]:
    """Backfills that were to be complete by now count from now on."""
    for waits in backfill.due(now):
        if backfill.close_due(waits, now, ACTOR):
            yield f"closed backfill {waits.id}"


def _drafts(now: datetime, grace: timedelta) -> Iterator[str]:
    """Drafts for what falls due; a subscription that is behind gets all it lacks, one after the other.

    Late events count for as long as `grace` says.
    """
    while batch := drafting.waiting(now, BATCH):
        for waits in batch:
            try:
                if invoice := drafting.draft_next(waits, now, ACTOR, grace):
                    yield f"drafted an invoice of subscription {waits.id} ({invoice.id})"
            except CannotBill as error:
                yield f"could not bill subscription {waits.id}: {error.reason}"


def _parts(now: datetime, kid: str) -> Iterator[str]:
    """Invoices of those whose usage has come to their threshold."""
    while batch := threshold.crossing(BATCH):
        for subscription_id, customer_id, revision in batch:
            with db.atomic():
                part = threshold.draft_part(subscription_id, customer_id, revision, now, ACTOR)
                number = moments.issue(part, now, kid, ACTOR).number if part else None
            if number:
                yield f"issued invoice {number}: subscription {subscription_id} has come to its threshold"


def _issues(now: datetime, kid: str) -> Iterator[str]:
    while batch := _due(now):
        for invoice in batch:
            try:
                if number := _issue(invoice, now, kid):
                    yield f"issued invoice {number} ({invoice.id})"
            except (IllegalState, IllegalMove, *CANNOT) as error:
                drafting.put_off(invoice, now)
                yield f"could not issue invoice {invoice.id}: {error}"


def _publishes(now: datetime, kid: str, publish: Publish) -> Iterator[str]:
    """Pages of invoices until none is due, then some account pages. Drafts do not wait for either."""
    while ids := Published.take(now, PAGES):
        yield f"published {sum(publish('invoice', id, now) for id in ids)} invoice pages"
        yield from _issues(now, kid)
    for _ in range(0, HOMES, PAGES):
        if ids := PublishedHome.take(now, PAGES):
            yield f"published {sum(publish('customer', id, now) for id in ids)} account pages"
            yield from _issues(now, kid)


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
