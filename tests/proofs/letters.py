"""Webhooks as gateways sign them, and the ways to change one: its signature, its body or its time."""

from __future__ import annotations

import hmac
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

TOLERANCE_SECONDS = 300
Dice = random.Random


@dataclass
class Letter:
    """A webhook as it is posted."""

    body: bytes
    at: int  # epoch seconds of its signature
    signature: str  # hexadecimal
    secret: bytes
    header: str | None = None  # None: as it should be
    name: str | None = None  # of the header, likewise

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
    letter.name = dice.choice(["X-Signature", "Authorization", "Signature", "Webhook-Signature"])


def several_signatures(letter: Letter, dice: Dice) -> None:
    """As while secrets are changed, and none of them is right; or the right one is of another scheme."""
    wrong = [f"{dice.getrandbits(256):064x}" for _ in range(3)]
    schemes = [f"v1={one}" for one in wrong] + dice.choice([[], [f"v0={letter.signature}"]])
    letter.header = f"t={letter.at},{','.join(dice.sample(schemes, len(schemes)))}"


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
    another_scheme, without_a_part, no_header, several_signatures, another_time, too_old_or_too_new,
    a_time_that_is_none, a_byte_of_the_body, more_or_less_of_the_body, the_same_said_otherwise, another_amount,
    the_body_of_another,
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
