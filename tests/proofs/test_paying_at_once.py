"""A hundred clicks on Pay at the same moment, in two tabs, by card and by ACH: one charge, and a clean answer to each.

Not part of `make test`; `make proofs` prints the figures.
"""

from __future__ import annotations

import random
import time
from collections import Counter

import pytest

from portal.models.invoice import Invoice
from tests.proofs import invariants
from tests.proofs.clicks import clicked
from tests.proofs.shop import SCALE, Shop, percentile, scaled

pytestmark = pytest.mark.proof

ROUNDS = 50
CHEQUES = 10  # rounds more, in which an operator records a cheque meanwhile
CLICKS = 100
P99_SECONDS = 2


@pytest.mark.parametrize(("cheque", "whole"), [(False, ROUNDS), (True, CHEQUES)])
def test_a_hundred_clicks_at_once_charge_once(shop: Shop, cheque: bool, whole: int) -> None:
    dice, began = random.Random(whole), time.monotonic()

    rounds = [clicked(shop, CLICKS, dice, cheque=cheque) for _ in range(scaled(whole))]

    took = [answer.took for one in rounds for answer in one.answers]
    seen = sum((one.said for one in rounds), Counter[int]())
    settled = Counter(",".join(one.charges) or "cheque" for one in rounds)
    p99 = percentile(took, 0.99)
    shop.say(
        f"{len(took):,} requests in {len(rounds)} rounds of {CLICKS} clicks{' and a cheque' if cheque else ''} in "
        f"{time.monotonic() - began:.0f} s: each paid once {dict(settled)}, {dict(sorted(seen.items()))}, "
        f"p99 {p99:.2f} s"
    )
    assert [one.wrong() for one in rounds if one.wrong()] == []
    assert cheque or all(len(one.charges) == 1 for one in rounds)
    assert invariants.unbooked(shop, list(Invoice.select())) == []
    assert invariants.broken(shop, books=False) == []
    assert p99 < P99_SECONDS or SCALE < 1  # of a trial beside other work speed is not asked
