"""Webhooks whose signature, body or time was changed: none of a hundred thousand is believed, and nothing is written.

Not part of `make test`; `make proofs` prints the figures.
"""

from __future__ import annotations

import hmac
import json
import random
import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from portal.config import Settings
from portal.gateways import Gateway, Unsigned, open_gateway
from tests.proofs import invariants, news
from tests.proofs.shop import Shop, in_turn, scaled, seed_of

pytestmark = pytest.mark.proof

FORGED = 100_000
OVER_HTTP = 3_000  # of each database's
TOLERANCE_SECONDS = 300
HEADERS = {"sandbox": "Portal-Sandbox-Signature", "stripe": "Stripe-Signature"}
Dice = random.Random


@dataclass
class Letter:
    """A webhook as it is posted."""

    body: bytes
    at: int  # epoch seconds of its signature
    signature: str  # hexadecimal
    secret: bytes
    header: str | None = None  # None: as it should be
    name: str | None = None

    @property
    def written(self) -> str:
        return f"t={self.at},v1={self.signature}" if self.header is None else self.header

    def sign(self, secret: bytes | None = None) -> None:
        text = f"{self.at}.".encode() + self.body
        self.signature = hmac.digest(secret or self.secret, text, "sha256").hex()


# The ways to change one.


def a_letter_of_the_signature(letter: Letter, dice: Dice) -> None:
    at = dice.randrange(64)
    other = dice.choice([c for c in "0123456789abcdef" if c != letter.signature[at]])
    letter.signature = letter.signature[:at] + other + letter.signature[at + 1 :]


def another_signature(letter: Letter, dice: Dice) -> None:
    letter.signature = f"{dice.getrandbits(256):064x}"


def the_signature_cut_or_longer(letter: Letter, dice: Dice) -> None:
    cut = letter.signature[: dice.randrange(64)]
    letter.signature = dice.choice([cut, letter.signature + dice.choice("0ag;"), letter.signature * 2])


def another_secret(letter: Letter, dice: Dice) -> None:
    letter.sign(dice.randbytes(dice.choice([0, 1, 32, 64])) or b"x")


def the_secret_of_nothing(letter: Letter, dice: Dice) -> None:
    letter.sign(dice.choice([b"secret", b"whsec_test", b"None", b"\0" * 32, b"sandbox webhooks"]))


def another_scheme(letter: Letter, dice: Dice) -> None:
    letter.header = f"t={letter.at},{dice.choice(['v0', 'v2', 'V0', 'v11', 'v', ''])}={letter.signature}"


def without_a_part(letter: Letter, dice: Dice) -> None:
    letter.header = dice.choice(
        [f"t={letter.at}", f"v1={letter.signature}", "", ",", "t=,v1=", f"{letter.at},{letter.signature}", "t=1,v1=1"]
    )


def no_header(letter: Letter, dice: Dice) -> None:
    letter.name = dice.choice(["X-Signature", "Authorization", "Signature"])


def another_time(letter: Letter, dice: Dice) -> None:
    """The time was moved, and the signature is of the old one."""
    letter.at += dice.choice([-1, 1]) * dice.randrange(1, TOLERANCE_SECONDS)


def too_old_or_too_new(letter: Letter, dice: Dice) -> None:
    """Genuine, and sent again too late; or from a clock that is ahead."""
    letter.at += dice.choice([-1, 1]) * dice.randrange(TOLERANCE_SECONDS + 60, 10**7)
    letter.sign()


def a_time_that_is_none(letter: Letter, dice: Dice) -> None:
    text = dice.choice(["now", "-1", "0x10", "1e9", "99999999999999999999", " 1", "٣", f"{letter.at}.0", "NaN", ""])
    letter.header = f"t={text},v1={letter.signature}"


def a_byte_of_the_body(letter: Letter, dice: Dice) -> None:
    at = dice.randrange(len(letter.body))
    letter.body = letter.body[:at] + bytes([letter.body[at] ^ 1 << dice.randrange(8)]) + letter.body[at + 1 :]


def more_or_less_of_the_body(letter: Letter, dice: Dice) -> None:
    at = dice.randrange(len(letter.body))
    letter.body = dice.choice([letter.body[:at], letter.body + b" ", b" " + letter.body, letter.body * 2, b""])


def the_same_said_otherwise(letter: Letter, dice: Dice) -> None:
    said = json.loads(letter.body)
    letter.body = dice.choice(
        [
            json.dumps(said, indent=1),
            json.dumps(said, separators=(",", ":")),
            json.dumps(said | {"extra": dice.random()}),
        ]
    ).encode()


def another_amount(letter: Letter, dice: Dice) -> None:
    said = json.loads(letter.body)
    (said["data"].get("object") if said.get("object") == "event" else said["data"])["amount"] = dice.randrange(
        5000, 10**6
    )
    letter.body = json.dumps(said).encode()


def the_body_of_another(letter: Letter, dice: Dice) -> None:
    letter.body = letter.body.replace(b"evt_", b"evt_%d" % dice.randrange(10**6))


