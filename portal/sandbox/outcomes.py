"""How payments end here: whoever pays chooses, and a saved method remembers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ONLY_IN = {"us_bank_account": "USD", "sepa_debit": "EUR"}
MICRO_DEPOSITS = (32, 45)  # minor units


@dataclass(frozen=True, slots=True)
class Outcome:
    """First an action of the payer, if any; then days of processing, if any; then the end."""

    label: str
    action: Literal["page", "micro_deposits"] | None = None
    settles_later: bool = False
    failure: str | None = None  # None: it succeeds
    returned: bool = False  # it succeeds, and is taken back
    stays: bool = False  # days do not pass by themselves: it is on its way until it is told to settle
    saved_as: str | None = None  # what a saved method remembers, where that is another outcome
    expires: str | None = None


def _card(digits: str, expires: str = "2034-12", **more: str) -> Outcome:
    return Outcome(f"Visa ending in {digits}", expires=expires, **more)  # type: ignore[arg-type]  # texts, all of them


def _account(label: str) -> dict[str, Outcome]:
    return {
        "settles": Outcome(label, settles_later=True),
        "fails": Outcome(label, settles_later=True, failure="insufficient_funds"),
        "returned": Outcome(label, settles_later=True, returned=True),
        "stays": Outcome(label, settles_later=True, stays=True),
    }


OUTCOMES: dict[str, dict[str, Outcome]] = {
    "card": {
        "4242": _card("4242"),
        "0002": _card("0002", failure="declined"),
        "9995": _card("9995", failure="insufficient_funds"),
        "0069": _card("0069", expires="2020-01", failure="expired_card"),
        "3155": _card("3155", action="page"),
        "0341": _card("0341", saved_as="0002"),  # pays once, and is declined ever after
    },
    "us_bank_account": {
        **_account("Bank account ending in 6789"),
        "micro_deposits": Outcome(
            "Bank account ending in 6789", action="micro_deposits", settles_later=True, saved_as="settles"
        ),
    },
    "sepa_debit": _account("Bank account ending in 3000"),
}
DEFAULTS = {"card": "4242", "us_bank_account": "settles", "sepa_debit": "settles"}


def outcome(method: str, code: str) -> Outcome:
    return OUTCOMES[method][code]
