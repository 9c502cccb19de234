"""Webhooks whose signature, body or time was changed: none of a hundred thousand is believed, and nothing is written.

Half of them are worded as the sandbox does, half as Stripe. Not part of `make test`; `make proofs` prints the figures.
"""

from __future__ import annotations

import json
import random
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from portal.gateways.stripe.news import PAYMENT_ID
from tests.proofs import invariants, letters, news
from tests.proofs.letters import CHANGES, Letter
from tests.proofs.news import Event, Story
from tests.proofs.shop import Shop, in_turn, percentile, scaled, seed_of
from tests.proofs.wire import Answer

pytestmark = pytest.mark.proof

FORGED = 50_000  # for each gateway
AT_ONCE = 8
HEADERS = {"sandbox": "Portal-Sandbox-Signature", "stripe": "Stripe-Signature"}


@dataclass
class Desk:
    """Where one gateway's webhooks come in, and what makes them genuine."""

    shop: Shop
    name: str
    secret: bytes
    genuine: Sequence[bytes]  # bodies that would change something

    def post(self, letter: Letter) -> Answer:
        headers = {letter.name or HEADERS[self.name]: letter.written.encode("utf-8").decode("latin-1")}
        return self.shop.call("POST", f"/webhooks/{self.name}", letter.body, **headers)

    def forge(self, seed: str) -> tuple[str, Answer]:
        """Signed at this moment, then changed: it is its change that it is refused for, and not its age."""
        dice = random.Random(seed)
        change = dice.choice(CHANGES)
        letter = letters.changed(change, dice.choice(self.genuine), self.secret, datetime.now(UTC), dice)
        return change.__name__, self.post(letter)


@contextmanager
def open_desk(shop: Shop, name: str, dice: random.Random) -> Iterator[Desk]:
    """A server that hears this gateway, and payments in its database that wait for its news."""
    found = news.stories(shop.given, shop.account, 100, dice, gateway=name)
    events = [event for story in found if story.payments for event in story.events]
    if name == "sandbox":
        yield Desk(shop, name, shop.webhook_secret, [json.dumps(event).encode() for event in events])
        return
    secret = f"whsec_{secrets.token_hex(16)}"
    keys = {"stripe_secret_key": "sk_test_1", "stripe_publishable_key": "pk_test_1"}
    with shop.beside(gateway="stripe", stripe_webhook_secrets=f"whsec_of_before,{secret}", **keys) as other:
        yield Desk(other, name, secret.encode(), [in_stripes_words(story) for story in found if story.payments])


def in_stripes_words(story: Story) -> bytes:
    """That its first payment has succeeded."""
    intent = {
        "id": f"pi_{story.payments[0]}", "object": "payment_intent", "amount": story.amount,
        "amount_received": story.amount, "currency": "usd", "status": "succeeded", "livemode": False,
        "payment_method_types": ["card"], "metadata": {PAYMENT_ID: story.payments[0]},
    }  # fmt: skip
    event: Event = {
        "id": f"evt_{story.payments[0]}", "object": "event", "api_version": "2025-01-01", "created": int(time.time()),
        "livemode": False, "type": "payment_intent.succeeded", "data": {"object": intent},
    }  # fmt: skip
    return json.dumps(event).encode()


@pytest.mark.parametrize("name", ["sandbox", "stripe"])
def test_no_forged_webhook_is_believed(shop: Shop, name: str) -> None:
    seed = seed_of(f"forged webhooks of {name}")
    with open_desk(shop, name, random.Random(seed)) as desk:
        before, began = invariants.contents(), time.monotonic()

        answers = in_turn(lambda n: desk.forge(f"{seed} {n}"), scaled(FORGED, 10 * len(CHANGES)), AT_ONCE)

        took, after = time.monotonic() - began, invariants.contents()
        ways = Counter(way for way, _ in answers)
        said = Counter((answer.status, answer.body.strip()) for _, answer in answers)
        shop.say(
            f"{len(answers):,} webhooks of {name} forged in {len(ways)} ways and posted in {took:.0f} s "
            f"({len(answers) / took:.0f}/s, p99 {percentile([one.took for _, one in answers], 0.99) * 1e3:.0f} ms): "
            f"{dict(said)}, {len(invariants.changed(before, after))} of {len(after)} tables changed"
        )
        assert len(ways) == len(CHANGES)
        assert {status for status, _ in said} == {400}
        assert not [text for _, text in said if "signed cannot be read" in text]  # that would have been believed
        assert invariants.changed(before, after) == []
        # And what they were made from is believed.
        assert desk.post(letters.genuine(desk.genuine[0], desk.secret, datetime.now(UTC))).status == 200
        assert invariants.changed(before, invariants.contents()) != []
