"""A transfer names account, amount and invoices; a QR code says the same as EPC069-12 has it, or there is none."""

from __future__ import annotations

import re
from typing import Any

import pytest
import segno
from flask import Flask, render_template
from hypothesis import given
from hypothesis import strategies as st

from portal.documents.bank_transfer import Code, epc, reference, transfers

EURO = {
    "currency": "EUR",
    "holder": "Acme GmbH",
    "iban": "DE89370400440532013000",
    "account_number": None,
    "routing_number": None,
    "bic": "COBADEFFXXX",
}
DOLLAR = {
    "currency": "USD",
    "holder": "Acme, Inc.",
    "iban": None,
    "account_number": "000123456789",
    "routing_number": "021000021",
    "bic": None,
}
SWISS = {**EURO, "iban": "CH9300762011623852957", "bic": "POFICHBEXXX"}
TURKISH = {**EURO, "iban": "TR330006100519786457841326", "bic": "AKBKTRISXXX"}
NUMBER = "ABCDEF-00001"


def payload(words: str = NUMBER, amount: int = 4050, **changes: Any) -> str | None:
    return epc({**EURO, **changes}, words, amount)


def test_the_details_of_the_account_in_the_currency_are_named() -> None:
    (euro,) = transfers([DOLLAR, EURO], [NUMBER], 4050, "EUR")
    (dollar,) = transfers([DOLLAR, EURO], [NUMBER], 4050, "USD")

    assert (euro.holder, euro.iban, euro.bic) == ("Acme GmbH", "DE89 3704 0044 0532 0130 00", "COBADEFFXXX")
    assert (euro.amount, euro.currency, euro.reference) == (4050, "EUR", NUMBER)
    assert (dollar.account_number, dollar.routing_number, dollar.iban) == ("000123456789", "021000021", None)
    assert dollar.code is None


def test_several_accounts_in_one_currency_are_all_named_and_none_of_another() -> None:
    assert [one.iban[:2] for one in transfers([EURO, DOLLAR, SWISS], [NUMBER], 1, "EUR") if one.iban] == ["DE", "CH"]
    assert transfers([EURO, DOLLAR], [NUMBER], 1, "GBP") == []


def test_a_sort_code_is_written_in_pairs() -> None:
    bank = {**DOLLAR, "currency": "GBP", "routing_number": "202015"}

    assert transfers([bank], [NUMBER], 1, "GBP")[0].routing_number == "20-20-15"


# The reference.


def test_the_reference_names_every_invoice_while_there_is_room() -> None:
    assert reference([NUMBER]) == NUMBER
    assert reference([NUMBER, "ABCDEF-00002"]) == "ABCDEF-00001, ABCDEF-00002"
    assert reference([]) == ""


def test_what_has_no_room_in_the_reference_is_counted() -> None:
    words = reference([f"ABCDEF-{n:05}" for n in range(1, 31)])

    assert words.startswith("ABCDEF-00001, ABCDEF-00002, ")
    assert words.endswith("ABCDEF-00009 +21")


@given(st.lists(st.text(min_size=1, max_size=150), max_size=40))
def test_a_reference_is_never_longer_than_a_transfer_takes(numbers: list[str]) -> None:
    words = reference(numbers)

    assert len(words) <= 140
    assert bool(words) == bool(numbers)


# What the QR code says.


def test_a_payload_is_that_of_the_standard() -> None:
    assert payload() == "\n".join(
        [
            "BCD",
            "002",
            "1",
            "SCT",
            "COBADEFFXXX",
            "Acme GmbH",
            "DE89370400440532013000",
            "EUR40.50",
            "",
            "",
            NUMBER,
        ]
    )


