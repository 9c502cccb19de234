"""The official SDK, unmodified and strict, on what a customer has in advance: credits, balance, and credit notes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import orb as sdk
import pytest
from orb import Orb
from orb.types.customer import Customer as OrbCustomer

from portal.delivery import worker
from tests.conftest import Clock


@pytest.fixture
def customer(orb: Orb) -> OrbCustomer:
    return orb.customers.create(
        name="Globex",
        email="ap@globex.example",
        external_customer_id="globex/1",
        currency="USD",
        timezone="America/New_York",
    )


def increment(orb: Orb, customer: OrbCustomer, amount: float = 100, **more: Any) -> Any:
    return orb.customers.credits.ledger.create_entry(customer.id, entry_type="increment", amount=amount, **more)


def test_credits_are_added_in_a_block_of_their_own(orb: Orb, customer: OrbCustomer) -> None:
    entry = increment(
        orb,
        customer,
        100.1,
        expiry_date=date(2027, 12, 28),
        per_unit_cost_basis="0.20",
        description="Purchased credits",
        metadata={"po": "77"},
    )

    assert (entry.entry_type, entry.amount, entry.starting_balance, entry.ending_balance) == (
        "increment",
        100.1,
        0,
        100.1,
    )
    assert (entry.currency, entry.ledger_sequence_number, entry.entry_status) == ("credits", 1, "committed")
    assert entry.credit_block.expiry_date == datetime(2027, 12, 28, 5, tzinfo=UTC)  # midnight in New York
    assert (entry.customer.id, entry.metadata) == (customer.id, {"po": "77"})
    (block,) = orb.customers.credits.list(customer.id).data
    assert (block.id, block.balance, block.maximum_initial_balance) == (entry.credit_block.id, 100.1, 100.1)
    assert (block.per_unit_cost_basis, block.status, block.credit_block_source) == ("0.20", "active", "manual")
    assert orb.customers.credits.list(customer.id, currency="USD").data == []


def test_a_decrement_goes_through_the_blocks_and_is_answered_with_the_last(orb: Orb, customer: OrbCustomer) -> None:
    first = increment(orb, customer, 10, expiry_date=date(2027, 1, 1))
    second = increment(orb, customer, 10)

    entry = orb.customers.credits.ledger.create_entry(customer.id, entry_type="decrement", amount=12)

    assert (entry.amount, entry.ending_balance, entry.credit_block.id) == (-2, 8, second.credit_block.id)
    found = orb.customers.credits.ledger.list(customer.id).data
    assert [one.ledger_sequence_number for one in found] == [4, 3, 2, 1]
    assert found[0] == entry
    assert [one.credit_block.id for one in found[:2]] == [second.credit_block.id, first.credit_block.id]
    assert [block.id for block in orb.customers.credits.list(customer.id)] == [second.credit_block.id]
    assert len(orb.customers.credits.list(customer.id, include_all_blocks=True).data) == 2


def test_credits_can_be_owed(orb: Orb, customer: OrbCustomer) -> None:
    increment(orb, customer, 10)

    entry = orb.customers.credits.ledger.create_entry(customer.id, entry_type="decrement", amount=10.5)

    assert entry.ending_balance == -0.5


def test_an_expiry_can_be_changed_for_a_part_of_a_block(orb: Orb, customer: OrbCustomer) -> None:
    block = increment(orb, customer, 10, expiry_date="2026-12-28").credit_block

    entry = orb.customers.credits.ledger.create_entry(
        customer.id,
        entry_type="expiration_change",
        amount=4,
        expiry_date="2026-12-28",
        target_expiry_date=date(2027, 12, 28),
    )

    assert (entry.amount, entry.starting_balance, entry.ending_balance) == (4, 10, 10)
    assert (entry.credit_block.id, entry.new_block_expiry_date) == (block.id, datetime(2027, 12, 28, 5, tzinfo=UTC))
    assert sorted(one.balance for one in orb.customers.credits.list(customer.id)) == [4, 6]


def test_credits_are_voided_and_decrements_amended(orb: Orb, customer: OrbCustomer) -> None:
    block = increment(orb, customer, 10).credit_block
    write = orb.customers.credits.ledger.create_entry
    write(customer.id, entry_type="decrement", amount=5)

    void = write(customer.id, entry_type="void", amount=2, block_id=block.id, void_reason="refund")
    amended = write(customer.id, entry_type="amendment", amount=5, block_id=block.id)

    assert (void.amount, void.void_amount, void.void_reason, void.ending_balance) == (-2, 2, "refund", 3)
    assert (amended.entry_type, amended.ending_balance) == ("amendment", 8)


def test_the_ledger_is_listed_by_type_status_amount_and_time(orb: Orb, customer: OrbCustomer) -> None:
    increment(orb, customer, 10, expiry_date=date(2027, 1, 1))
    increment(orb, customer, 3)
    orb.customers.credits.ledger.create_entry(customer.id, entry_type="decrement", amount=7)
    ledger = orb.customers.credits.ledger

    assert [one.amount for one in ledger.list(customer.id, entry_type="increment")] == [3, 10]
    assert [one.amount for one in ledger.list(customer.id, minimum_amount="7")] == [-7, 10]
    assert len(ledger.list(customer.id, entry_status="committed").data) == 3
    assert ledger.list(customer.id, entry_status="pending").data == []
    assert ledger.list(customer.id, created_at_gt=datetime(2026, 11, 24, tzinfo=UTC)).data == []
    assert [one.amount for one in ledger.list(customer.id, limit=1)] == [-7, 3, 10]  # page after page


def test_credits_are_reached_by_an_external_id_with_a_slash(orb: Orb, customer: OrbCustomer) -> None:
    entry = orb.customers.credits.ledger.create_entry_by_external_id("globex/1", entry_type="increment", amount=10)

    assert entry.customer.external_customer_id == "globex/1"
    assert orb.customers.credits.ledger.list_by_external_id("globex/1").data == [entry]
    assert [one.balance for one in orb.customers.credits.list_by_external_id("globex/1")] == [10]


def test_a_wrong_entry_is_refused_with_a_sentence(orb: Orb, customer: OrbCustomer) -> None:
    block = increment(orb, customer, 10).credit_block
    write = orb.customers.credits.ledger.create_entry

    def refused(kind: type[Exception], **entry: Any) -> str:
        with pytest.raises(kind) as error:
            write(customer.id, **entry)
        return str(error.value)

    invalid, barred = sdk.RequestValidationError, sdk.ConstraintViolation
    assert "amount is required" in refused(invalid, entry_type="decrement", amount=None)
    assert "amount must be more than 0" in refused(invalid, entry_type="increment", amount=-5)
    assert "void_reason cannot be given" in refused(
        invalid, entry_type="decrement", amount=1, extra_body={"void_reason": "refund"}
    )
    assert "POST /v1/invoices" in refused(
        invalid, entry_type="increment", amount=1, invoice_settings={"auto_collection": False, "net_terms": 30}
    )
    assert "in the future" in refused(invalid, entry_type="increment", amount=1, expiry_date="2020-01-01")
    assert "USD" in refused(barred, entry_type="increment", amount=1, currency="EUR")
    assert "capital letters" in refused(invalid, entry_type="increment", amount=1, currency="usd")
    assert "10 is left" in refused(barred, entry_type="void", amount=11, block_id=block.id)
    assert "took 0 from this block" in refused(barred, entry_type="amendment", amount=1, block_id=block.id)
    assert "Name the block" in refused(invalid, entry_type="expiration_change", target_expiry_date=date(2027, 1, 1))
    with pytest.raises(sdk.ResourceNotFound):
        write(customer.id, entry_type="void", amount=1, block_id="nosuchblock00000")


def test_a_balance_is_moved_by_hand(orb: Orb, customer: OrbCustomer) -> None:
    given = orb.customers.balance_transactions.create(
        customer.id, amount="12.34", type="increment", description="goodwill"
    )
    taken = orb.customers.balance_transactions.create(customer.id, amount="20", type="decrement")

    assert (given.action, given.amount, given.starting_balance, given.ending_balance) == (
        "manual_adjustment", "12.34", "0.00", "12.34",
    )  # fmt: skip
    assert (taken.type, taken.amount, taken.ending_balance, taken.invoice) == ("decrement", "20.00", "-7.66", None)
    assert orb.customers.fetch(customer.id).balance == "-7.66"
    assert {one.id for one in orb.customers.balance_transactions.list(customer.id)} == {given.id, taken.id}
    later = orb.customers.balance_transactions.list(customer.id, operation_time_gt=datetime(2026, 11, 24, tzinfo=UTC))
    assert later.data == []


@pytest.mark.parametrize("amount", ["0", "-5", "1.001", "ten", "1e3"])
def test_a_balance_moves_by_an_amount_of_the_customers_currency(orb: Orb, customer: OrbCustomer, amount: str) -> None:
    with pytest.raises(sdk.RequestValidationError):
        orb.customers.balance_transactions.create(customer.id, amount=amount, type="increment")


def test_the_balance_of_a_customer_without_a_currency_cannot_move(orb: Orb) -> None:
    nobody = orb.customers.create(name="Hooli", email="ap@hooli.example")

    with pytest.raises(sdk.ConstraintViolation, match="set currency"):
        orb.customers.balance_transactions.create(nobody.id, amount="5", type="increment")


def test_credits_end_at_midnight_where_the_customer_is(orb: Orb, customer: OrbCustomer, clock: Clock, kid: str) -> None:
    in_the_night = increment(orb, customer, 10, expiry_date=datetime(2026, 11, 24, 6, tzinfo=UTC))
    at_midnight = increment(orb, customer, 20, expiry_date=datetime(2026, 11, 25, 5, tzinfo=UTC))
    end = datetime(2026, 11, 25, 5, tzinfo=UTC)
    assert [one.credit_block.expiry_date for one in (in_the_night, at_midnight)] == [end, end]

    clock.now = end - timedelta(seconds=1)
    list(worker.deeds(clock.now, kid))
    assert len(orb.customers.credits.list(customer.id).data) == 2

    clock.now = end
    assert orb.customers.credits.list(customer.id).data == []  # before the worker came, too
    list(worker.deeds(clock.now, kid))
    over = orb.customers.credits.ledger.list(customer.id, entry_type="credit_block_expiry").data
    assert sorted((one.amount, one.entry_type) for one in over) == [
        (-20, "credit_block_expiry"),
        (-10, "credit_block_expiry"),
    ]
    assert over[0].ending_balance == 0
    assert [one.balance for one in orb.customers.credits.list(customer.id, include_all_blocks=True)] == [0, 0]


def test_credits_that_are_effective_later_are_shown_and_not_used(orb: Orb, customer: OrbCustomer) -> None:
    increment(orb, customer, 10, effective_date=datetime(2026, 12, 1, tzinfo=UTC))
    now = increment(orb, customer, 5)

    taken = orb.customers.credits.ledger.create_entry(customer.id, entry_type="decrement", amount=6)

    assert (taken.credit_block.id, taken.ending_balance) == (now.credit_block.id, 9)
    later = orb.customers.credits.list(customer.id, effective_date_gte=datetime(2026, 12, 1, tzinfo=UTC)).data
    assert [one.balance for one in later] == [10]
