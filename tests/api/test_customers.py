"""Customers: every field, what changes and what stands, and the permanent link that each of them has."""

from __future__ import annotations

import threading
from typing import Any, get_args

import httpx
import pytest
from flask.testing import FlaskClient
from orb.types.shared.customer_tax_id import CustomerTaxID

from portal.app import create_app
from portal.config import Settings
from portal.domain import tax_ids
from portal.models.account import Account
from portal.models.base import db
from portal.models.customer import BalanceTransaction, Customer
from portal.models.link import Link
from portal.models.record import Record
from tests.api.conftest import Call, problem
from tests.conftest import Clock
from tests.given import Given
from tests.web.conftest import Queries

GOOD = {"name": "C", "email": "c@customer.example"}
EVERYTHING: dict[str, Any] = {
    "name": "Ünï & Söhne <GmbH>",
    "email": "ap@customer.example",
    "external_customer_id": "crm/7",
    "additional_emails": ["cc@customer.example", "cfo@customer.test"],
    "currency": "EUR",
    "timezone": "Europe/Berlin",
    "locale": "de-DE",
    "billing_address": {
        "line1": "Hauptstr. 1",
        "line2": "",
        "city": "Berlin",
        "state": None,
        "postal_code": "10115",
        "country": "DE",
    },
    "shipping_address": None,
    "tax_id": {"country": "DE", "type": "eu_vat", "value": "DE123456789"},
    "metadata": {"tier": "gold"},
    "auto_collection": True,
    "auto_issuance": False,
    "email_delivery": False,
    "permanent_portal_link": True,
    "payment_methods": ["bank_transfer", "card"],
    "payment_provider": "stripe_charge",
    "payment_provider_id": "cus_1",
    "payment_configuration": {
        "payment_providers": [
            {
                "provider_type": "stripe",
                "excluded_payment_method_types": ["card"],
                "default_shared_payment_token": None,
            }
        ]
    },
}
OURS_TO_SAY = {
    "id": "mine",
    "created_at": "1999-01-01T00:00:00+00:00",
    "balance": "1000000.00",
    "portal_url": "https://evil.example/",
    "hierarchy": {"parent_customer_id": "x", "child_customer_ids": []},
    "exempt_from_automated_tax": True,
    "automatic_tax_enabled": True,
    "default_payment_method": {"id": "pm"},
    "accounting_sync_configuration": {"excluded": True},
    "reporting_configuration": {"exempt": True},
    "tax_configuration": {"tax_provider": "avalara", "tax_exempt": True},
}


@pytest.fixture
def made(call: Call) -> dict[str, Any]:
    return call(
        "POST", "/customers", {**GOOD, "external_customer_id": "crm-1", "metadata": {"a": "1", "b": "2"}}
    ).get_json()


def test_everything_given_comes_back(call: Call) -> None:
    response = call("POST", "/customers", EVERYTHING)

    customer = response.get_json()
    assert response.status_code == 201
    assert {name: customer[name] for name in EVERYTHING} == EVERYTHING
    assert call("GET", f"/customers/{customer['id']}").get_json() == customer
    assert call("GET", "/customers/external_customer_id/crm%2F7").get_json() == customer
    assert call("GET", "/customers").get_json()["data"] == [customer]


def test_every_key_is_there_when_little_was_given(call: Call) -> None:
    customer = call("POST", "/customers", GOOD).get_json()

    assert customer == {
        "id": customer["id"],
        **GOOD,
        "external_customer_id": None,
        "additional_emails": [],
        "currency": None,
        "timezone": "Etc/UTC",
        "locale": None,
        "billing_address": None,
        "shipping_address": None,
        "tax_id": None,
        "metadata": {},
        "created_at": "2026-11-23T12:00:00+00:00",
        "balance": "0.00",
        "portal_url": customer["portal_url"],
        "permanent_portal_link": True,
        "payment_methods": None,
        "auto_collection": False,
        "auto_issuance": None,
        "email_delivery": True,
        "payment_provider": None,
        "payment_provider_id": None,
        "payment_configuration": None,
        "default_payment_method": None,
        "exempt_from_automated_tax": None,
        "automatic_tax_enabled": False,
        "hierarchy": {"children": [], "parent": None},
        "accounting_sync_configuration": None,
        "reporting_configuration": None,
    }


