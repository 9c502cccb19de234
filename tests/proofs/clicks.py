"""Many clicks on Pay at the same moment, in two tabs, by card and by ACH: what came of them, and what is wrong."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from portal.models.payment import Payment
from tests.proofs import payer
from tests.proofs.shop import Shop
from tests.proofs.wire import Answer

METHODS = ("card", "us_bank_account")
CHEQUE = '{"payment_received_date": "2026-11-20"}'


@dataclass(frozen=True)
class Round:
    """One invoice that everybody wants to pay."""

    amount: int
    answers: list[Answer]
    charges: list[str]  # the method of each that the gateway made
    amounts: set[int]  # that it charged
    orders: int  # all that it was ever asked for
    payments: int  # of ours, a cheque too

    @property
    def said(self) -> Counter[int]:
        return Counter(answer.status for answer in self.answers)

    def wrong(self) -> list[str]:
        """What must not be: no charge or several, anything but one yes, an answer that is not clean."""
        said = self.said
        checks = {
            f"{len(self.charges)} charges, {self.orders} orders": len(self.charges) == self.orders == said[303],
            f"{said[303] + said[200]} were told that they had paid": said[303] + said[200] == 1,
            f"{self.payments} payments": self.payments == 1,
            f"charged {self.amounts} for {self.amount}": self.amounts <= {self.amount},
            f"answers {dict(said)}": all(status in (200, 303) or status in payer.CLEAN for status in said),
        }
        return [what for what, holds in checks.items() if not holds]


def clicked(
    shop: Shop, clicks: int, dice: random.Random, *, cheque: bool = False, ways: Sequence[str] = METHODS
) -> Round:
    """So many clicks; with a `cheque` the operator hears of one, somewhere in between."""
    customer = shop.given.customer(shop.account, email_delivery=False)
    invoice = shop.given.invoice(customer)
    below = f"{payer.link_of_customer(shop, customer)}invoices/{invoice.id}/"
    tabs = [payer.opened(shop, payer.link_of(shop, invoice)), payer.opened(shop, below)]
    methods = [ways[n % len(ways)] for n in range(clicks)]
    dice.shuffle(methods)
    requests = [dice.choice(tabs).click(method) for method in methods]
    if cheque:
        requests.insert(dice.randrange(clicks), shop.api("POST", f"/v1/invoices/{invoice.id}/mark_paid", CHEQUE))
    answers = shop.volley(requests)
    charges = shop.charges(invoice)
    return Round(
        amount=invoice.amount_due,
        answers=answers,
        charges=[row["method"] for row in charges],
        amounts={row["amount"] for row in charges},
        orders=len(shop.orders(invoice)),
        payments=Payment.select().where(Payment.customer == customer).count(),
    )
