"""The proofs about money have teeth: without its guards they go red; of several that hold alike one is enough.

Not part of `make test`; `make proofs` prints the figures.
"""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests.proofs import invariants, unrest
from tests.proofs.shop import opened
from tests.proofs.unrest import Unrest

pytestmark = pytest.mark.proof

EVENTS = 120  # of the gateway, so much unrest there is


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
    began = time.monotonic()
    with opened(kind, tmp_path, changes=["boxed", *changes]) as shop:
        now = Unrest(shop, unrest.pool(shop, 600), changes, {**unrest.FAULTS, **faults})
        now.go(random.Random(1), events=EVENTS)
        now.reconcile(unrest.latest(shop))

        wrong = invariants.broken(shop)

        shop.say(
            f"{' and '.join([*changes, *faults])}, {time.monotonic() - began:.0f} s: {len(wrong)} invariants broken "
            f"{[one[:200] for one in wrong]}"
        )
        assert [one for one in wrong if missed and missed in one] if missed else wrong == []