@pytest.mark.parametrize(
    ("changes", "line", "said"),
    [
        ({"bic": None}, 4, ""),
        ({"holder": " Söhne & Töchter 株式会社 "}, 5, "Söhne & Töchter 株式会社"),
        ({"iban": "DE89 3704 0044 0532 0130 00"}, 6, "DE89370400440532013000"),
        ({"amount": 1}, 7, "EUR0.01"),
        ({"amount": 99_999_999_999}, 7, "EUR999999999.99"),
        ({"words": "x" * 140}, 10, "x" * 140),
        ({"holder": "x" * 70}, 5, "x" * 70),
        ({"iban": SWISS["iban"], "bic": SWISS["bic"]}, 6, SWISS["iban"]),
    ],
)
def test_a_payload_says_what_is_given(changes: dict[str, Any], line: int, said: str) -> None:
    found = payload(**changes)

    assert found is not None
    assert found.split("\n")[line] == said
    assert len(found.split("\n")) == 11


@pytest.mark.parametrize(
    "changes",
    [
        {"currency": "CHF"},
        {"iban": None},
        {"iban": "DE88370400440532013000"},
        {"iban": TURKISH["iban"], "bic": TURKISH["bic"]},
        {"iban": SWISS["iban"], "bic": None},
        {"holder": "x" * 71},
        {"holder": " "},
        {"holder": "Acme\nDE89370400440532013000"},
        {"holder": "客" * 70, "words": "客" * 60},
        {"words": "x" * 141},
        {"words": ""},
        {"words": "A-1\u2028A-2"},
        {"words": "\n"},
        {"amount": 0},
        {"amount": -4050},
        {"amount": 100_000_000_000},
    ],
    ids=str,
)
def test_what_the_scheme_does_not_carry_has_no_code(changes: dict[str, Any]) -> None:
    assert payload(**changes) is None


@given(st.integers(-10, 10**12), st.text(max_size=80), st.text(max_size=150))
def test_whatever_is_given_a_code_is_small_enough_or_absent(amount: int, holder: str, words: str) -> None:
    found = payload(words, amount, holder=holder)

    assert found is None or (len(found.encode()) <= 331 and len(found.split("\n")) == 11)


# The picture.


def modules(code: Code) -> list[list[int]]:
    """The squares that the path paints."""
    painted = [[0] * code.size for _ in range(code.size)]
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", code.path):
        for column in range(int(x), int(x) + int(width)):
            painted[int(y)][column] = 1
    return painted


def test_the_picture_is_the_librarys_matrix_with_white_around_it() -> None:
    said = payload() or ""
    code = Code.of(said)
    drawn = segno.make(said.encode(), error="m", boost_error=False, micro=False)

    assert re.fullmatch(r"(M\d+ \d+h\d+v1h-\d+z)+", code.path)
    assert code.size == drawn.symbol_size(border=4)[0]
    assert [row[4:-4] for row in modules(code)[4:-4]] == [list(row) for row in drawn.matrix]
    assert sum(map(sum, modules(code))) == sum(map(sum, drawn.matrix))


def test_the_largest_code_is_of_version_13() -> None:
    largest = payload("ü" * 90, holder="x" * 70)

    assert largest is not None
    assert 300 < len(largest.encode()) <= 331
    assert Code.of(largest).size == 69 + 2 * 4


# What is read.


@pytest.fixture
def shown(app: Flask) -> Any:
    def show(*banks: dict[str, Any], currency: str = "EUR") -> str:
        with app.test_request_context("/i/x/"):
            found = transfers(banks, [NUMBER], 4050, currency)
            return render_template("payment/_bank_transfer.html", transfers=found)

    return show


def test_the_page_says_all_of_it_as_text(shown: Any) -> None:
    html = shown(EURO, {**SWISS, "holder": "<b>Acme</b>"})

    for text in ("Acme GmbH", "DE89 3704 0044 0532 0130 00", "COBADEFFXXX", "€40.50", NUMBER, "CH93 0076"):
        assert text in html
    assert "&lt;b&gt;Acme" in html
    assert "Any one of these accounts" in html
    assert html.count('role="img" aria-label="QR code') == 2
    assert "style=" not in html


def test_where_there_is_no_code_the_page_asks_nobody_to_scan(shown: Any) -> None:
    html = shown(DOLLAR, currency="USD")

    assert "Routing number" in html
    assert "021000021" in html
    assert "svg" not in html
    assert "Scan" not in html