def test_what_is_ours_to_say_is_taken_without_effect(call: Call) -> None:
    plain = call("POST", "/customers", GOOD).get_json()
    dressed = call("POST", "/customers", {**GOOD, **OURS_TO_SAY}).get_json()

    assert {**dressed, "id": "", "portal_url": ""} == {**plain, "id": "", "portal_url": ""}
    assert dressed["id"] != "mine"
    assert call("PUT", f"/customers/{plain['id']}", OURS_TO_SAY).get_json() == plain


def test_what_was_fetched_can_be_sent_back(call: Call) -> None:
    customer = call("POST", "/customers", EVERYTHING).get_json()

    assert call("PUT", f"/customers/{customer['id']}", customer).get_json() == customer


def test_an_update_changes_what_it_names_and_nothing_else(call: Call) -> None:
    customer = call("POST", "/customers", EVERYTHING).get_json()

    changed = call("PUT", "/customers/external_customer_id/crm%2F7", {"name": "New", "billing_address": None})

    assert changed.get_json() == {**customer, "name": "New", "billing_address": None}


def test_null_empties_what_may_be_empty_and_leaves_the_rest(call: Call) -> None:
    given = {name: value for name, value in EVERYTHING.items() if name not in ("external_customer_id", "metadata")}
    customer = call("POST", "/customers", given).get_json()

    changed = call("PUT", f"/customers/{customer['id']}", dict.fromkeys(given)).get_json()

    stands = ("name", "email", "timezone", "auto_collection", "email_delivery", "permanent_portal_link")
    for name in given:
        empty = [] if name == "additional_emails" else None
        assert changed[name] == (customer[name] if name in stands else empty), name


@pytest.mark.parametrize(
    ("sent", "left"),
    [
        ({}, {"a": "1", "b": "2"}),
        ({"a": None}, {"b": "2"}),
        ({"a": "3", "c": "4"}, {"a": "3", "b": "2", "c": "4"}),
        ({"nothing": None}, {"a": "1", "b": "2"}),
        (None, {}),
    ],
)
def test_metadata_is_merged(call: Call, made: dict[str, Any], sent: Any, left: dict[str, str]) -> None:
    assert call("PUT", f"/customers/{made['id']}", {"metadata": sent}).get_json()["metadata"] == left


