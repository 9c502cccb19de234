"""Forms that were tampered with: amounts, currencies, invoices, versions, stamps. Nothing is charged for any of them.

Not part of `make test`; `make proofs` prints the figures.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from portal.models.credit_note import CreditNote, Wanted
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.payment import Payment
from portal.stamps import Stamps
from tests.proofs import payer
from tests.proofs.payer import Tab
from tests.proofs.shop import Shop, scaled, seed_of

pytestmark = pytest.mark.proof

TAMPERED = 200
Dice = random.Random


@dataclass
class Case:
    """A form that was open, and whoever wants to make something else of it."""

    shop: Shop
    dice: Dice
    customer: Customer
    invoices: list[Invoice]  # what it is for
    tab: Tab
    strangers: Tab  # of another customer of the account
    stranger: Invoice

    @property
    def invoice(self) -> Invoice:
        return self.invoices[0]

    def sends(self, **changes: Any) -> list[tuple[str, str]]:
        named: dict[str, Any] = {"invoice": [one.id for one in self.invoices]} if self.is_of_customer else {}
        return self.tab.fields(**{"method": "card", **named, **changes})

    @property
    def is_of_customer(self) -> bool:
        return self.tab.path.startswith("/c/")


Fields = list[tuple[str, str]]


# What is sent instead. Some things change behind the form's back, before it is sent.


def an_amount(case: Case) -> Fields:
    texts = ["-40.00", "0", "0.00", "0.01", "39.99", "40.01", "1e3", "4e9", "0x28", "4000", "10000000000000000000000"]
    texts += ["NaN", "Infinity", "-0", "40.001", "40.00.00", "40;1", "USD 1", "€40", "٤١", "1,00", "40.00 OR 1", "½"]
    return case.sends(amount=case.dice.choice(texts))


def an_amount_twice(case: Case) -> Fields:
    return case.sends(amount=["1.00", "80.00"])


def another_currency(case: Case) -> Fields:
    return case.sends(currency=case.dice.choice(["EUR", "JPY", "usd", "XXX"]))


def money_of_another_currency(case: Case) -> Fields:
    return case.sends(amount=case.dice.choice(["EUR 40.00", "40.00 EUR", "£40.00", "40.00 JPY"]))


def an_older_version(case: Case) -> Fields:
    """A part was paid by other ways after the form was shown."""
    Payment.record(case.invoice, datetime.now(UTC), "proof", received_on=date(2026, 11, 20), amount=100)
    return case.sends()


def before_a_credit_note(case: Case) -> Fields:
    line = Invoice.get_by_id(case.invoice.id).document["lines"][0]["id"]
    CreditNote.issue(case.invoice, [Wanted(line, 100)], datetime.now(UTC), "proof", reason="order_change", memo=None)
    return case.sends()


def before_methods_changed(case: Case) -> Fields:
    Invoice.update(payment_methods=["card"]).where(Invoice.id == case.invoice.id).execute()
    return case.sends()


def another_invoice(case: Case) -> Fields:
    return case.sends(invoice=case.dice.choice([case.stranger.id, "x" * 16, "../../", f"{case.invoice.id}'"]))


def one_invoice_more(case: Case) -> Fields:
    fresh = case.shop.given.invoice(case.customer)
    return case.sends(invoice=[*(one.id for one in case.invoices), fresh.id])


def one_invoice_less(case: Case) -> Fields:
    return case.sends(invoice=[one.id for one in case.invoices[1:]])


def a_strangers_stamp(case: Case) -> Fields:
    return case.sends(stamp=case.strangers.stamp)


def an_old_stamp(case: Case) -> Fields:
    """Made by ourselves, for this very form, and half an hour ago; or not yet."""
    text = case.tab.stamp.rpartition("~")[0].partition(".")[2]
    at = int(time.time()) + case.dice.choice([-1801, -1900, -86400, 3600])
    return case.sends(stamp=Stamps(secret_of(case.shop), "payment").stamp(text, at))


def a_stamp_for_another_purpose(case: Case) -> Fields:
    text = case.tab.stamp.rpartition("~")[0].partition(".")[2]
    purpose = case.dice.choice(["giving up", "methods", ""])
    return case.sends(stamp=Stamps(secret_of(case.shop), purpose).stamp(text, int(time.time())))


def a_stamp_of_another_secret(case: Case) -> Fields:
    text = case.tab.stamp.rpartition("~")[0].partition(".")[2]
    return case.sends(stamp=Stamps("f" * 32, "payment").stamp(text, int(time.time())))


def a_letter_of_the_stamp(case: Case) -> Fields:
    stamp, at = case.tab.stamp, case.dice.randrange(len(case.tab.stamp))
    other = case.dice.choice([c for c in "abcdef0123456789.~-_ " if c != stamp[at]])
    return case.sends(stamp=stamp[:at] + other + stamp[at + 1 :])


def no_stamp(case: Case) -> Fields:
    return case.sends(stamp=case.dice.choice([None, "", "~", "0.~", case.tab.stamp[:-1], case.tab.stamp + "A"]))


def no_method(case: Case) -> Fields:
    return case.sends(method=case.dice.choice([None, "", "CARD", "paypal", "card ", "us_bank_account,card", "hand"]))


def a_stored_method_that_is_none(case: Case) -> Fields:
    return case.sends(step="confirm", saved=case.dice.choice(["", "x" * 16, case.customer.id, None]))


TAMPERING: list[Callable[[Case], Fields]] = [
    an_amount, an_amount_twice, money_of_another_currency, an_older_version, before_a_credit_note,
    before_methods_changed, a_strangers_stamp, an_old_stamp, a_stamp_for_another_purpose, a_stamp_of_another_secret,
    a_letter_of_the_stamp, no_stamp, no_method, a_stored_method_that_is_none,
]  # fmt: skip
OF_SEVERAL = [another_currency, another_invoice, one_invoice_more, one_invoice_less, an_amount, an_older_version]


def secret_of(shop: Shop) -> str:
    assert shop.settings.secret_key
    return shop.settings.secret_key.get_secret_value()


def case_of(shop: Shop, dice: Dice, several: bool) -> Case:
    given = shop.given
    customer, stranger = (given.customer(shop.account, email_delivery=False) for _ in range(2))
    theirs = given.invoice(stranger)
    strangers = payer.opened(shop, payer.link_of(shop, theirs))
    invoices = [given.invoice(customer) for _ in range(2 if several else 1)]
    if several:
        ids = urlencode([("invoice", one.id) for one in invoices])
        tab = payer.opened(shop, payer.link_of_customer(shop, customer), f"?{ids}")
    else:
        tab = payer.opened(shop, payer.link_of(shop, invoices[0]))
    assert tab.stamp
    return Case(shop, dice, customer, invoices, tab, strangers, theirs)


def test_nothing_is_charged_for_a_form_that_was_tampered_with(shop: Shop) -> None:
    dice = random.Random(seed_of("tampered forms"))
    ways = [(way, False) for way in TAMPERING] + [(way, True) for way in OF_SEVERAL]
    seen: Counter[int] = Counter()
    began = time.monotonic()

    for n in range(scaled(TAMPERED, len(ways))):
        way, several = ways[n % len(ways)]
        case = case_of(shop, dice, several)
        fields = way(case)
        assert fields != case.sends() or way.__name__.startswith(("an_older", "before"))
        answer = shop.volley([case.tab.sent(urlencode(fields))])[0]
        seen[answer.status] += 1

        told = (way.__name__, fields, answer.status)
        assert answer.status < 500, told
        assert answer.status != 303, told
        assert shop.orders(*case.invoices, case.stranger) == [], told
        mine = Payment.select().where(Payment.customer.in_([case.customer.id, case.stranger.customer_id]))
        assert mine.where(Payment.gateway != "hand").count() == 0, told

    shop.say(
        f"{sum(seen.values())} forms tampered with in {len(ways)} ways in {time.monotonic() - began:.0f} s: "
        f"{dict(sorted(seen.items()))}, 0 charged"
    )


@pytest.mark.parametrize("several", [False, True])
def test_what_they_were_made_from_is_charged(shop: Shop, several: bool) -> None:
    case = case_of(shop, random.Random(1), several)

    assert shop.volley([case.tab.sent(urlencode(case.sends()))])[0].status == 303

    charges = shop.charges(*case.invoices)
    assert [row["amount"] for row in charges] == [sum(one.amount_due for one in case.invoices)]
    stamp = Stamps(secret_of(shop), "payment").stamp(
        case.strangers.stamp.rpartition("~")[0].partition(".")[2], int(time.time())
    )
    assert replace(case.strangers, stamp=stamp).pay("card").status == 303  # so an old one was refused for its age
