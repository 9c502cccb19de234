"""The proofs about money have teeth: without its guards they go red; of several that hold alike one is enough.

Not part of `make test`; `make proofs` prints the figures.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tests.proofs import invariants, unrest
from tests.proofs.shop import opened
from tests.proofs.unrest import Unrest

pytestmark = pytest.mark.proof

SECONDS = 12  # of unrest


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
