"""Web and worker are killed again and again, and the gateway does not answer one call in five: no money is lost.

Not part of `make test`; `make proofs` prints the figures.
"""

from __future__ import annotations

import random
import time
from datetime import timedelta
from pathlib import Path

import pytest

from portal.models.payment import Payment
from tests.proofs import invariants, unrest
from tests.proofs.shop import opened, scaled, seed_of
from tests.proofs.unrest import Unrest

pytestmark = pytest.mark.proof

KILLS = 200
INVOICES = 800  # more than anybody gets around to


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_no_money_is_lost_while_processes_are_killed(kind: str, tmp_path: Path) -> None:
    chance, began = random.Random(seed_of("kills")), time.monotonic()
    with opened(kind, tmp_path) as shop:
        customers = [shop.given.customer(shop.account) for _ in range(10)]
        pool = [shop.given.invoice(customers[n % 10]) for n in range(scaled(INVOICES, 150))]
        now = Unrest(shop, pool)
        now.go(scaled(KILLS, 30), chance)

        took, live = time.monotonic() - began, unrest.live()
        later = unrest.latest()
        deeds = now.reconcile(later)
        wrong = invariants.broken(shop)
        before = invariants.contents()
        again = now.reconcile(later + timedelta(minutes=20))
        changes = invariants.changed(before, invariants.contents())

        charged = sum(row["stage"] == "succeeded" for row in shop.charges())
        shop.say(
            f"{dict(now.killed)} killed in {took:.0f} s, {dict(sorted(now.seen.items()))}; workers said "
            f"{dict(now.deeds())}; {live} payments were open, "
            f"{deeds} deeds of reconciliation; {Payment.select().count()} payments, {charged} charges, "
            f"{len(wrong)} of {invariants.count()} invariants broken; a second reconciliation: {again} deeds, "
            f"{len(changes)} tables changed"
        )
        assert wrong == []
        assert (again, changes) == (0, [])
        assert not [what for what in now.seen if "500" in what], now.seen
        assert charged > sum(now.killed.values()) / 4
