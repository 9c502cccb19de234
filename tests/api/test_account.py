"""The account's settings over the API: each is taken as it should be, and refused in a sentence as it should not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from portal.app import create_app
from portal.config import Settings
from portal.models.account import Account
from portal.models.record import Record
from tests.api.conftest import Call
from tests.conftest import Clock

IBAN = {"currency": "EUR", "holder": "Acme GmbH", "iban": "DE89 3704 0044 0532 0130 00", "bic": "cobadeffxxx"}
ABA = {"currency": "USD", "holder": "Acme Inc", "account_number": "000123-456789", "routing_number": "021000021"}
ADDRESS = {"line1": "1 Main St", "line2": None, "city": "Ulm", "state": None, "postal_code": None, "country": "DE"}


def patched(call: Call, **settings: Any) -> dict[str, Any]:
    answer = call("PATCH", "/account", settings)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.json == call("GET", "/account").json
    return dict(answer.json)


def test_an_account_begins_with_its_defaults(call: Call, acme: Account) -> None:
    assert call("GET", "/account").json == {
        "id": acme.id,
        "created_at": "2026-11-23T12:00:00+00:00",
        "mode": "test",
        "number_prefix": acme.number_prefix,
        "name": "Acme",
        "company": {"name": None, "address": None, "tax_id": None},
        "support_email": "help@acme.example",
        "accent_color": "#0b5cad",
        "timezone": "Etc/UTC",
        "memo": None,
        "footer": None,
        "embed_origins": [],
        "payment_methods": [],  # until there is a gateway or a bank account
        "payment_method_limits": {},
        "save_payment_method": "off",
        "partial_payments": {"allowed": False, "minimum": None},
        "bank_accounts": [],
        "reminders": [],
        "invoice_link_days_after_due": 30,
        "refreshed_link_days": 60,
        "hide_voided_invoices": False,
        "hide_zero_quantity_lines": False,
        "customer_portal_sessions_only": False,
        "logo": None,
    }


@pytest.mark.parametrize(
    ("setting", "given", "kept"),
    [
        ("name", "Acme & Söhne 客户", "Acme & Söhne 客户"),
        ("support_email", "billing@acme.example", "billing@acme.example"),
        ("support_email", None, None),
        ("accent_color", "#AbCdEf", "#abcdef"),
        ("timezone", "Asia/Kathmandu", "Asia/Kathmandu"),
        ("memo", "Two\nlines", "Two\nlines"),
        ("memo", None, None),
        ("footer", "", ""),
        ("payment_methods", ["sepa_debit"], ["sepa_debit"]),
        ("payment_methods", [], []),
        (
            "payment_method_limits",
            {"card": {"maximum": "5000.00"}},
            {"card": {"minimum": None, "maximum": "5000.00"}},
        ),
        ("save_payment_method", "required", "required"),
        ("partial_payments", {"allowed": True, "minimum": "10.50"}, {"allowed": True, "minimum": "10.50"}),
        ("partial_payments", {"allowed": True}, {"allowed": True, "minimum": None}),
        ("reminders", [14, -3, 0], [-3, 0, 14]),
        ("invoice_link_days_after_due", 0, 0),
        ("refreshed_link_days", 3650, 3650),
        ("hide_voided_invoices", True, True),
        ("hide_zero_quantity_lines", True, True),
    ],
)
def test_a_setting_is_kept(call: Call, setting: str, given: Any, kept: Any) -> None:
    assert patched(call, **{setting: given})[setting] == kept


@pytest.mark.parametrize(
    ("setting", "given", "sentence"),
    [
        ("name", "", "name must not be empty"),
        ("name", " ", "name must not be blank"),
        ("name", None, "name must not be null"),
        ("name", "x" * 201, "at most 200"),
        ("name", "a\nb", "one line"),
        ("support_email", "help", "must be an e-mail address"),
        ("accent_color", "blue", "#rrggbb"),
        ("accent_color", "#fff", "#rrggbb"),
        ("accent_color", "#0b5cad;}", "#rrggbb"),
        ("accent_color", "#0b5cad\n", "#rrggbb"),
        ("accent_color", None, "must not be null"),
        ("timezone", "Mars/Olympus", "IANA"),
        ("timezone", "../../etc/passwd", "IANA"),
        ("memo", 5, "memo must be text"),
        ("memo", "x" * 5001, "at most 5000"),
        ("company", {"phone": "1"}, "company.phone is not known here"),
        ("company", {"address": "1 Main St"}, "company.address must be an object"),
        ("company", {"tax_id": {"country": "Germany", "type": "eu_vat", "value": "1"}}, "two capital letters"),
        ("company", [], "company must be an object"),
        ("payment_methods", ["cash"], "card, us_bank_account, sepa_debit, bank_transfer"),
        ("payment_methods", ["card", "card"], "each once"),
        ("payment_method_limits", {"cash": {}}, "must be 'card', 'us_bank_account', 'sepa_debit' or 'bank_transfer'"),
        ("payment_method_limits", {"card": {"maximum": 5}}, "must be an amount as text"),
        ("payment_method_limits", {"card": {"maximum": "-5"}}, "must not be negative"),
        ("payment_method_limits", {"card": {"minimum": "6", "maximum": "5"}}, "at most its maximum"),
        ("save_payment_method", "always", "must be 'off', 'optional' or 'required'"),
        ("partial_payments", {"minimum": "-1"}, "must not be negative"),
        ("partial_payments", {"allowed": "yes"}, "must be true or false"),
        ("reminders", [1, 1], "each day once"),
        ("reminders", [1.0], "must be a whole number"),
        ("reminders", [True], "must be a whole number"),
        ("reminders", ["1"], "must be a whole number"),
        ("reminders", [366], "must be 365 or less"),
        ("reminders", [-61], "must be -60 or more"),
        ("reminders", list(range(21)), "at most 20"),
        ("reminders", 5, "must be a list"),
        ("invoice_link_days_after_due", -1, "must be 0 or more"),
        ("invoice_link_days_after_due", 3651, "must be 3650 or less"),
        ("refreshed_link_days", 0, "must be 1 or more"),
        ("refreshed_link_days", 10**40, "must be 3650 or less"),
        ("refreshed_link_days", "60", "must be a whole number"),
        ("hide_voided_invoices", 1, "must be true or false"),
        ("hide_zero_quantity_lines", None, "must not be null"),
        ("customer_portal_sessions_only", "true", "sessions only is turned on once"),
        ("customer_portal_sessions_only", None, "sessions only is turned on once"),
        ("last_number", 7, "last_number is not known here"),
        ("closed_at", None, "closed_at is not known here"),
        ("account_id", "x", "account_id is not known here"),
    ],
)
def test_a_setting_is_refused_in_a_sentence(call: Call, setting: str, given: Any, sentence: str) -> None:
    before = call("GET", "/account").json

    answer = call("PATCH", "/account", {"memo": "never kept", setting: given})

    assert answer.status_code == 400, answer.json
    assert sentence in answer.json["detail"]
    assert setting in answer.json["detail"]
    assert call("GET", "/account").json == before


def test_the_company_is_changed_part_by_part(call: Call) -> None:
    tax_id = {"country": "DE", "type": "eu_vat", "value": "DE123456789"}
    patched(call, company={"name": "Acme GmbH", "address": {"line1": "1 Main St", "city": "Ulm", "country": "DE"}})

    company = patched(call, company={"tax_id": tax_id})["company"]
    assert company == {"name": "Acme GmbH", "address": ADDRESS, "tax_id": tax_id}

    assert patched(call, company={"name": None})["company"] == {"name": None, "address": ADDRESS, "tax_id": tax_id}
    assert patched(call, company=None)["company"] == {"name": None, "address": None, "tax_id": None}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://app.example.com", "https://app.example.com"),
        ("https://APP.Example.com", "https://app.example.com"),
        ("https://app.example.com:8443", "https://app.example.com:8443"),
        ("https://app.example.com:443", "https://app.example.com"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://203.0.113.7", "https://203.0.113.7"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("http://localhost", "http://localhost"),
        ("http://localhost:*", "http://localhost:*"),
        ("http://127.0.0.1:*", "http://127.0.0.1:*"),
    ],
)
def test_an_origin_is_kept_in_its_one_spelling(call: Call, given: str, kept: str) -> None:
    assert patched(call, embed_origins=[given, given])["embed_origins"] == [kept]


NOT_ORIGINS = [
    "*", "https://*", "https://*.example.com", "null", "", "app.example.com", "https://", "https://a.example/",
    "https://a.example/x", "https://a.example?x", "https://a.example#x", "https://u@a.example", "https://u:p@a.example",
    "https://a.example:0", "https://a.example:65536", "https://a.example:x", "https://a.example:",
    "https://a b.example", "https://localhost:*", "https://a.example:*", "http://localhost:**", "http://*:3000",
    "https://a.example; script-src *", "https://a.example\nX: y", "https://a.example\r\n", "\thttps://a.example",
    "https://a.example,https://b.example", "https://a..example", "https://-a.example", "https://a_b.example",
    "https://bücher.example", "https://a.example.", "https://[::1]", "https://[::1", "ftp://a.example",
    "http://a.example", "http://localhost.a.example", "http://127.0.0.2:1", "data:text/html,x", "javascript:alert(1)",
    "'self'", "https:", "https:a.example", "//a.example", "https://a.example:443:443", "https://a.example:4٣",
    "https://a.example:+1", "https://a.example: 1", "https://a.example:00443", "https://a.example\\@b", "https://%61.example",
]  # fmt: skip


@pytest.mark.parametrize("origin", NOT_ORIGINS)
def test_what_is_no_exact_origin_is_refused(call: Call, origin: str) -> None:
    answer = call("PATCH", "/account", {"embed_origins": ["https://ok.example", origin]})

    assert answer.status_code == 400
    assert (
        "embed_origins.1 must be an exact https origin" in answer.json["detail"] or "control" in answer.json["detail"]
    )
    assert call("GET", "/account").json["embed_origins"] == []


@pytest.mark.parametrize("given", ["https://a.example", [1], [None], [["https://a.example"]], None, {"a": "b"}])
def test_origins_are_a_list_of_text(call: Call, given: Any) -> None:
    assert call("PATCH", "/account", {"embed_origins": given}).status_code == 400


def test_loopback_is_no_origin_of_a_house_in_the_open(
    call: Call, settings: Settings, clock: Clock, acme_key: str, tmp_path: Path
) -> None:
    client = create_app(settings.model_copy(update={"base_url": "https://pay.example.com"}), clock).test_client()

    def status(origin: str) -> int:
        headers = {"Authorization": f"Bearer {acme_key}"}
        return client.patch("/v1/account", json={"embed_origins": [origin]}, headers=headers).status_code

    assert status("http://localhost:3000") == status("http://127.0.0.1") == status("http://localhost:*") == 400
    assert status("https://app.example.com") == 200


def test_bank_accounts_are_kept_in_one_spelling(call: Call) -> None:
    kept = patched(call, bank_accounts=[IBAN, ABA])["bank_accounts"]

    none = dict.fromkeys(("iban", "account_number", "routing_number", "bic"))
    assert kept == [
        {**none, **IBAN, "iban": "DE89370400440532013000", "bic": "COBADEFFXXX"},
        {**none, **ABA, "account_number": "000123456789"},
    ]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"iban": "DE88370400440532013000"}, "bank_accounts.0.iban must be an IBAN"),
        ({"iban": "DE8937040044053201300"}, "bank_accounts.0.iban must be an IBAN"),
        ({"iban": "XX89370400440532013000"}, "bank_accounts.0.iban must be an IBAN"),
        ({"iban": "x" * 5000}, "bank_accounts.0.iban must be an IBAN"),
        ({"iban": "ＤＥ89370400440532013000"}, "bank_accounts.0.iban must be an IBAN"),
        ({"bic": "COBADE"}, "bank_accounts.0.bic must be a BIC"),
        ({"iban": None}, "must have an iban, or an account_number and a routing_number"),
        ({"account_number": "12345678"}, "must have an iban, or an account_number and a routing_number"),
        ({"iban": None, "account_number": "12345678"}, "must have an iban, or an account_number and a routing_number"),
        ({"iban": None, "account_number": "1", "routing_number": "021000021"}, "4 to 34"),
        ({"iban": None, "account_number": "12345678", "routing_number": "12"}, "6 to 12 digits"),
        (
            {"currency": "USD", "iban": None, "account_number": "12345678", "routing_number": "021000022"},
            "right check digit",
        ),
        ({"currency": "XXX"}, "ISO 4217"),
        ({"holder": ""}, "bank_accounts.0.holder must not be empty"),
        ({"swift": "x"}, "bank_accounts.0.swift is not known here"),
    ],
)
def test_a_bank_account_is_refused_in_a_sentence(call: Call, change: dict[str, Any], sentence: str) -> None:
    answer = call("PATCH", "/account", {"bank_accounts": [{**IBAN, **change}]})

    assert answer.status_code == 400
    assert sentence in answer.json["detail"]


def test_a_local_account_elsewhere_needs_no_aba_check_digit(call: Call) -> None:
    sort_code = {"currency": "GBP", "holder": "Acme Ltd", "account_number": "12345678", "routing_number": "20-20-15"}

    assert patched(call, bank_accounts=[sort_code])["bank_accounts"][0]["routing_number"] == "202015"


class Gateway:
    """One that charges cards in any currency, and American bank accounts."""

    def __init__(self, *, live: bool = False) -> None:
        self.live = live

    def serves(self, method: str, currency: str) -> bool:
        return method == "card" or (method, currency) == ("us_bank_account", "USD")

    def minimum(self, currency: str) -> int:
        return 50


def test_until_methods_are_chosen_they_are_those_that_can_be_served(call: Call, app: Flask) -> None:
    assert patched(call, bank_accounts=[IBAN])["payment_methods"] == ["bank_transfer"]

    app.extensions["portal"].gateway = Gateway()
    assert patched(call)["payment_methods"] == ["card", "us_bank_account", "bank_transfer"]
    assert patched(call, bank_accounts=[])["payment_methods"] == ["card", "us_bank_account"]

    app.extensions["portal"].gateway = Gateway(live=True)  # and the account is in test mode
    assert patched(call)["payment_methods"] == []


def test_methods_that_are_chosen_stay_chosen_whoever_can_serve_them(call: Call) -> None:
    for chosen in (["sepa_debit", "card"], [], ["card", "us_bank_account", "bank_transfer"]):
        assert patched(call, payment_methods=chosen)["payment_methods"] == chosen


def test_methods_that_are_set_to_null_are_the_default_again(call: Call) -> None:
    patched(call, bank_accounts=[IBAN], payment_methods=["card"])

    assert patched(call, payment_methods=None)["payment_methods"] == ["bank_transfer"]


def test_sessions_only_is_turned_on_for_ever(call: Call) -> None:
    assert patched(call, customer_portal_sessions_only=False)["customer_portal_sessions_only"] is False
    assert patched(call, customer_portal_sessions_only=True)["customer_portal_sessions_only"] is True
    assert patched(call, customer_portal_sessions_only=True)["customer_portal_sessions_only"] is True

    answer = call("PATCH", "/account", {"customer_portal_sessions_only": False, "memo": "lost"})

    assert answer.status_code == 400
    assert answer.json["type"].endswith("#400-constraint-violation")
    assert "cannot be turned off" in answer.json["detail"]
    assert call("GET", "/account").json["customer_portal_sessions_only"] is True
    assert call("GET", "/account").json["memo"] is None


def test_a_change_is_written_down_once_and_by_name(call: Call, acme: Account) -> None:
    patched(call, memo="Thanks", footer=None)
    patched(call, memo="Thanks")
    patched(call)

    records = list(Record.select().where(Record.account_id == acme.id, Record.deed == "account.changed"))

    assert [record.detail for record in records] == [{"changed": ["memo"]}]
    assert records[0].actor.startswith("api:")


def test_settings_are_the_accounts_own(call: Call, bolt_key: str) -> None:
    patched(call, memo="Acme's")

    assert call("GET", "/account", key=bolt_key).json["memo"] is None
    assert call("GET", "/account", key=None).status_code == 401
    assert call("PATCH", "/account", {"memo": "x"}, key=None).status_code == 401


def test_what_an_account_is_cannot_be_changed(call: Call, acme: Account) -> None:
    account = patched(call, id="other", mode="live", number_prefix="AAAAAA", created_at="2000-01-01", logo=None)

    assert (account["id"], account["mode"], account["number_prefix"]) == (acme.id, "test", acme.number_prefix)


def test_what_was_read_can_be_sent_back(call: Call) -> None:
    patched(call, bank_accounts=[IBAN], company={"address": ADDRESS}, payment_method_limits={"card": {"minimum": "1"}})
    account = call("GET", "/account").json

    assert patched(call, **account) == account
