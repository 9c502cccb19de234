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

KILLS = 100  # of the web's processes, and as many of workers
CUSTOMERS = 20
INVOICES = 2000  # more than anybody gets around to
AT_WORK = 0.6  # of those who were killed, at least, held something open
EACH = 0.05  # at least, had asked the gateway, and as many had begun a transaction


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_no_money_is_lost_while_processes_are_killed(kind: str, tmp_path: Path) -> None:
    chance, began = random.Random(seed_of("kills")), time.monotonic()
    with opened(kind, tmp_path, changes=("boxed",)) as shop:
        now = Unrest(shop, unrest.pool(shop, scaled(INVOICES, 300), CUSTOMERS))
        kills = now.go(chance, kills=scaled(KILLS, 12))

        took, live = time.monotonic() - began, unrest.live()
        later = unrest.latest(shop)
        deeds = now.reconcile(later)
        wrong = invariants.broken(shop)
        before = invariants.contents()
        again = now.reconcile(later + timedelta(minutes=20))
        changes = invariants.changed(before, invariants.contents())

        charged = sum(row["stage"] == "succeeded" for row in shop.charges())
        met = {kind: dict(met) for kind, met in kills.met.items()}
        shop.say(
            f"{dict(kills.killed)} killed in {took:.0f} s, which met {met}, workers being about {dict(kills.within)}; "
            f"{dict(sorted(now.seen.items()))}; workers said {dict(now.deeds())}; {live} payments were open, {deeds} "
            f"deeds of reconciliation; {Payment.select().count()} payments, {charged} charges, {len(wrong)} of "
            f"{invariants.count()} invariants broken; a second reconciliation: {again} deeds, {len(changes)} tables "
            f"changed; {time.monotonic() - began:.0f} s"
        )
        assert kills.too_tame(AT_WORK, EACH) == []
        assert wrong == []
        assert (again, changes) == (0, [])
        assert not [what for what in now.seen if "500" in what], now.seen
        assert charged > sum(kills.killed.values()) / 4