def test_changes_at_the_same_moment_all_count(live: str, acme_key: str, call: Call, made: dict[str, Any]) -> None:
    start = threading.Barrier(8)

    def put(n: int) -> None:
        start.wait()
        for m in range(5):
            url, headers = f"{live}/v1/customers/{made['id']}", {"Authorization": f"Bearer {acme_key}"}
            httpx.put(url, json={"metadata": {f"{n}-{m}": "set"}}, headers=headers, timeout=30).raise_for_status()

    threads = [threading.Thread(target=put, args=[n]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(call("GET", f"/customers/{made['id']}").get_json()["metadata"]) == 2 + 8 * 5


def test_the_timezone_stands(call: Call, made: dict[str, Any]) -> None:
    refused = call("PUT", f"/customers/{made['id']}", {"timezone": "Asia/Tokyo", "name": "New"})

    assert "timezone" in problem(refused, 400, "400-constraint-violation")
    assert call("GET", f"/customers/{made['id']}").get_json() == made
    assert call("PUT", f"/customers/{made['id']}", {"timezone": "Etc/UTC"}).get_json() == made


def test_an_external_id_is_set_once_and_belongs_to_one(call: Call, made: dict[str, Any]) -> None:
    other = call("POST", "/customers", GOOD).get_json()

    taken = [
        call("POST", "/customers", {**GOOD, "external_customer_id": "crm-1"}),
        call("PUT", f"/customers/{other['id']}", {"external_customer_id": "crm-1"}),
    ]
    set_once = call("PUT", f"/customers/{other['id']}", {"external_customer_id": "crm-2"})
    moved = call("PUT", f"/customers/{other['id']}", {"external_customer_id": "crm-3"})

    for response in taken:
        problem(response, 400, "400-duplicate-resource-creation")
    assert set_once.get_json()["external_customer_id"] == "crm-2"
    problem(moved, 400, "400-constraint-violation")


def test_the_database_has_the_last_word_on_an_external_id(
    call: Call, made: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.models.customer._refuse_taken", lambda *_: None)  # as in a race

    response = call("POST", "/customers", {**GOOD, "external_customer_id": "crm-1"})

    problem(response, 400, "400-duplicate-resource-creation")


def test_two_accounts_may_use_the_same_external_id(call: Call, made: dict[str, Any], bolt_key: str) -> None:
    theirs = call("POST", "/customers", {**GOOD, "external_customer_id": "crm-1"}, key=bolt_key)

    assert theirs.status_code == 201


def test_a_balance_keeps_its_currency(call: Call, acme: Account, given: Given, clock: Clock) -> None:
    customer = given.customer(acme, currency="JPY")
    with db.atomic():
        BalanceTransaction.move(customer.held(), 4000, "manual_adjustment", clock.now)

    assert call("GET", f"/customers/{customer.id}").get_json()["balance"] == "4000"
    for currency in ("USD", None):
        problem(call("PUT", f"/customers/{customer.id}", {"currency": currency}), 400, "400-constraint-violation")


def test_movements_of_one_moment_are_listed_as_they_were_made(
    call: Call, acme: Account, given: Given, clock: Clock
) -> None:
    customer = given.customer(acme, currency="USD")
    with db.atomic():
        for minor in (100, -30, 200, -500, 70, 1, -2, 3):
            BalanceTransaction.move(customer.held(), minor, "manual_adjustment", clock.now)

    rows = call("GET", f"/customers/{customer.id}/balance_transactions").get_json()["data"][::-1]

    assert [row["starting_balance"] for row in rows] == ["0.00", *(row["ending_balance"] for row in rows[:-1])]


def test_a_list_can_be_cut_by_the_moment_of_creation(call: Call, acme: Account, given: Given, clock: Clock) -> None:
    early = given.customer(acme).id
    clock.advance(days=1)
    late = given.customer(acme).id

    def ids(query: str) -> list[str]:
        return [row["id"] for row in call("GET", f"/customers?{query}").get_json()["data"]]

    assert ids("created_at[gte]=2026-11-24T12:00:00Z") == [late]
    assert ids("created_at[gt]=2026-11-23T12:00:00%2B00:00") == [late]
    assert ids("created_at[lt]=2026-11-24T13:00:00%2B01:00") == [early]
    assert ids("created_at[lte]=2026-11-23T12:00:00") == [early]
    assert ids("created_at[gte]=2026-11-24") == [late]
    assert ids("created_at[gt]=2026-11-24&created_at[lt]=2026-11-23") == []


def test_a_bound_is_compared_with_the_moment_that_answers_show(call: Call, given: Given, clock: Clock) -> None:
    clock.advance(milliseconds=400)
    made = call("POST", "/customers", GOOD).get_json()
    at = made["created_at"].replace("+", "%2B")

    found = {
        op: call("GET", f"/customers?created_at[{op}]={at}").get_json()["data"] for op in ("gt", "gte", "lt", "lte")
    }

    assert {op: bool(rows) for op, rows in found.items()} == {"gt": False, "gte": True, "lt": False, "lte": True}


def test_a_tax_id_is_of_a_country_and_a_kind_that_orbs_client_reads(call: Call) -> None:
    read = CustomerTaxID.model_fields
    assert set(tax_ids.COUNTRIES) == set(get_args(read["country"].annotation))
    assert set(tax_ids.TYPES) == set(get_args(read["type"].annotation))

    for country, kind in (("ZZ", "eu_vat"), ("DE", "de_vat")):
        answer = call("POST", "/customers", {**GOOD, "tax_id": {"country": country, "type": kind, "value": "1"}})
        problem(answer, 400, "400-request-validation-errors")


def test_the_permanent_link_opens_and_stays_the_same(call: Call, client: FlaskClient, made: dict[str, Any]) -> None:
    again = call("GET", f"/customers/{made['id']}").get_json()["portal_url"]

    assert made["portal_url"].startswith("http://127.0.0.1:8000/c/")
    assert len(made["portal_url"]) == len("http://127.0.0.1:8000/c//") + 73
    assert again == made["portal_url"]


def test_a_customer_who_is_to_have_no_permanent_link_gets_none(call: Call) -> None:
    made = call("POST", "/customers", {**GOOD, "permanent_portal_link": False}).get_json()

    assert made["portal_url"] is None
    assert Link.of_customer(made["id"]) is None


def test_taking_the_permission_away_hides_the_link_and_ends_nothing(call: Call, made: dict[str, Any]) -> None:
    hidden = call("PUT", f"/customers/{made['id']}", {"permanent_portal_link": False}).get_json()
    link = Link.of_customer(made["id"])
    shown = call("PUT", f"/customers/{made['id']}", {"permanent_portal_link": True}).get_json()

    assert hidden["portal_url"] is None
    assert link
    assert link.ended_at is None
    assert shown["portal_url"] == made["portal_url"]


def test_a_revoked_link_has_no_url(call: Call, made: dict[str, Any], clock: Clock) -> None:
    link = Link.of_customer(made["id"])
    assert link
    link.revoke(clock.now, by="test")

    assert call("GET", f"/customers/{made['id']}").get_json()["portal_url"] is None


def test_a_sessions_only_account_shows_no_url_for_anyone(
    call: Call, acme: Account, made: dict[str, Any], clock: Clock
) -> None:
    acme.configure({"customer_portal_sessions_only": True}, clock.now, by="test")

    new = call("POST", "/customers", GOOD).get_json()

    assert new["portal_url"] is None
    assert Link.of_customer(new["id"]) is None
    assert {row["portal_url"] for row in call("GET", "/customers").get_json()["data"]} == {None}
    assert Link.of_customer(made["id"])


def test_a_link_whose_key_is_gone_has_no_url(
    made: dict[str, Any], settings: Settings, clock: Clock, acme_key: str
) -> None:
    other_ring = settings.model_dump() | {"link_keys": "k2:QW5vdGhlciB0ZXN0IGtleSBvZiBrZXlzLCBub3QgazEh:active"}
    client = create_app(Settings(**other_ring), clock).test_client()

    response = client.get(f"/v1/customers/{made['id']}", headers={"Authorization": f"Bearer {acme_key}"})

    assert response.status_code == 200
    assert response.get_json()["portal_url"] is None


def test_a_list_of_many_asks_as_often_as_a_list_of_one(
    call: Call, acme: Account, given: Given, queries: Queries
) -> None:
    def asked() -> int:
        with queries() as made:
            call("GET", "/customers?limit=100")
        return len(made)

    given.customer(acme)
    one = asked()
    for _ in range(30):
        given.customer(acme)

    assert asked() == one == 3  # the key, the customers, their links


def test_who_did_it_is_on_record(call: Call, made: dict[str, Any]) -> None:
    call("PUT", f"/customers/{made['id']}", {"name": "New"})

    rows = Record.select().where(Record.subject == made["id"]).order_by(Record.deed)
    assert [row.deed for row in rows] == ["customer.changed", "customer.created"]
    assert {row.actor.split(":")[0] for row in rows} == {"api"}
    assert Customer.get_by_id(made["id"]).name == "New"
