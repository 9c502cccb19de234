"""The official SDK, unmodified and strict, against a real server."""

from __future__ import annotations

from typing import Any

import orb as sdk
import pytest
from orb import Orb


def test_the_client_pings(orb: Orb) -> None:
    assert orb.top_level.ping().response == "pong"


def test_a_customer_comes_back_as_she_was_given(orb: Orb) -> None:
    address = {"line1": "1 Main St", "city": "New York", "state": "NY", "postal_code": "10001", "country": "US"}
    made = orb.customers.create(
        name="Ünï Ltd",
        email="ap@customer.example",
        external_customer_id="crm-1",
        additional_emails=["cc@customer.example"],
        billing_address=address,  # type: ignore[arg-type]  # a plain dict, as most callers write it
        currency="USD",
        metadata={"tier": "gold"},
        tax_id={"country": "DE", "type": "eu_vat", "value": "DE123456789"},
        timezone="America/New_York",
        payment_configuration={"payment_providers": [{"provider_type": "stripe"}]},
    )

    fetched = orb.customers.fetch(made.id)

    assert fetched == made
    assert made.name == "Ünï Ltd"
    assert made.timezone == "America/New_York"
    assert made.balance == "0.00"
    assert made.metadata == {"tier": "gold"}
    assert made.billing_address
    assert made.billing_address.line2 is None
    assert made.hierarchy.children == []
    assert made.portal_url
    assert made.portal_url.startswith("http://127.0.0.1:8000/c/")


def test_excluded_payment_methods_are_kept_as_the_client_sends_them(orb: Orb) -> None:
    stripe: Any = {"provider_type": "stripe", "excluded_payment_method_types": ["card", "link"]}
    made = orb.customers.create(
        name="C", email="c@customer.example", payment_configuration={"payment_providers": [stripe]}
    )

    assert made.payment_configuration
    assert made.payment_configuration.payment_providers
    assert made.payment_configuration.payment_providers[0].excluded_payment_method_types == ["card", "link"]

    stripe["excluded_payment_method_types"] = []
    changed = orb.customers.update(made.id, payment_configuration={"payment_providers": [stripe]})

    assert changed == orb.customers.fetch(made.id)
    assert changed.payment_configuration
    assert changed.payment_configuration.payment_providers
    assert changed.payment_configuration.payment_providers[0].excluded_payment_method_types == []


@pytest.mark.parametrize(
    "external_id",
    ["plain", "a/b", "/a//b/", "?x=1&y=2", "100%", "%2F", "ümläut 客户", "a b+c", "#x", "a..b", "a;b,c:d@e"],
)
def test_any_external_id_finds_its_customer(orb: Orb, external_id: str) -> None:
    made = orb.customers.create(name="C", email="c@customer.example", external_customer_id=external_id)

    assert orb.customers.fetch_by_external_id(external_id).id == made.id
    assert orb.customers.update_by_external_id(external_id, name="D").name == "D"
    assert orb.customers.fetch(made.id).external_customer_id == external_id


def test_a_list_is_read_to_its_end_newest_first(orb: Orb) -> None:
    made = [orb.customers.create(name=f"C{n}", email="c@customer.example").id for n in range(5)]

    listed = [customer.id for customer in orb.customers.list(limit=2)]

    assert sorted(listed) == sorted(made)
    assert len(listed) == 5


def test_items_are_made_listed_and_fetched(orb: Orb) -> None:
    item = orb.items.create(name="API calls", metadata={"sku": "1"})

    assert orb.items.fetch(item.id) == item
    assert [row.id for row in orb.items.list()] == [item.id]
    assert item.archived_at is None


def test_each_refusal_has_the_class_that_the_client_knows(orb: Orb, live: str) -> None:
    orb.customers.create(name="C", email="c@customer.example", external_customer_id="taken")
    refused: list[tuple[type[Exception], Any]] = [
        (sdk.RequestValidationError, lambda: orb.customers.create(name="", email="c@customer.example")),
        (
            sdk.DuplicateResourceCreation,
            lambda: orb.customers.create(name="C", email="c@customer.example", external_customer_id="taken"),
        ),
        (sdk.ResourceNotFound, lambda: orb.customers.fetch("nobody")),
        (sdk.URLNotFound, lambda: orb.get("/nothing", cast_to=object)),
        (sdk.OrbAuthenticationError, lambda: Orb(api_key="wrong", base_url=f"{live}/v1").top_level.ping()),
    ]

    for kind, ask in refused:
        with pytest.raises(kind):
            ask()
