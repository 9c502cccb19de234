"""A customer belongs to one account, has one external id in it, and arrives with a permanent link."""

from __future__ import annotations

import peewee
import pytest

from portal.models import moments
from portal.models.base import db
from portal.models.customer import Customer, Taken
from portal.models.link import Link
from portal.models.record import Record


def test_a_new_customer_comes_with_a_permanent_link_and_both_are_recorded(acme, given):
    customer = given.customer(acme)

    link = Link.of_customer(customer.id)
    assert (link.kind, link.expires_at, link.token_exp) == ("customer", None, 0)
    about = Record.select().where(Record.subject.in_([customer.id, link.id]))
    assert {row.deed for row in about} == {"customer.created", "link.created"}


def test_a_customer_who_is_to_have_no_permanent_link_gets_none(acme, given):
    assert Link.of_customer(given.customer(acme, permanent_portal_link=False).id) is None


def test_taking_the_permanent_link_away_for_the_future_leaves_the_one_there_is(acme, given, clock):
    customer = given.customer(acme)

    customer.change({"permanent_portal_link": False}, clock.now, "test")

    assert Link.of_customer(customer.id) is not None


def test_a_customer_lives_in_the_accounts_time_zone_unless_she_says_otherwise(acme, given, clock):
    acme.configure({"timezone": "Asia/Tokyo"}, clock.now, "test")

    assert given.customer(acme).timezone == "Asia/Tokyo"
    assert given.customer(acme, timezone="America/Lima").timezone == "America/Lima"


def test_an_external_id_belongs_to_one_customer_of_an_account(acme, bolt, given):
    given.customer(acme, external_id="crm/7")

    with pytest.raises(Taken, match="'crm/7'"):
        given.customer(acme, external_id="crm/7")
    assert given.customer(bolt, external_id="crm/7").id


def test_a_refused_customer_leaves_nothing_behind(acme, given):
    given.customer(acme, external_id="crm-7")
    before = Customer.select().count(), Link.select().count(), Record.select().count()

    with pytest.raises(Taken):
        given.customer(acme, external_id="crm-7")

    assert (Customer.select().count(), Link.select().count(), Record.select().count()) == before


def test_many_customers_may_have_no_external_id(acme, given):
    assert given.customer(acme).id != given.customer(acme).id


def test_where_code_would_let_an_external_id_through_twice_the_index_does_not(acme, given, clock):
    given.customer(acme, external_id="same")

    with pytest.raises(peewee.IntegrityError), db.atomic():
        Customer.create(
            account=acme, created_at=clock.now, external_id="same", name="n", email="e@x.example", timezone="UTC"
        )


def test_an_external_id_cannot_be_changed_to_one_that_is_taken_but_to_its_own(acme, given, clock):
    given.customer(acme, external_id="a")
    other = given.customer(acme, external_id="b")

    with pytest.raises(Taken):
        other.change({"external_id": "a"}, clock.now, "test")
    other.change({"external_id": "b", "name": "Same"}, clock.now, "test")

    assert Customer.get_by_id(other.id).name == "Same"


def test_a_customer_is_found_by_either_id_by_her_own_account_only(acme, bolt, given):
    customer = given.customer(acme, external_id="x/../y?z#1")

    assert Customer.of(acme, id=customer.id).id == customer.id
    assert Customer.of(acme, external_id="x/../y?z#1").id == customer.id
    assert Customer.of(bolt, id=customer.id) is None
    assert Customer.of(bolt, external_id="x/../y?z#1") is None
    assert Customer.of(acme, id="0000000000000000") is None


def test_what_is_kept_comes_back_as_it_was(acme, given):
    fields = {
        "name": 'شركة 株式会社 🧾 "O\'Hara" <b>',
        "email": "ap@customer.example",
        "additional_emails": ["b@customer.example", "ü@customer.example"],
        "billing_address": {"line1": "1 Ünal St", "line2": None, "country": "DE"},
        "tax_id": {"country": "DE", "type": "eu_vat", "value": "DE123"},
        "metadata": {"crm": "7", "": "empty name"},
        "locale": "ar_EG",
    }

    customer = Customer.get_by_id(given.customer(acme, **fields).id)

    assert {name: getattr(customer, name) for name in fields} == fields


def test_a_change_is_recorded_by_the_names_of_what_changed(acme, given, clock):
    customer = given.customer(acme, name="Old")

    customer.change({"name": "New", "email": customer.email}, clock.now, "api:k")
    customer.change({"name": "New"}, clock.now, "api:k")

    rows = list(Record.select().where(Record.subject == customer.id, Record.deed == "customer.changed"))
    assert [(row.detail, row.actor) for row in rows] == [({"changed": ["name"]}, "api:k")]


def test_under_sessions_only_a_new_customer_gets_no_link_even_from_stale_news_of_the_account(acme, given, clock, kid):
    stale = type(acme).get_by_id(acme.id)
    acme.configure({"customer_portal_sessions_only": True}, clock.now, "test")

    customer = moments.welcome(stale, clock.now, kid, "test", name="New", email="n@x.example")

    assert Link.of_customer(customer.id) is None
