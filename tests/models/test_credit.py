"""Prepaid credits: which blocks are used first, what the ledger says of it, and when they end."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from portal.models import correction
from portal.models.base import db, new_id
from portal.models.credit import CreditBlock, CreditEntry, IllegalMove
from portal.models.customer import Customer


@pytest.fixture
def customer(acme, given) -> Customer:
    return given.customer(acme, currency="USD")


@pytest.fixture
def give(customer, clock) -> Any:
    def give(amount: str, currency: str = "USD", **fields: Any) -> CreditBlock:
        with db.atomic():
            return CreditBlock.give(customer.held(), Decimal(amount), currency, clock.now, **fields).block

    return give


def left(*blocks: CreditBlock) -> list[str]:
    return [CreditBlock.get_by_id(block.id).balance for block in blocks]


def ledger(customer: Customer, currency: str = "USD") -> list[CreditEntry]:
    rows = CreditEntry.select().where(CreditEntry.customer == customer, CreditEntry.currency == currency)
    return list(rows.order_by(CreditEntry.sequence))


def chains(customer: Customer, currency: str = "USD") -> bool:
    """Does each entry begin where the one before it ended, and do the blocks add up to the last?"""
    balance = Decimal(0)
    for position, entry in enumerate(ledger(customer, currency), start=1):
        moved = Decimal(0) if entry.type == "expiration_change" else Decimal(entry.amount)
        assert (entry.sequence, Decimal(entry.starting_balance)) == (position, balance)
        balance += moved
        assert Decimal(entry.ending_balance) == balance
    blocks = CreditBlock.select().where(CreditBlock.customer == customer, CreditBlock.currency == currency)
    return balance == sum((Decimal(block.balance) for block in blocks), Decimal(0))


def test_the_soonest_to_expire_is_used_first_then_the_cheapest_then_the_oldest(customer, give, clock):
    soon, later = clock.now + timedelta(days=9), clock.now + timedelta(days=30)
    dear = give("10", expires_at=soon, cost_basis="5")
    free = give("10", expires_at=soon)
    for_ever = give("10")
    old = give("10", expires_at=later, effective_at=clock.now - timedelta(days=3))
    new = give("10", expires_at=later)

    entry = CreditBlock.take(customer, Decimal("42.5"), "USD", clock.now)

    assert left(free, dear, old, new, for_ever) == ["0", "0", "0", "0", "7.5"]
    taken = [row for row in ledger(customer) if row.type == "decrement"]
    assert [row.block_id for row in taken] == [free.id, dear.id, old.id, new.id, for_ever.id]
    assert taken[-1].id == entry.id
    assert chains(customer)


def test_more_than_there_is_is_owed_by_a_block_that_never_expires(customer, give, clock):
    soon = give("10", expires_at=clock.now + timedelta(days=9))
    for_ever = give("5")

    CreditBlock.take(customer, Decimal("18"), "USD", clock.now)

    assert left(soon, for_ever) == ["0", "-3"]
    assert CreditBlock.available(customer.id, "USD", clock.now) == 0
    give("10")
    assert CreditBlock.available(customer.id, "USD", clock.now) == 7
    assert chains(customer)


def test_a_customer_without_a_block_can_owe_credits(customer, clock):
    entry = CreditBlock.take(customer, Decimal("0.1"), "credits", clock.now)

    assert (entry.ending_balance, entry.block.initial, entry.block.expires_at) == ("-0.1", "0", None)


def test_only_blocks_that_run_and_are_of_that_currency_are_available(customer, give, clock):
    give("10")
    give("20", expires_at=clock.now + timedelta(days=1))
    give("40", effective_at=clock.now + timedelta(days=2))
    give("80", "EUR")
    give("160", "credits")
    give("0.009")

    def on(days: int) -> Decimal:
        return CreditBlock.available(customer.id, "USD", clock.now + timedelta(days=days))

    assert [str(on(day)) for day in (0, 1, 2)] == ["30.00", "10.00", "50.00"]


def test_an_invoice_takes_its_share_and_gives_it_back_to_the_same_blocks(customer, give, clock):
    first, second = give("10", expires_at=clock.now + timedelta(days=9)), give("10")
    invoice_id = new_id()

    CreditBlock.spend(customer, 1250, "USD", invoice_id, clock.now)
    assert left(first, second) == ["0", "7.5"]
    assert {row.invoice_id for row in ledger(customer) if row.type == "decrement"} == {invoice_id}

    CreditBlock.give_back(customer, invoice_id, clock.now)
    CreditBlock.give_back(customer, invoice_id, clock.now)
    assert left(first, second) == ["10", "10"]
    assert [row.type for row in ledger(customer)][-2:] == ["amendment", "amendment"]
    assert chains(customer)


def test_what_is_given_back_to_a_block_that_is_over_expires_with_it(customer, give, clock):
    block = give("10", expires_at=clock.now + timedelta(days=1))
    CreditBlock.spend(customer, 400, "USD", "an-invoice", clock.now)
    clock.advance(days=1)

    CreditBlock.give_back(customer, "an-invoice", clock.now)

    assert left(block) == ["0"]
    assert [(row.type, row.amount) for row in ledger(customer)][2:] == [
        ("amendment", "4"),
        ("credit_block_expiry", "-10"),
    ]


def test_no_invoice_takes_more_than_is_available(customer, give, clock):
    give("10")

    with pytest.raises(IllegalMove, match=r"fewer prepaid credits than 10\.01 USD"):
        CreditBlock.spend(customer, 1001, "USD", "an-invoice", clock.now)


def test_what_is_left_of_a_block_expires_once(customer, give, clock):
    end = clock.now + timedelta(days=1)
    block, other = give("10", expires_at=end), give("5")
    CreditBlock.take(customer, Decimal(3), "USD", clock.now)

    CreditBlock.expire(end - timedelta(microseconds=1))
    assert left(block, other) == ["7", "5"]
    assert CreditBlock.expire(end) >= 1
    assert CreditBlock.expire(end) == 0
    assert left(block, other) == ["0", "5"]
    assert (ledger(customer)[-1].type, ledger(customer)[-1].amount) == ("credit_block_expiry", "-7")
    assert chains(customer)


def test_a_block_that_is_over_is_not_used_even_before_anybody_ended_it(customer, give, clock):
    give("10", expires_at=clock.now + timedelta(days=1))
    clock.advance(days=1)

    CreditBlock.take(customer, Decimal(4), "USD", clock.now)

    assert [row.type for row in ledger(customer)] == ["increment", "credit_block_expiry", "decrement"]
    assert ledger(customer)[-1].ending_balance == "-4"


def test_voiding_takes_no_more_than_is_left(customer, give, clock):
    block = give("10")

    entry = correction.void(block, Decimal(4), "refund", clock.now)

    assert (entry.type, entry.amount, entry.detail) == ("void", "-4", {"void_amount": "4", "void_reason": "refund"})
    with pytest.raises(IllegalMove, match="6 is left in this block"):
        correction.void(block, Decimal(7), None, clock.now)
    assert chains(customer)


def test_an_amendment_puts_back_what_was_taken_and_no_more(customer, give, clock):
    block = give("10")
    CreditBlock.take(customer, Decimal(4), "USD", clock.now)
    block = CreditBlock.get_by_id(block.id)

    correction.amend(block, Decimal(3), clock.now)

    assert left(block) == ["9"]
    with pytest.raises(IllegalMove, match="decrements took 1 from this block"):
        correction.amend(block, Decimal(2), clock.now)
    assert chains(customer)


def test_credits_that_move_to_another_expiry_change_no_balance(customer, give, clock):
    block = give("10", cost_basis="0.5", expires_at=clock.now + timedelta(days=1))
    later = clock.now + timedelta(days=365)

    entry = correction.move(block, Decimal(4), later, clock.now)

    new = CreditBlock.get_by_id(entry.detail["new_block_id"])
    assert left(block) == ["6"]
    assert (new.balance, new.initial, new.expires_at, new.cost_basis) == ("4", "4", later, "0.5")
    assert (entry.amount, entry.starting_balance, entry.ending_balance) == ("4", "10", "10")
    assert chains(customer)


def test_the_ledger_is_only_ever_added_to(customer, give, outside):
    give("10")
    entry = ledger(customer)[0]

    for statement in (
        ("UPDATE credit_entry SET amount = '11' WHERE id = ?", (entry.id,)),
        ("DELETE FROM credit_entry WHERE id = ?", (entry.id,)),
    ):
        assert "credit_entry rows are only ever added" in outside.refused(statement)
