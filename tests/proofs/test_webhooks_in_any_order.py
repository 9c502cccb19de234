"""Ten thousand webhooks come twice and in any order, through many connections at once: what is true then is the same.

Not part of `make test`; `make proofs` prints the figures.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from tests.proofs import invariants, news
from tests.proofs.shop import Shop, in_turn, percentile, scaled, seed_of

pytestmark = pytest.mark.proof

SEEDS = 5
EVENTS = 10_000  # each told twice
AT_ONCE = 8


@pytest.mark.parametrize("nth", range(SEEDS))
def test_webhooks_in_any_order_and_twice_come_to_what_was_told(shop: Shop, nth: int) -> None:
    dice = random.Random(seed_of(f"webhooks {nth + 1} of {SEEDS}"))
    found = news.stories(shop.given, shop.account, scaled(EVENTS), dice)
    events = [event for story in found for event in story.events] * 2
    dice.shuffle(events)
    began = time.monotonic()

    answers = in_turn(lambda n: news.post(shop, events[n]), len(events), AT_ONCE)

    took = time.monotonic() - began
    seen = Counter(answer.status for answer in answers)
    tried = news.try_again(shop, datetime.now(UTC) + timedelta(days=1))
    wrong = news.differences(found)
    p99 = percentile([answer.took for answer in answers], 0.99)
    shop.say(
        f"{len(events) // 2:,} webhooks twice about {sum(len(one.payments) for one in found):,} payments in "
        f"{took:.0f} s ({len(events) / took:.0f}/s, p99 {p99 * 1e3:.0f} ms) {dict(seen)}, {tried} that had to wait, "
        f"{len(wrong)} differences from the oracle"
    )
    assert seen == {200: len(events)}
    assert wrong == []
    assert invariants.broken(shop, books=False) == []
