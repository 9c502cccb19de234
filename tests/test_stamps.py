"""Stamps: what a form was made for, and when; nothing but our own text, of the same purpose and not too old, is one."""

from __future__ import annotations

import pytest

from portal.stamps import Stamps
from portal.tokens import BadToken

NOON = 1_800_000_000  # seconds since 1970
SECRET = "a secret that only the tests know 0123456789"


@pytest.fixture
def stamps() -> Stamps:
    return Stamps(SECRET, "payment")


@pytest.mark.parametrize("text", ["", "of this.and that", "ü~.~"])
def test_what_was_stamped_is_read_for_as_long_as_it_may_be(stamps: Stamps, text: str) -> None:
    stamped = stamps.stamp(text, NOON)

    assert stamps.unstamp(stamped, NOON, 60) == text
    assert stamps.unstamp(stamped, NOON + 60, 60) == text
    for moment in (NOON + 61, NOON - 1):
        with pytest.raises(BadToken):
            stamps.unstamp(stamped, moment, 60)


def test_a_stamp_is_good_for_its_purpose_and_its_secret_only(stamps: Stamps) -> None:
    stamped = stamps.stamp("text", NOON)

    for others in (Stamps(SECRET, "methods"), Stamps(SECRET + "!", "payment")):
        with pytest.raises(BadToken):
            others.unstamp(stamped, NOON, 60)


def test_no_other_spelling_of_a_stamp_is_one(stamps: Stamps) -> None:
    stamped = stamps.stamp("text", NOON)

    for place in range(len(stamped)):
        for letter in "A-_=~.é":
            other = stamped[:place] + letter + stamped[place + 1 :]
            if other != stamped:
                with pytest.raises(BadToken):
                    stamps.unstamp(other, NOON, 60)
    for other in (stamped + "=", stamped[:-1], "", "~", f"{NOON}.text~", stamped + "\n"):
        with pytest.raises(BadToken):
            stamps.unstamp(other, NOON, 60)
