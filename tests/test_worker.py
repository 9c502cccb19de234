"""The worker issues what is due, once, forgets what is old, and stops when it is told to."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from portal.delivery import worker
from portal.models import backfill
from portal.models.account import Account
from portal.models.base import db
from portal.models.credit import CreditBlock
from portal.models.event import Backfill
from portal.models.idempotency import Idempotency
from portal.models.invoice import Invoice
from portal.models.link import Link
from portal.models.published import Published, PublishedHome
from portal.models.record import Record
from tests import programs
from tests.conftest import Clock
from tests.given import Given

RING = "k1:QmVob2xkIHRoZSBvbmUgdGVzdCBrZXkgb2Yga2V5cyE=:active"


def due(given: Given, account: Account, at: datetime, **fields: object) -> Invoice:
    """A draft that is to be issued by itself at `at`."""
    named = {"will_auto_issue": True, "eligible_to_issue_at": at, **fields}
    return given.invoice(given.customer(account), issued=False, **named)


def test_a_draft_is_issued_when_its_moment_has_come(given: Given, acme: Account, clock: Clock, kid: str) -> None:
    draft = due(given, acme, clock.now + timedelta(hours=1))

    early = list(worker.deeds(clock.now, kid))
    clock.advance(hours=1)
    deeds = list(worker.deeds(clock.now, kid))

    issued = Invoice.get_by_id(draft.id)
    assert not [deed for deed in early if draft.id in deed]
    assert f"issued invoice {issued.number} ({draft.id})" in deeds
    assert issued.issued_at == clock.now
    assert Link.of_invoice(draft.id).created_by == "system"
    assert Record.select().where(Record.subject == draft.id, Record.actor == "system").count() == 1


def test_a_draft_that_waits_for_a_person_stays_a_draft(given: Given, acme: Account, clock: Clock, kid: str) -> None:
    draft = due(given, acme, clock.now, will_auto_issue=False)

    list(worker.deeds(clock.now, kid))

    assert Invoice.get_by_id(draft.id).status == "draft"


def test_nothing_is_issued_for_a_closed_account(given: Given, acme: Account, clock: Clock, kid: str) -> None:
    draft = due(given, acme, clock.now)
    Account.update(closed_at=clock.now).where(Account.id == acme.id).execute()

    list(worker.deeds(clock.now, kid))

    assert Invoice.get_by_id(draft.id).status == "draft"


def test_more_drafts_than_a_batch_are_issued_in_one_round(given: Given, acme: Account, clock: Clock, kid: str) -> None:
    customer = given.customer(acme)
    drafts = [
        given.invoice(customer, issued=False, will_auto_issue=True, eligible_to_issue_at=clock.now)
        for _ in range(worker.BATCH + 1)
    ]

    list(worker.deeds(clock.now, kid))

    ids = [draft.id for draft in drafts]
    assert Invoice.select().where(Invoice.id.in_(ids), Invoice.status == "issued").count() == len(ids)


def test_idempotency_keys_are_forgotten_after_48_hours(acme: Account, clock: Clock, kid: str) -> None:
    for key, age in (("old", 49), ("young", 47)):
        then = clock.now - timedelta(hours=age)
        Idempotency.create(account=acme, key=key, request_digest="0" * 64, locked_at=then, created_at=then)

    list(worker.deeds(clock.now, kid))

    assert [row.key for row in Idempotency.select().where(Idempotency.account == acme)] == ["young"]


def test_it_finishes_what_it_began_and_stops(given: Given, acme: Account, clock: Clock, kid: str) -> None:
    drafts = [due(given, acme, clock.now) for _ in range(3)]
    stop, said = worker.Stop(), []

    def say(deed: str) -> None:
        said.append(deed)
        stop.ask()

    worker.work(clock, lambda: kid, lambda *_: False, say, stop)

    assert len(said) == 1
    assert sum(Invoice.get_by_id(draft.id).status == "issued" for draft in drafts) <= 1


def test_many_workers_issue_each_draft_once_and_stop_on_sigterm(
    given: Given, acme: Account, migrated: str, tmp_path: Path
) -> None:
    customer = given.customer(acme)
    drafts = [
        given.invoice(customer, issued=False, will_auto_issue=True, eligible_to_issue_at=datetime.now(UTC))
        for _ in range(40)
    ]
    env = programs.environment(
        data_dir=str(tmp_path),
        database_url=migrated,
        link_keys=RING,
        secret_key="a secret that only the tests know 0123456789",
    )

    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "portal", "worker"],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    ids = [draft.id for draft in drafts]
    done = programs.wait_until(
        lambda: Invoice.select().where(Invoice.id.in_(ids), Invoice.status == "issued").count() == len(ids)
    )
    heard = [one.stderr.readline() if one.stderr else "" for one in workers]  # until each has begun
    for one in workers:
        one.send_signal(signal.SIGTERM)
    ended = [(one, *one.communicate(timeout=programs.PATIENCE_SECONDS)) for one in workers]

    deeds = [line for _, out, _ in ended for line in out.splitlines()]
    assert done
    assert all("Working" in line for line in heard), heard
    assert [one.returncode for one, _, _ in ended] == [0] * 4, ended
    assert all(sum(id in deed for deed in deeds) == 1 for id in ids)
    numbers = sorted(Invoice.get_by_id(id).number for id in ids)
    assert len(set(numbers)) == len(ids)
    assert int(numbers[-1][-5:]) - int(numbers[0][-5:]) == len(ids) - 1


def test_pages_that_are_due_are_published_and_drafts_do_not_wait_for_them(
    given: Given, acme: Account, clock: Clock, kid: str
) -> None:
    for kept in (Published, PublishedHome):
        kept.update(due_at=None).execute()  # what other tests have left
    customer = given.customer(acme)
    invoices = [given.invoice(customer) for _ in range(worker.PAGES + 1)]
    asked: list[tuple[str, str]] = []
    late: list[Invoice] = []

    def publish(kind: str, id: str, _: datetime) -> bool:
        asked.append((kind, id))
        if not late:
            late.append(due(given, acme, clock.now))
        return True

    deeds = list(worker.deeds(clock.now, kid, publish))

    assert {("invoice", invoice.id) for invoice in invoices} <= set(asked)
    assert ("customer", customer.id) in asked
    assert len(asked) == len(set(asked))
    issued = next(place for place, deed in enumerate(deeds) if late[0].id in deed)
    assert issued < len(deeds) - 1
    assert any(deed.startswith("published") for deed in deeds[:issued])


def test_credits_end_when_their_time_is_over(given: Given, acme: Account, clock: Clock, kid: str) -> None:
    customer = given.customer(acme)
    with db.atomic():
        ends = clock.now + timedelta(days=1)
        block = CreditBlock.give(customer.held(), Decimal(10), "USD", clock.now, expires_at=ends).block

    done = list(worker.deeds(ends, kid))

    assert any(deed.startswith("expired ") and deed.endswith(" credit blocks") for deed in done)
    assert CreditBlock.get_by_id(block.id).balance == "0"


def test_a_backfill_closes_by_itself_when_its_time_has_come(
    given: Given, acme: Account, clock: Clock, kid: str
) -> None:
    begun = backfill.begin(
        acme,
        clock.now,
        "test",
        start=clock.now - timedelta(days=2),
        end=clock.now - timedelta(days=1),
        customer=None,
        close_at=clock.now + timedelta(hours=1),
        replaces=False,
        deprecation_filter=None,
    )
    said = f"closed backfill {begun.id}"

    assert said not in list(worker.deeds(clock.now, kid))
    clock.advance(hours=1)
    assert said in list(worker.deeds(clock.now, kid))
    assert said not in list(worker.deeds(clock.now, kid))
    assert Backfill.get_by_id(begun.id).status == "reflected"
