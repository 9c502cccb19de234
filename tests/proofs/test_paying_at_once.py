"""A hundred clicks on Pay at the same moment, in two tabs, by card and by ACH: one charge, and a clean answer to each.

Not part of `make test`; `make proofs` prints the figures.
"""

from __future__ import annotations

import random
import time
from collections import Counter

import pytest

from portal.models.payment import Payment
from tests.proofs import invariants, payer
from tests.proofs.shop import Shop, percentile, scaled

pytestmark = pytest.mark.proof

ROUNDS = 50
CLICKS = 100
P99_SECONDS = 2


def test_a_hundred_clicks_at_once_charge_once(shop: Shop) -> None:
    given, dice = shop.given, random.Random(1)
    customer = given.customer(shop.account, email_delivery=False)
    invoices = [given.invoice(customer) for _ in range(scaled(ROUNDS, 3))]
    seen: Counter[str] = Counter()
    took: list[float] = []
    charged: Counter[str] = Counter()
    began = time.monotonic()

    for invoice in invoices:
        url = payer.link_of(shop, invoice)
        below = f"{payer.link_of_customer(shop, customer)}invoices/{invoice.id}/"
        tabs = [payer.opened(shop, url), payer.opened(shop, below)]
        clicks = [dice.choice(tabs).click(dice.choice(["card", "us_bank_account"])) for _ in range(CLICKS)]
        answers = shop.volley(clicks)
        took += [answer.took for answer in answers]
        said = Counter(str(answer.status) for answer in answers)
        seen += said
        assert said["303"] == 1, said
        assert all(answer.status == 303 or answer.status in payer.CLEAN for answer in answers), said
        charges = shop.charges(invoice)
        assert len(charges) == len(shop.orders(invoice)) == 1, charges
        charged[charges[0]["method"]] += 1
        assert charges[0]["amount"] == invoice.amount_due

    p99 = percentile(took, 0.99)
    shop.say(
        f"{len(took):,} clicks in {len(invoices)} rounds of {CLICKS} in {time.monotonic() - began:.0f} s: "
        f"one charge each {dict(charged)}, {dict(sorted(seen.items()))}, p99 {p99:.2f} s"
    )
    mine = Payment.select().where(Payment.customer == customer, Payment.gateway == "sandbox")
    assert mine.count() == len(invoices)
    assert invariants.broken(shop, books=False) == []
    assert p99 < P99_SECONDS
