"""What real processes do to the same rows at the same moment: the rules hold, and nobody waits for ever."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from portal.app import create_app
from portal.config import Settings
from portal.models import asking, moments
from portal.models.account import Account
from portal.models.base import db
from portal.models.catalog import Item
from portal.models.collection import Collection
from portal.models.credit import CreditBlock, CreditEntry
from portal.models.credit_note import CreditNote, Wanted
from portal.models.customer import BalanceTransaction, Customer
from portal.models.invoice import Invoice
from portal.models.link import Link
from portal.models.payment import Allocation, Payment
from portal.models.record import Record
from portal.models.refund import Refund
from tests import attempts
from tests.crowd import Crowd, Refusal, gathered

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def crowd(migrated: str) -> Iterator[Crowd]:
    with gathered(migrated, 30) as crowd:
        yield crowd


def refresh(invoice_id: str) -> str:
    invoice = Invoice.get_by_id(invoice_id)
    return Link.reissue(invoice, Account.get_by_id(invoice.account_id), "Etc/UTC", NOW, "k1", "test").id


def revoke(invoice_id: str) -> None:
    with db.atomic():
        Invoice.get_by_id(invoice_id).held()
        if link := Link.of_invoice(invoice_id):
            link.revoke(NOW, "test")


def rotate(customer_id: str) -> str:
    return Link.rotate(Customer.get_by_id(customer_id), NOW, "k1", "test").id


def session(customer_id: str, invalidate_existing: bool) -> str:
    customer = Customer.get_by_id(customer_id)
    return Link.start_session(customer, NOW, "k1", "test", invalidate_existing=invalidate_existing).id


def issue(*invoice_ids: str) -> list[str]:
    return [moments.issue(Invoice.get_by_id(id), NOW, "k1", "test").number for id in invoice_ids]


def issue_and_change_ones_mind(invoice_id: str) -> None:
    with db.atomic() as transaction:
        moments.issue(Invoice.get_by_id(invoice_id), NOW, "k1", "test")
        transaction.rollback()


def void(invoice_id: str) -> None:
    moments.void(Invoice.get_by_id(invoice_id), NOW, "test")


def pay(invoice_id: str, amount: int) -> None:
    Payment.record(Invoice.get_by_id(invoice_id), NOW, "test", received_on=NOW.date(), amount=amount)


def credit(customer_id: str, minor: int) -> None:
    with db.atomic():
        BalanceTransaction.move(Customer.get_by_id(customer_id).held(), minor, "manual_adjustment", NOW)


def begin(invoice_ids: list[str]) -> str:
    return attempts.begin(*map(Invoice.get_by_id, invoice_ids), now=NOW).id


def hear(payment_id: str, event_id: str, stage: str) -> bool:
    return attempts.tell(attempts.of(Payment.get_by_id(payment_id), stage), NOW, event_id)


def refund(payment_id: str, amount: int) -> str:
    return Refund.begin(payment_id, amount, NOW, "test").id


def take_due() -> list[str]:
    return [row.id for row in asking.payments("sandbox", NOW + timedelta(minutes=2), 1000)]


def take_collections() -> list[str]:
    return [row.invoice_id for row in Collection.take(NOW, 1000)]


def refused(answers: list[Any]) -> Counter[str]:
    return Counter(answer.name for answer in answers if isinstance(answer, Refusal))


def live(invoice: Invoice) -> list[Link]:
    return list(Link.select().where(Link.invoice == invoice.id, Link.ended_at.is_null()))


def test_two_refreshes_at_once_leave_one_live_link(crowd, acme, given):
    invoice = given.invoice(given.customer(acme))

    for _ in range(5):
        answers = crowd.all(refresh, [(invoice.id,)] * 2)

        assert not refused(answers)
        (left,) = live(invoice)
        assert left.id in answers
    assert len(Link.history("invoice", invoice.id)) == 10


def test_of_many_refreshes_and_revocations_at_most_one_link_is_left(crowd, acme, given):
    invoice = given.invoice(given.customer(acme))
    deeds = [refresh, refresh, revoke] * 4

    answers = crowd.all(act, [(deed, invoice.id) for deed in deeds])

    assert not refused(answers)
    assert len(live(invoice)) <= 1


def test_rotating_at_once_leaves_one_permanent_link(crowd, acme, given):
    customer = given.customer(acme)

    assert not refused(crowd.all(rotate, [(customer.id,)] * 8))

    assert Link.select().where(Link.customer == customer.id, Link.ended_at.is_null()).count() == 1


def test_thirty_sessions_started_at_once_leave_one(crowd, acme, given):
    customer = given.customer(acme)

    answers = crowd.all(session, [(customer.id, True)] * 30)

    assert not refused(answers)
    (left,) = Link.live_sessions(customer.id, NOW)
    assert left.id in answers


def test_thirty_sessions_that_spare_the_others_leave_thirty(crowd, acme, given):
    customer = given.customer(acme)

    answers = crowd.all(session, [(customer.id, False)] * 30)

    assert {link.id for link in Link.live_sessions(customer.id, NOW)} == set(answers)
    assert len(set(answers)) == 30


def test_numbers_are_unique_and_without_a_gap_while_eight_processes_issue_and_some_change_their_minds(
    crowd, acme, given
):
    customers = [given.customer(acme) for _ in range(3)]
    drafts = [given.invoice(customers[n % 3], issued=False).id for n in range(40)]
    shares = [drafts[n:32:8] for n in range(8)]

    crowd.all(act, [*((issue, *share) for share in shares), *((issue_and_change_ones_mind, id) for id in drafts[32:])])

    numbers = sorted(
        row.number for row in Invoice.select().where(Invoice.account == acme.id, Invoice.status != "draft")
    )
    assert numbers == [f"{acme.number_prefix}-{n:05d}" for n in range(1, 33)]


def test_a_draft_issued_by_eight_at_once_is_issued_once(crowd, acme, given):
    draft = given.invoice(given.customer(acme), issued=False)

    answers = crowd.all(issue, [(draft.id,)] * 8)

    assert refused(answers) == {"IllegalState": 7}
    assert Account.get_by_id(acme.id).last_number == 1
    assert len(live(draft)) == 1


def test_credit_is_never_applied_twice(crowd, acme, given):
    customer = given.customer(acme)
    credit(customer.id, 10_000)
    drafts = [given.invoice(customer, issued=False).id for _ in range(8)]  # 40.00 each

    assert not refused(crowd.all(issue, [(id,) for id in drafts]))

    taken = [Invoice.get_by_id(id).balance_applied for id in drafts]
    assert sorted(taken) == [0] * 5 + [2000, 4000, 4000]
    assert Customer.get_by_id(customer.id).balance == 0


def test_the_balance_is_the_sum_of_its_movements_whatever_happens_at_once(crowd, acme, given):
    customer = given.customer(acme)
    issued = [given.invoice(customer).id for _ in range(4)]
    drafts = [given.invoice(customer, issued=False).id for _ in range(4)]

    answers = crowd.all(
        act,
        [
            *((credit, customer.id, n) for n in (900, -250, 4100, -3)),
            *((void, id) for id in issued),
            *((issue, id) for id in drafts),
        ],
    )

    assert not refused(answers)
    rows = list(BalanceTransaction.select().where(BalanceTransaction.customer == customer.id))
    assert sum(row.ending_balance - row.starting_balance for row in rows) == Customer.get_by_id(customer.id).balance
    ends = Counter(row.ending_balance for row in rows) + Counter([0])
    ends.subtract([row.starting_balance for row in rows])
    assert +ends == {Customer.get_by_id(customer.id).balance: 1}  # a chain: each begins where another ended


def test_an_invoice_voided_by_eight_at_once_gives_its_credit_back_once(crowd, acme, given):
    customer = given.customer(acme)
    credit(customer.id, 1500)
    invoice = given.invoice(customer)

    assert refused(crowd.all(void, [(invoice.id,)] * 8)) == {"IllegalState": 7}

    assert Customer.get_by_id(customer.id).balance == 1500


def test_payments_at_once_never_come_to_more_than_is_owed(crowd, acme, given):
    invoice = given.invoice(given.customer(acme))

    answers = crowd.all(pay, [(invoice.id, 1500)] * 8)

    assert refused(answers) == {"IllegalState": 6}
    assert Payment.received([invoice.id]) == {invoice.id: 3000}


def test_of_thirty_payments_that_begin_at_once_one_does(crowd, acme, given):
    for _ in range(2):
        customer = given.customer(acme)
        one, two = given.invoice(customer), given.invoice(customer)
        both = [one.id, two.id]

        answers = crowd.all(begin, [(ids,) for ids in ([one.id], both, both[::-1]) for _ in range(10)])

        assert set(refused(answers)) == {"Busy"}
        begun = [answer for answer in answers if not isinstance(answer, Refusal)]
        live = {row.invoice_id: row.payment_id for row in Allocation.live(both)}
        assert live[one.id] in begun
        assert set(live.values()) == set(begun)
        assert len(begun) == 1


def test_news_that_twenty_hear_at_once_is_acted_on_once(crowd, acme, given):
    invoice = given.invoice(given.customer(acme))
    payment_id = begin([invoice.id])

    answers = crowd.all(hear, [(payment_id, f"evt_{n // 4}_{payment_id}", "succeeded") for n in range(20)])

    assert not refused(answers)
    assert Counter(answers) == {True: 5, False: 15}
    assert Payment.received([invoice.id]) == {invoice.id: 4000}
    assert (Invoice.get_by_id(invoice.id).status, Customer.get_by_id(invoice.customer_id).balance) == ("paid", 0)


def test_refunds_at_once_never_come_to_more_than_was_paid(crowd, acme, given):
    invoice = given.invoice(given.customer(acme))
    payment_id = begin([invoice.id])
    hear(payment_id, f"evt_{payment_id}", "succeeded")

    answers = crowd.all(refund, [(payment_id, 1500)] * 8)

    assert refused(answers) == {"IllegalState": 6}


def test_voiding_and_paying_at_once_end_as_one_after_the_other(crowd, acme, given):
    for _ in range(5):
        invoice = given.invoice(given.customer(acme))

        answers = crowd.all(act, [(begin, [invoice.id])] * 3 + [(void, invoice.id)])

        status = Invoice.get_by_id(invoice.id).status
        assert (status == "void") == (not isinstance(answers[-1], Refusal))
        assert len(Allocation.live([invoice.id])) == (0 if status == "void" else 1)


def test_of_two_workers_each_takes_what_the_other_does_not(crowd, acme, given):
    customer = given.customer(acme)
    begun = {begin([given.invoice(customer).id]) for _ in range(6)}

    invoices = [given.invoice(customer, auto_collection=True).id for _ in range(6)]

    for deed, due in ((take_due, begun), (take_collections, invoices)):
        answers = crowd.all(deed, [()] * 6)

        taken = [id for answer in answers for id in answer if id in due]
        assert Counter(taken) == Counter(due)


def test_an_idempotency_key_used_by_ten_at_once_has_one_effect(crowd, migrated, acme, acme_key, tmp_path):
    name = f"Once for {acme.id}"

    answers = crowd.all(post_item, [(migrated, str(tmp_path), acme_key, name)] * 10)

    assert Item.select().where(Item.account == acme.id).count() == 1
    assert {status for status, _ in answers} <= {201, 409}
    assert len({body for status, body in answers if status == 201}) == 1
    again = crowd.all(post_item, [(migrated, str(tmp_path), acme_key, name)] * 10)
    assert {status for status, _ in again} == {201}
    assert {body for _, body in again} == {body for status, body in answers if status == 201}


def test_everything_that_was_done_is_in_the_record_once(crowd, acme, given):
    invoice = given.invoice(given.customer(acme))

    fresh = crowd.all(refresh, [(invoice.id,)] * 8)

    ended = Record.select().where(Record.account_id == acme.id, Record.deed == "link.refreshed")
    made = Record.select().where(Record.subject.in_(fresh), Record.deed == "link.created")
    assert (ended.count(), made.count()) == (8, 8)
    assert len({row.subject for row in ended}) == 8


def act(deed: Any, *values: Any) -> Any:
    return deed(*values)


def post_item(url: str, folder: str, key: str, name: str) -> tuple[int, bytes]:
    settings = Settings(
        data_dir=folder,
        database_url=url,
        link_keys="k1:QmVob2xkIHRoZSBvbmUgdGVzdCBrZXkgb2Yga2V5cyE=:active",
        secret_key="a secret that only the tests know 0123456789",
        log_level="error",
    )
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "the-one-key"}
    answer = create_app(settings).test_client().post("/v1/items", json={"name": name}, headers=headers)
    return answer.status_code, answer.data if answer.status_code == 201 else b""


def give_credits(customer_id: str, amount: str) -> None:
    with db.atomic():
        CreditBlock.give(Customer.get_by_id(customer_id).held(), Decimal(amount), "USD", NOW)


def take_credits(customer_id: str, amount: str) -> None:
    with db.atomic():
        CreditBlock.take(Customer.get_by_id(customer_id).held(), Decimal(amount), "USD", NOW)


def spend_credits(customer_id: str, invoice_id: str) -> None:
    with db.atomic():
        customer = Customer.get_by_id(customer_id).held()
        CreditBlock.spend(customer, 700, "USD", invoice_id, NOW)
        CreditBlock.give_back(customer, invoice_id, NOW)


def expire_credits(_: str, __: str) -> None:
    CreditBlock.expire(NOW)


def credit_line(invoice_id: str, amount: int) -> None:
    invoice = Invoice.get_by_id(invoice_id)
    wanted = [Wanted(invoice.document["lines"][0]["id"], amount)]
    CreditNote.issue(invoice, wanted, NOW, "test", reason="duplicate", memo=None)


def test_fifty_movements_of_credits_at_once_keep_the_ledger_in_one_chain(crowd, acme, given):
    customer = given.customer(acme)
    give_credits(customer.id, "10.50")
    deeds: list[Any] = [
        (give_credits, "3.25"),
        (take_credits, "2.75"),
        (take_credits, "0.1"),
        (spend_credits, "inv"),
    ] * 6
    deeds += [(expire_credits, "")]

    answers = crowd.all(act_with, [(deed, customer.id, value) for deed, value in deeds])
    answers += crowd.all(act_with, [(deed, customer.id, value) for deed, value in deeds])

    # More may be asked for than there is at the moment, and that is refused.
    assert not set(refused(answers)) - {"IllegalMove"}
    entries = list(CreditEntry.select().where(CreditEntry.customer == customer).order_by(CreditEntry.sequence))
    assert len(entries) >= 37
    balance = Decimal(0)
    for position, entry in enumerate(entries, start=1):
        assert (entry.sequence, Decimal(entry.starting_balance)) == (position, balance)
        balance += Decimal(entry.amount)
        assert Decimal(entry.ending_balance) == balance
    assert balance == Decimal("10.50") + 12 * (Decimal("3.25") - Decimal("2.75") - Decimal("0.1"))
    blocks = CreditBlock.select(CreditBlock.balance).where(CreditBlock.customer == customer)
    assert sum(Decimal(block.balance) for block in blocks) == balance
    by_time = CreditEntry.select().where(CreditEntry.customer == customer).order_by(CreditEntry.created_at)
    assert [entry.sequence for entry in by_time] == list(range(1, len(entries) + 1))


def test_credit_notes_at_once_give_back_no_more_than_the_invoice_and_have_numbers_without_gaps(crowd, acme, given):
    invoices = [given.invoice(given.customer(acme), lines=(("Seats", "1", "20"),)) for _ in range(2)]

    answers = crowd.all(credit_line, [(invoice.id, 700) for invoice in invoices for _ in range(8)])
    pay_answers = crowd.all(pay, [(invoice.id, 600) for invoice in invoices])

    assert refused(answers) == Counter(IllegalState=12)
    assert not refused(pay_answers)
    for invoice in invoices:
        notes = CreditNote.of_all([invoice.id])[invoice.id]
        assert [note.total for note in notes] == [700, 700]
        assert Invoice.get_by_id(invoice.id).status == "paid"
    numbers = sorted(row.number for row in CreditNote.select().where(CreditNote.account == acme))
    assert [number.rpartition("-")[2] for number in numbers] == ["00001", "00002", "00003", "00004"]


def act_with(deed: Any, *values: Any) -> Any:
    return deed(*values)
