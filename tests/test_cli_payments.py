"""`portal payment list / show / refund / cancel`: an operator does by hand what the API does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from portal.cashier import taking
from portal.cli import main
from portal.models import base
from portal.models.account import Account
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.payment import Payment
from tests import attempts
from tests.conftest import Clock
from tests.given import Given
from tests.sandbox import LINK_KEYS, NOWHERE, SECRET_KEY, Sandbox


class Portal:
    """The command, run inside this process on the tests' database."""

    def __init__(self, **settings: str) -> None:
        self.env = {f"PORTAL_{name.upper()}": value for name, value in settings.items()}

    def __call__(self, *arguments: str, **more: str) -> Result:
        result = CliRunner().invoke(main, ["payment", *arguments], env={**self.env, **more})
        base.db.connect(reuse_if_open=True)
        return result

    def prints(self, *arguments: str) -> list[str]:
        result = self(*arguments)
        assert result.exit_code == 0, result.stderr
        return result.stdout.split()

    def refuses(self, *arguments: str, **more: str) -> str:
        """Its stderr, which must be one sentence."""
        result = self(*arguments, **more)
        assert (result.exit_code, result.stdout) == (1, "")
        (line,) = result.stderr.splitlines()
        return line


@pytest.fixture(autouse=True)
def _same_database_afterwards() -> Iterator[None]:
    bound = base.db.obj
    yield
    base.db.initialize(bound)


@pytest.fixture
def portal(migrated: str, tmp_path: Path, sandbox: Sandbox) -> Portal:
    own = {"data_dir": str(tmp_path), "database_url": migrated, "link_keys": LINK_KEYS, "secret_key": SECRET_KEY}
    return Portal(**own, gateway="sandbox", sandbox_url=sandbox.url)


@pytest.fixture
def customer(given: Given, acme: Account) -> Customer:
    return given.customer(acme)


@pytest.fixture
def invoice(given: Given, customer: Customer) -> Invoice:
    return given.invoice(customer)


def pay(sandbox: Sandbox, invoice: Invoice, clock: Clock, outcome: str) -> Payment:
    """A card payment that ends as the sandbox is told."""
    order = taking.order(reference="A-1", details={"sandbox_outcome": outcome})
    wanted = attempts.wanted(invoice, order=order)
    begun = attempts.paying.begin(wanted, clock.now, "test", lambda *_: None)
    return taking.ask(sandbox.gateway, begun, NOWHERE, clock.now, "test")


def test_payments_are_listed_and_told(
    portal: Portal, given: Given, customer: Customer, invoice: Invoice, clock: Clock
) -> None:
    paid = attempts.paid(invoice, now=clock.now)
    clock.advance(minutes=1)
    begun = attempts.begin(given.invoice(customer), now=clock.now)
    attempts.tell(attempts.dispute(paid, "opened", 1500), clock.now)

    assert portal.prints("list", "--customer", customer.id) == [begun.id, paid.id]
    assert portal.prints("list", "--customer", customer.id, "--stage", "succeeded") == [paid.id]
    told = portal("show", paid.id)
    assert told.stdout == "succeeded\n"
    assert f"for invoice {invoice.number}: USD 40.00" in told.stderr
    assert "USD 15.00, opened (fraudulent)" in told.stderr


def test_a_payment_is_refunded_in_parts(portal: Portal, sandbox: Sandbox, invoice: Invoice, clock: Clock) -> None:
    paid = pay(sandbox, invoice, clock, "4242")

    (refund,) = portal.prints("refund", paid.id, "--amount", "12.50", "--reason", "Two seats too many")

    assert f"refund {refund}: USD 12.50" in portal("show", paid.id).stderr
    assert "USD 27.50" in portal.refuses("refund", paid.id, "--amount", "27.51")
    assert portal.refuses("refund", paid.id, "--amount", "much").startswith("Error: ")
    assert len(portal.prints("refund", paid.id)) == 1
    assert "nothing" in portal.refuses("refund", paid.id)
    assert attempts.left(invoice) == ("paid", 0)


def test_a_payment_that_waits_for_its_payer_is_given_up(
    portal: Portal, sandbox: Sandbox, invoice: Invoice, clock: Clock
) -> None:
    waiting = pay(sandbox, invoice, clock, "3155")

    assert (waiting.stage, portal.prints("cancel", waiting.id)) == ("action", ["canceled"])
    assert "only a payment that waits" in portal.refuses("cancel", waiting.id)


def test_what_cannot_be_done_is_said(portal: Portal, given: Given, invoice: Invoice, clock: Clock) -> None:
    by_hand = Payment.record(invoice, clock.now, "test", received_on=clock.now.date())
    going = attempts.begin(given.invoice(Customer.get_by_id(invoice.customer_id)), now=clock.now)

    assert "by hand" in portal.refuses("refund", by_hand.id)
    assert portal.refuses("show", "nothing") == "Error: There is no payment nothing."
    assert "PORTAL_GATEWAY=sandbox" in portal.refuses("refund", going.id, PORTAL_GATEWAY="none")
