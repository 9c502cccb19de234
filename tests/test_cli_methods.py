"""`portal invoice methods` and `portal customer methods`: an operator narrows by hand what may be paid by."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from portal.cli import main
from portal.models import base
from portal.models.account import Account
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.record import Record
from tests.conftest import Clock
from tests.given import Given

RING = "k1:QmVob2xkIHRoZSBvbmUgdGVzdCBrZXkgb2Yga2V5cyE=:active"


class Portal:
    """The command, run inside this process on the tests' database."""

    def __init__(self, **settings: str) -> None:
        self.env = {f"PORTAL_{name.upper()}": value for name, value in settings.items()}

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, arguments, env=self.env)

    def prints(self, *arguments: str) -> list[str]:
        result = self(*arguments)
        assert result.exit_code == 0, result.stderr
        base.db.connect(reuse_if_open=True)
        return result.stdout.split()

    def refuses(self, *arguments: str) -> str:
        """Its stderr, which must be one sentence."""
        result = self(*arguments)
        assert (result.exit_code, result.stdout) == (1, "")
        base.db.connect(reuse_if_open=True)
        (line,) = result.stderr.splitlines()
        return line


@pytest.fixture(autouse=True)
def _same_database_afterwards() -> Iterator[None]:
    bound = base.db.obj
    yield
    base.db.initialize(bound)


@pytest.fixture
def portal(migrated: str, tmp_path: Path) -> Portal:
    secret = "a secret that only the tests know 0123456789"
    return Portal(data_dir=str(tmp_path), database_url=migrated, link_keys=RING, secret_key=secret)


def records(subject: str) -> list[tuple[str, str]]:
    return [(row.actor, row.deed) for row in Record.select().where(Record.subject == subject)]


def test_this_invoice_only_by_ach(portal: Portal, given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))

    assert portal.prints("invoice", "methods", invoice.number) == ["card", "us_bank_account", "bank_transfer"]
    assert portal.prints("invoice", "methods", invoice.id, "us_bank_account") == ["us_bank_account"]

    assert Invoice.get_by_id(invoice.id).payment_methods == ["us_bank_account"]
    assert ("cli", "invoice.changed") in records(invoice.id)

    assert portal.prints("invoice", "methods", invoice.id, "--all") == ["card", "us_bank_account", "bank_transfer"]
    assert Invoice.get_by_id(invoice.id).payment_methods is None


def test_to_look_changes_nothing(portal: Portal, given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme), payment_methods=["card"])

    for named in (["invoice", "methods", invoice.id], ["customer", "methods", invoice.customer_id]):
        assert "card" in portal.prints(*named)

    assert Invoice.get_by_id(invoice.id).payment_methods == ["card"]
    assert ("cli", "invoice.changed") not in records(invoice.id)
    assert ("cli", "customer.changed") not in records(invoice.customer_id)


def test_a_customer_is_narrowed_for_all_her_invoices(portal: Portal, given: Given, acme: Account, clock: Clock) -> None:
    acme.configure({"payment_methods": ["bank_transfer", "sepa_debit", "card"]}, clock.now, "test")
    customer = given.customer(acme, external_id=f"crm-{acme.id}")
    invoice = given.invoice(customer, payment_methods=["card", "bank_transfer"])

    left = portal.prints("customer", "methods", customer.external_id, "card", "us_bank_account", "sepa_debit")

    assert left == ["sepa_debit", "card"]
    assert Customer.get_by_id(customer.id).payment_methods == ["card", "us_bank_account", "sepa_debit"]
    assert portal.prints("invoice", "methods", invoice.id) == ["card"]
    assert portal.prints("customer", "methods", customer.id, "--all") == ["bank_transfer", "sepa_debit", "card"]


def test_where_nothing_is_left_it_is_said(portal: Portal, given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))

    result = portal("invoice", "methods", invoice.id, "sepa_debit")

    assert (result.exit_code, result.stdout) == (0, "")
    assert "No method is left" in result.stderr


def test_a_mistake_is_refused_in_a_sentence(portal: Portal, given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))
    void = given.invoice(given.customer(acme))
    Invoice.update(status="void").where(Invoice.id == void.id).execute()

    assert "some of card, us_bank_account" in portal.refuses("invoice", "methods", invoice.id, "cash")
    assert "each once" in portal.refuses("invoice", "methods", invoice.id, "card", "card")
    assert "not both" in portal.refuses("customer", "methods", invoice.customer_id, "card", "--all")
    assert "no invoice nothing" in portal.refuses("invoice", "methods", "nothing")
    assert "no customer nobody" in portal.refuses("customer", "methods", "nobody")
    assert "it is void" in portal.refuses("invoice", "methods", void.id, "card")
    assert Invoice.get_by_id(invoice.id).payment_methods is None
