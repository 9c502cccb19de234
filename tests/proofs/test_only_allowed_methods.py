"""Four methods, eight sets of what is allowed, and every way to ask: only what is allowed ever reaches the gateway.

Not part of `make test`; `make proofs` prints the figures.
"""

from __future__ import annotations

import itertools
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from portal.domain.methods import METHODS
from portal.models.account import Account, ApiKey
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.payment import Payment
from portal.models.saved_method import SavedMethod
from tests.proofs import payer
from tests.proofs.shop import Shop

pytestmark = pytest.mark.proof

CHARGED = METHODS[:3]
ALLOWED = [
    # With and without a bank transfer beside them.
    (*names, *(["bank_transfer"] if size % 2 else []))
    for size in range(4)
    for names in itertools.combinations(CHARGED, size)
]
CURRENCIES = {"card": "USD", "us_bank_account": "USD", "sepa_debit": "EUR", "bank_transfer": "USD"}
BANKS = [
    {"currency": "USD", "holder": "Acme", "account_number": "000123456789", "routing_number": "110000000"},
    {"currency": "EUR", "holder": "Acme", "iban": "DE89370400440532013000", "bic": None},
]
WAYS = ("form", "direct POST", "saved method", "API")


@dataclass
class Desk:
    """An account that allows everything, and a key to its API."""

    shop: Shop
    account: Account
    key: str

    def customer(self, currency: str) -> Customer:
        return self.shop.given.customer(self.account, currency=currency, email_delivery=False)

    def narrowed(self, customer: Customer, allowed: tuple[str, ...], by_customer: bool) -> Invoice:
        """An invoice that may be paid by these methods only: its customer says so, or it says so itself."""
        invoice = self.shop.given.invoice(customer)
        narrow = {"payment_methods": list(allowed)}
        owner = customer if by_customer else invoice
        type(owner).update(**narrow).where(type(owner).id == owner.id).execute()
        return invoice


@pytest.fixture
def desk(shop: Shop) -> Desk:
    now = datetime.now(UTC)
    account = Account.open("Methods", now, mode="test", by="proof")
    Account.update(payment_methods=list(METHODS), bank_accounts=BANKS).where(Account.id == account.id).execute()
    return Desk(shop, account, ApiKey.mint(account, now, "proof")[1])


def test_only_what_is_allowed_is_charged(shop: Shop, desk: Desk) -> None:
    assert len(ALLOWED) == 8
    seen: Counter[str] = Counter()
    began = time.monotonic()

    for n, (allowed, method, way) in enumerate(itertools.product(ALLOWED, METHODS, WAYS)):
        if method == "bank_transfer" and way == "API":
            continue  # what could it charge?
        customer = desk.customer(CURRENCIES[method])
        saved = payer.keep(shop, customer, method if method in CHARGED else "card") if way in WAYS[2:] else None
        invoice = desk.narrowed(customer, allowed, by_customer=n % 2 == 0)
        status = asked(desk, way, customer, invoice, method, saved)

        may = method in allowed and method in CHARGED
        orders = shop.orders(invoice)
        assert [(row["method"], row["amount"]) for row in orders] == ([(method, invoice.amount_due)] if may else [])
        assert Payment.select().where(Payment.customer == customer).count() == len(orders)
        assert status < 400 if may else status < 500, (allowed, method, way, status)
        assert may or status >= 400 or method == "bank_transfer" or way == "form", (allowed, method, way, status)
        seen[f"{way}: {'charged' if may else 'not charged'}"] += 1

    shop.say(
        f"{len(METHODS)} methods, {len(ALLOWED)} sets, {len(WAYS)} ways in {time.monotonic() - began:.0f} s: "
        f"{dict(seen)}, nothing else at the gateway"
    )


def asked(desk: Desk, way: str, customer: Customer, invoice: Invoice, method: str, saved: SavedMethod | None) -> int:
    """Tries to pay by `method`, and says what the last answer was."""
    shop, url = desk.shop, payer.link_of(desk.shop, invoice)
    if way == "API":
        bearer = {"authorization": f"Bearer {desk.key}", "content_type": "application/json"}
        return shop.ask("POST", f"/v1/invoices/{invoice.id}/pay", b"{}", **bearer).status
    if way == "saved method":
        url = f"{payer.link_of_customer(shop, customer)}invoices/{invoice.id}/"
    tab = payer.opened(shop, url)
    assert set(tab.offered) == {one for one in narrowed(invoice) if serves(one, invoice.currency)}
    if way == "form":
        if method not in tab.offered:
            return tab.status  # there is nothing to click
        details = tab.pay(method, step=None, sandbox_outcome=None)
        assert details.status == 200, details.body
        stamp = payer.STAMP.search(details.body)
        return tab.pay(method, stamp=stamp[1] if stamp else "").status
    if not tab.stamp:  # nothing may be paid, so another form lends its own
        other = shop.given.invoice(desk.customer(invoice.currency))
        tab = payer.opened(shop, payer.link_of(shop, other)).at(tab.path)
    if saved is not None:
        return tab.pay(method, step="confirm", saved=saved.id).status
    return tab.pay(method).status


def narrowed(invoice: Invoice) -> list[str]:
    now = Invoice.get_by_id(invoice.id).payment_methods
    return list(now if now is not None else Customer.get_by_id(invoice.customer_id).payment_methods)


def serves(method: str, currency: str) -> bool:
    return {"us_bank_account": "USD", "sepa_debit": "EUR"}.get(method, currency) == currency
