"""Where money can be transferred, how much, and with which words it finds its invoices; in euros also as a QR code.

Nothing here watches the bank account: the operator records what has come.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import segno
from stdnum import iban as ibans

from portal.domain import money

# Source: EPC069-12 (Quick Response Code: guidelines to enable data capture for SEPA credit transfers), version 2.1.
LONGEST_NAME = 70
LONGEST_WORDS = 140
LARGEST_PAYLOAD = 331  # bytes, so that level M needs version 13 at most
AMOUNTS = range(1, 99_999_999_999 + 1)  # cents
# Source: EPC409-09 (countries of the SEPA schemes). Outside the European Economic Area a BIC has to stand beside.
_EEA = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"
_BEYOND = "AD AL CH GB GI MC MD ME MK RS SM VA"
EEA = frozenset(_EEA.split())
SEPA = EEA | frozenset(_BEYOND.split())

GROUP = 4  # letters of an IBAN that are written together
QUIET = 4  # modules that have to stay white around a QR code


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code to be drawn: `path` are its dark modules, in a square of `size` modules with the white around it."""

    payload: str
    size: int
    path: str

    @classmethod
    def of(cls, payload: str) -> Self:
        drawn = segno.make_qr(payload, error="m", boost_error=False, encoding="utf-8")
        rows = [bytes(row) for row in drawn.matrix_iter(border=QUIET)]
        return cls(payload, len(rows), "".join(_runs(rows)))


@dataclass(frozen=True, slots=True)
class Transfer:
    """What a payer copies into her bank's form."""

    holder: str
    iban: str | None  # in groups of four
    account_number: str | None
    routing_number: str | None  # where the currency is GBP: the sort code
    bic: str | None
    currency: str
    amount: int
    reference: str
    code: Code | None


def transfers(banks: Sequence[Mapping[str, Any]], numbers: Sequence[str], amount: int, currency: str) -> list[Transfer]:
    """One for each of the account's `bank_accounts` in `currency`; `numbers` are those of the invoices to be paid."""
    words = reference(numbers)
    return [_transfer(bank, words, amount, currency) for bank in banks if bank["currency"] == currency]


def reference(numbers: Sequence[str]) -> str:
    """The invoices' numbers, as many as a transfer has room for; of the rest it is said how many they are."""
    for left_out in range(len(numbers)):
        more = f" +{left_out}" if left_out else ""
        words = ", ".join(numbers[: len(numbers) - left_out]) + more
        if len(words) <= LONGEST_WORDS:
            return words
    return "".join(numbers[:1])[:LONGEST_WORDS]


def epc(bank: Mapping[str, Any], words: str, amount: int) -> str | None:
    """What a QR code for a SEPA credit transfer says, or None where the scheme has none for this."""
    holder, iban, bic = bank["holder"].strip(), ibans.compact(bank.get("iban") or ""), bank.get("bic") or ""
    country = iban[:2]
    served = bank["currency"] == "EUR" and ibans.is_valid(iban) and country in SEPA and (bic or country in EEA)
    fits = 0 < len(holder) <= LONGEST_NAME and 0 < len(words) <= LONGEST_WORDS and amount in AMOUNTS
    lines = ["BCD", "002", "1", "SCT", bic, holder, iban, f"EUR{money.wire(amount, 'EUR')}", "", "", words]
    payload = "\n".join(lines)
    whole = len(f"{payload}.".splitlines()) == len(lines) and len(payload.encode()) <= LARGEST_PAYLOAD
    return payload if served and fits and whole else None


def _transfer(bank: Mapping[str, Any], words: str, amount: int, currency: str) -> Transfer:
    iban, payload = bank.get("iban"), epc(bank, words, amount)
    return Transfer(
        holder=bank["holder"],
        iban=_grouped(iban, GROUP) if iban else None,
        account_number=bank.get("account_number"),
        routing_number=_routing(bank.get("routing_number"), currency),
        bic=bank.get("bic"),
        currency=currency,
        amount=amount,
        reference=words,
        code=Code.of(payload) if payload else None,
    )


def _routing(number: str | None, currency: str) -> str | None:
    """British sort codes are written 20-20-15."""
    return _grouped(number, 2, "-") if number and currency == "GBP" and len(number) == 6 else number


def _grouped(text: str, size: int, between: str = " ") -> str:
    return between.join(text[start : start + size] for start in range(0, len(text), size))


def _runs(rows: Sequence[bytes]) -> Iterator[str]:
    """Path data: each run of dark modules in a row as one rectangle."""
    for y, row in enumerate(rows):
        x = 0
        while (x := row.find(1, x)) >= 0:
            end = row.find(0, x)  # the last module is white
            yield f"M{x} {y}h{end - x}v1h-{end - x}z"
            x = end
