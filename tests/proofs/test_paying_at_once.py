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
CHEQUE = '{"payment_received_date": "2026-11-20"}'


def test_a_hundred_clicks_at_once_charge_once(shop: Shop) -> None:
    given, dice = shop.given, random.Random(1)
    customers = [given.customer(shop.account, email_delivery=False) for _ in range(scaled(ROUNDS, 4))]
    invoices = [given.invoice(customer) for customer in customers]
    seen: Counter[int] = Counter()
    settled: Counter[str] = Counter()
    took: list[float] = []
    began = time.monotonic()

    for n, invoice in enumerate(invoices):
        below = f"{payer.link_of_customer(shop, customers[n])}invoices/{invoice.id}/"
        tabs = [payer.opened(shop, payer.link_of(shop, invoice)), payer.opened(shop, below)]
        clicks = [dice.choice(tabs).click(dice.choice(["card", "us_bank_account"])) for _ in range(CLICKS)]
        if n % 2:  # and the operator hears of a cheque, somewhere in between
            clicks[dice.randrange(CLICKS)] = shop.api("POST", f"/v1/invoices/{invoice.id}/mark_paid", CHEQUE)
        answers = shop.volley(clicks)
        took += [answer.took for answer in answers]
        said = Counter(answer.status for answer in answers)
        assert said[303] + said[200] == 1, said
        assert all(status in (303, 200) or status in payer.CLEAN for status in said), said
        charges = shop.charges(invoice)
        assert len(charges) == len(shop.orders(invoice)) == said[303], charges
        assert all(charge["amount"] == invoice.amount_due for charge in charges)
        settled[charges[0]["method"] if charges else "cheque"] += 1
        seen += said

    p99 = percentile(took, 0.99)
    shop.say(
        f"{len(took):,} clicks in {len(invoices)} rounds of {CLICKS} in {time.monotonic() - began:.0f} s: "
        f"each paid once {dict(settled)}, {dict(sorted(seen.items()))}, p99 {p99:.2f} s"
    )
    assert Payment.select().where(Payment.customer.in_(customers)).count() == len(invoices)
    assert invariants.unbooked(shop, invoices) == []
    assert invariants.broken(shop, books=False) == []
    assert p99 < P99_SECONDS