CHANGES: list[Callable[[Letter, Dice], None]] = [
    a_letter_of_the_signature, another_signature, the_signature_cut_or_longer, another_secret, the_secret_of_nothing,
    another_scheme, without_a_part, no_header, another_time, too_old_or_too_new, a_time_that_is_none,
    a_byte_of_the_body, more_or_less_of_the_body, the_same_said_otherwise, another_amount, the_body_of_another,
]  # fmt: skip


def genuine(body: bytes, secret: bytes, now: datetime) -> Letter:
    letter = Letter(body, int(now.timestamp()), "", secret)
    letter.sign()
    return letter


def changed(change: Callable[[Letter, Dice], None], body: bytes, secret: bytes, now: datetime, dice: Dice) -> Letter:
    """A letter that differs from the genuine one."""
    before = genuine(body, secret, now)
    while True:
        letter = genuine(body, secret, now)
        change(letter, dice)
        if (letter.body, letter.written, letter.name) != (before.body, before.written, None):
            return letter


def believed(gateway: Gateway, letter: Letter, now: datetime) -> bool:
    headers: Mapping[str, str] = {letter.name or HEADERS[gateway.name]: letter.written}
    try:
        gateway.read(headers, letter.body, now)
    except Unsigned:
        return False
    return True


def gateway_called(name: str, secret: bytes) -> Gateway:
    settings = Settings(
        gateway="sandbox" if name == "sandbox" else "stripe",
        secret_key=secrets.token_hex(32),
        stripe_secret_key="sk_test_1",
        stripe_publishable_key="pk_test_1",
        stripe_webhook_secrets=(SecretStr("whsec_of_before"), SecretStr(secret.decode())),
    )
    gateway = open_gateway(name, settings)
    assert gateway is not None
    if name == "sandbox":
        setattr(gateway, "_webhook_secret", secret)  # noqa: B010 - the contract has no such thing
    return gateway


def bodies(name: str, dice: Dice, count: int = 50) -> list[bytes]:
    """News as each gateway words it."""
    told = news.Story("cus_1", ["inv_1"])
    for _ in range(count):
        told.pay(told.payment(), "succeeded")
    if name == "sandbox":
        return [json.dumps(event).encode() for event in told.events]
    return [
        json.dumps(
            {
                "id": event["id"], "object": "event", "api_version": "2025-01-01", "created": event["at"] // 10**6,
                "livemode": False, "type": "payment_intent.succeeded",
                "data": {"object": {"id": event["data"]["ref"], "object": "payment_intent", "amount": 4000,
                         "amount_received": 4000, "currency": "usd", "status": "succeeded", "livemode": False,
                         "metadata": {"payment_id": event["data"]["payment_id"]}}},
            }
        ).encode()
        for event in told.events
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["sandbox", "stripe"])
def test_no_forged_webhook_is_believed(name: str) -> None:
    dice = random.Random(seed_of(f"forged webhooks of {name}"))
    secret, now = b"whsec_" + secrets.token_hex(16).encode(), datetime.now(UTC)
    gateway, said = gateway_called(name, secret), bodies(name, dice)
    assert all(believed(gateway, genuine(body, secret, now), now) for body in said)
    tried, accepted, began = Counter[str](), [], time.monotonic()

    for change in CHANGES:
        for _ in range(-(-scaled(FORGED, 1600) // len(CHANGES))):
            letter = changed(change, dice.choice(said), secret, now, dice)
            tried[change.__name__] += 1
            if believed(gateway, letter, now):
                accepted.append((change.__name__, letter))

    print(
        f"\n  {sum(tried.values()):,} webhooks of {name} forged in {len(tried)} ways, {len(accepted)} believed, "
        f"{time.monotonic() - began:.0f} s",
        end="",
        flush=True,
    )
    assert accepted == []
    assert all(believed(gateway, genuine(body, secret, now), now) for body in said)


def test_no_forged_webhook_changes_anything(shop: Shop) -> None:
    dice = random.Random(seed_of("forged webhooks over HTTP"))
    found = news.stories(shop.given, shop.account, 100, dice)
    said = [json.dumps(event).encode() for story in found for event in story.events]
    letters = []
    for n in range(scaled(OVER_HTTP, 160)):
        change = CHANGES[n % len(CHANGES)]
        letters.append(changed(change, dice.choice(said), shop.webhook_secret, datetime.now(UTC), dice))
    before, began = invariants.contents(), time.monotonic()

    answers = in_turn(lambda n: post(shop, letters[n]), len(letters))

    seen = Counter(answer.status for answer in answers)
    shop.say(f"{len(letters):,} forged webhooks posted in {time.monotonic() - began:.0f} s {dict(seen)}")
    assert seen == {400: len(letters)}
    assert invariants.changed(before, invariants.contents()) == []
    one = found[0].events[0]
    assert news.post(shop, one).status == 200
    assert invariants.changed(before, invariants.contents()) != []


def post(shop: Shop, letter: Letter) -> news.Answer:
    headers = {letter.name or HEADERS["sandbox"]: letter.written.encode("utf-8").decode("latin-1")}
    return shop.call("POST", news.PATH, letter.body, **headers)
