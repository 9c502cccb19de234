"""The database brought up to date: migrations in order, one process at a time, and the guards after them."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playhouse.migrations import Runner

from portal.models import guards
from portal.models.account import Account, ApiKey, Logo
from portal.models.base import Row, connection, db, is_postgresql
from portal.models.catalog import Item, Metric, Price
from portal.models.collection import Collection
from portal.models.coupon import Coupon
from portal.models.credit import CreditBlock, CreditEntry
from portal.models.credit_note import CreditNote
from portal.models.customer import BalanceTransaction, Customer
from portal.models.dispute import Dispute
from portal.models.event import Backfill, Event, EventBefore, EventHour
from portal.models.gateway_event import GatewayCursor, GatewayEvent
from portal.models.idempotency import Idempotency
from portal.models.invoice import Invoice, LineDays
from portal.models.link import Link
from portal.models.outbox import Letter
from portal.models.owing import Owing
from portal.models.payment import Allocation, Booking, Payment
from portal.models.plan import Plan, PlanPrice
from portal.models.published import Published, PublishedHome
from portal.models.published_bill import PublishedBill
from portal.models.record import Record
from portal.models.refund import Refund
from portal.models.saved_method import Payer, SavedMethod
from portal.models.subscription import Subscription, SubscriptionPrice, Threshold
from portal.models.usage import UsageDay, UsageValue

MODELS: list[type[Row]] = [
    Account,
    Logo,
    ApiKey,
    Record,
    Customer,
    BalanceTransaction,
    Item,
    Metric,
    Price,
    Plan,
    PlanPrice,
    Coupon,
    UsageDay,
    UsageValue,
    Backfill,
    Event,
    EventBefore,
    EventHour,
    Subscription,
    SubscriptionPrice,
    Threshold,
    CreditBlock,
    CreditEntry,
    Invoice,
    LineDays,
    Payer,
    SavedMethod,
    Payment,
    Allocation,
    Booking,
    Refund,
    Dispute,
    Collection,
    GatewayEvent,
    GatewayCursor,
    CreditNote,
    Published,
    PublishedHome,
    PublishedBill,
    Owing,
    Link,
    Letter,
    Idempotency,
]
PACKAGE = Path(__file__).parents[1]
# Inside the wheel the migrations lie in the package; in a checkout beside it.
MIGRATIONS = next(path for path in (PACKAGE / "migrations", PACKAGE.parent / "migrations") if path.is_dir())
ADVISORY_LOCK = int.from_bytes(hashlib.sha256(b"portal.migrate").digest()[:6])


class SchemaTooNew(RuntimeError):
    """The database was written by a later release than this one."""


def migrate(told: Callable[[str], None] = lambda name: None) -> list[str]:
    """Applies what is missing and names it. Safe to run twice, and by many processes at once.

    `told` hears the name of each before it is applied: with much in the database that may take a while.
    """
    with _alone():
        runner = Runner(db, str(MIGRATIONS))
        _refuse_newer(runner)
        applied: list[str] = []
        for name in _missing(runner):
            told(name)
            applied += runner.up(name)
        guards.install()
    return applied


def check() -> None:
    """Raises if the database is not where this release expects it, with a sentence that says what to run."""
    with connection():
        runner = Runner(db, str(MIGRATIONS))
        _refuse_newer(runner)
        if _missing(runner):
            raise guards.GuardMissing("the database is not up to date: run `portal migrate`")
        guards.assert_present()


def _missing(runner: Runner) -> list[str]:
    """The migrations that were not applied yet, in order."""
    there = set(runner.applied())
    return [migration.name for migration in runner.migrations() if migration.name not in there]


def _refuse_newer(runner: Runner) -> None:
    unknown = set(runner.applied()) - {migration.name for migration in runner.migrations()}
    if unknown:
        raise SchemaTooNew(f"the database holds {', '.join(sorted(unknown))}: it needs a newer release of the portal")


@contextmanager
def _alone() -> Iterator[None]:
    """A connection, while no other process has one from here."""
    if is_postgresql():
        with connection():
            db.execute_sql("SELECT pg_advisory_lock(%s)", (ADVISORY_LOCK,))
            try:
                yield
            finally:
                db.execute_sql("SELECT pg_advisory_unlock(%s)", (ADVISORY_LOCK,))
    else:
        # Before the connection: of two that turn a new file to WAL at once, one is told that it is locked.
        with open(f"{db.database}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with connection():
                yield
