"""The proofs about money have teeth: without its guards they go red; of several that hold alike one is enough.

Not part of `make test`; `make proofs` prints the figures.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from portal.models import guards
from portal.models.base import is_postgresql, rows, run
from tests import programs
from tests.proofs import invariants, payer, unrest
from tests.proofs.shop import Shop, opened
from tests.proofs.unrest import Unrest

pytestmark = pytest.mark.proof

INDEX = "allocation_one_live_an_invoice"
TRIGGER = "allocation_kept_insert"
ROUNDS = 3
CLICKS = 60
SECONDS = 12  # of unrest


def clicked(shop: Shop, rounds: int = ROUNDS) -> tuple[list[int], int]:
    """How many charges each round of simultaneous clicks came to, and how many answers were 5xx."""
    charges, broken = [], 0
    for _ in range(rounds):
        invoice = shop.given.invoice(shop.given.customer(shop.account, email_delivery=False))
        tabs = [payer.opened(shop, payer.link_of(shop, invoice)) for _ in range(2)]
        answers = shop.volley([tabs[n % 2].click("card") for n in range(CLICKS)])
        charges.append(len(shop.charges(invoice)))
        broken += sum(answer.status >= 500 for answer in answers)
    assert programs.wait_until(lambda: not shop.told("SELECT id FROM delivery"))  # nobody is in a transaction now
    return charges, broken


@contextmanager
def without(*guarded: str) -> Iterator[None]:
    """The database without these guards of its own."""
    catalogue = "SELECT indexdef FROM pg_indexes WHERE indexname = ?"
    made = rows(catalogue if is_postgresql() else "SELECT sql FROM sqlite_master WHERE name = ?", INDEX)[0][0]
    for name in guarded:
        on = " ON allocation" if is_postgresql() and name == TRIGGER else ""
        run(f"DROP {'INDEX' if name == INDEX else 'TRIGGER'} {name}{on}")
    yield
    if INDEX in guarded:
        run(made)
    if guarded:
        guards.install()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_each_guard_against_paying_twice_holds_alone_and_without_them_the_proof_goes_red(
    kind: str, tmp_path: Path
) -> None:
    twice, both = {}, f"{INDEX} {TRIGGER}"
    with opened(kind, tmp_path) as shop:
        for changes in ([], ["no_look"], ["no_lock"]):
            if changes:
                shop.start(*changes)
            for gone in ((), (INDEX,), (TRIGGER,), (INDEX, TRIGGER)):
                with without(*gone):
                    charges, broken = clicked(shop)
                name = " ".join([*changes, *gone]) or "whole"
                if charges != [1] * ROUNDS:
                    twice[name] = charges
                # Without locks what was read is stale when it comes to writing, and some databases say so.
                assert broken == 0 or changes == ["no_lock"], (name, broken)
        shop.say(f"charges for one invoice with guards taken away: {twice}, otherwise 1")
    # Without locks SQLite still refuses whoever looked before somebody else wrote. PostgreSQL does not, and its trigger
    # cannot see what others have not committed: there the index alone holds.
    unlocked = {f"no_lock {INDEX}", f"no_lock {both}"} if kind == "postgres" else set()
    assert set(twice) == {f"no_look {both}"} | unlocked
    assert max(max(charges) for charges in twice.values()) > 1


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
@pytest.mark.parametrize(
    ("changes", "faults", "missed"),
    [
        (["dies"], {}, None),  # what goes wrong in the others, with nothing taken away
        ([], {"timeout_rate": 0.6, "hold": True}, None),
        (["new_key"], {"timeout_rate": 0.6, "hold": True}, "nothing is charged twice"),
        (["dies", "told_first"], {}, "what an event told has come true"),
    ],
)
def test_the_proof_of_kills_goes_red(
    kind: str, changes: list[str], faults: dict[str, Any], missed: str | None, tmp_path: Path
) -> None:
    with opened(kind, tmp_path) as shop:
        shop.start(*changes)
        now = Unrest(shop, unrest.pool(shop, 300), changes, {**unrest.FAULTS, **faults})
        now.go(0, random.Random(1), SECONDS)
        now.reconcile(unrest.latest(shop))

        wrong = invariants.broken(shop)

        shop.say(f"{' and '.join([*changes, *faults])}: {len(wrong)} invariants broken {[one[:200] for one in wrong]}")
        assert [one for one in wrong if missed and missed in one] if missed else wrong == []
