"""Subscriptions: days and anchors, terms, and what is refused with a sentence."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from portal.models import drafting, moments
from portal.models.account import Account
from portal.models.bill import Running
from portal.models.catalog import Price
from portal.models.coupon import Coupon
from portal.models.customer import Customer
from portal.models.plan import Plan
from portal.models.subscription import Subscription
from tests.api.conftest import Call, problem
from tests.conftest import Clock
from tests.given import Given
from tests.web.conftest import Queries, queries

INVALID = "400-request-validation-errors"
CONSTRAINT = "400-constraint-violation"
__all__ = ["queries"]  # a fixture


@pytest.fixture
def customer(given: Given, acme: Account) -> Customer:
    return given.customer(acme, external_id="crm/1", timezone="America/New_York")


@pytest.fixture
def plan(given: Given, acme: Account) -> Plan:
    metric = given.metric(acme)
    fee = {"model_type": "unit", "unit_config": {"unit_amount": "20", "prorated": False}, "fixed_price_quantity": "1"}
    platform = Price.add(given.item(acme, "Platform"), given.now(), name="Platform", currency="USD", wire=fee)
    return given.plan(given.price(metric), platform, external_id="team")


@pytest.fixture
def new(customer: Customer, plan: Plan) -> dict[str, Any]:
    return {"customer_id": customer.id, "plan_id": plan.id}


@pytest.fixture
def price_ids(call: Call, plan: Plan) -> list[str]:
    return [price["id"] for price in call("GET", f"/plans/{plan.id}").get_json()["prices"]]


def made(call: Call, new: dict[str, Any], **more: Any) -> dict[str, Any]:
    response = call("POST", "/subscriptions", {**new, **more})
    assert response.status_code == 201, response.get_json(force=True)
    return dict(response.get_json())


ALIGN = "align_billing_with_subscription_start_date"
ANCHOR = "billing_cycle_anchor_configuration"


@pytest.mark.parametrize(
    ("said", "day", "start", "end"),
    [
        ({}, 23, "2026-11-23T05", "2026-12-23T05"),
        ({ALIGN: True}, 23, "2026-11-23T05", "2026-12-23T05"),
        ({ALIGN: False}, 1, "2026-11-23T05", "2026-12-01T05"),
        ({ANCHOR: {"day": 31}}, 31, "2026-11-23T05", "2026-11-30T05"),
        ({ANCHOR: {"day": 1, "month": 2, "year": 2020}}, 1, "2026-11-23T05", "2026-12-01T05"),
        ({"start_date": "2026-10-31"}, 31, "2026-10-31T04", "2026-11-30T05"),
        ({"start_date": "2026-11-01T03:59:59Z"}, 31, "2026-10-31T04", "2026-11-30T05"),
        ({"start_date": "2026-11-01T00:00:00"}, 1, "2026-11-01T04", "2026-12-01T05"),
        ({"start_date": "2026-11-20", "end_date": "2026-11-25"}, 20, "2026-11-20T05", "2026-11-25T05"),
    ],
)
def test_periods_are_counted_where_the_customer_lives(
    call: Call, new: dict[str, Any], said: dict[str, Any], day: int, start: str, end: str
) -> None:
    body = made(call, new, **said)

    assert body["billing_cycle_day"] == body["billing_cycle_anchor_configuration"]["day"] == day
    assert body["current_billing_period_start_date"] == f"{start}:00:00+00:00"
    assert body["current_billing_period_end_date"] == f"{end}:00:00+00:00"


@pytest.mark.parametrize(
    ("cadence", "start", "anchor", "ends"),
    [
        ("monthly", "2026-04-10", {"day": 31}, ["04-30", "05-31", "06-30"]),
        ("monthly", "2026-04-10", {"day": 31, "month": 4}, ["04-30", "05-31", "06-30"]),
        ("quarterly", "2026-02-10", {"day": 31}, ["02-28", "05-31", "08-31"]),
        ("quarterly", "2026-02-10", {"day": 30, "month": 2}, ["02-28", "05-30", "08-30"]),
        ("semi_annual", "2026-04-10", {"day": 31}, ["04-30", "10-31"]),
        ("annual", "2026-04-10", {"day": 31}, ["04-30"]),
    ],
)
def test_the_31st_is_the_last_day_of_the_month_that_periods_are_counted_from_too(
    call: Call,
    clock: Clock,
    given: Given,
    acme: Account,
    customer: Customer,
    cadence: str,
    start: str,
    anchor: dict[str, int],
    ends: list[str],
) -> None:
    item = given.item(acme).id
    fee = {"name": "Fee", "item_id": item, "cadence": cadence, "model_type": "unit", "fixed_price_quantity": 1}
    prices = [{"price": {**fee, "unit_config": {"unit_amount": "1.00"}}}]
    plan = call("POST", "/plans", {"name": cadence, "currency": "USD", "prices": prices}).json["id"]
    wanted = {"customer_id": customer.id, "plan_id": plan, "start_date": start, ANCHOR: anchor}
    body = call("POST", "/subscriptions", wanted).json

    assert (body["billing_cycle_day"], body[ANCHOR]["day"]) == (anchor["day"], anchor["day"])
    (subscription,) = Subscription.select().where(Subscription.id == body["id"])
    (running,) = Running.each([subscription], clock.now.date())
    found = [running.terms.next(subscription.start_date)]
    while len(found) < len(ends):
        found.append(running.terms.next(found[-1]))
    assert [day.isoformat()[5:] for day in found] == ends


def test_a_subscription_without_more_said_has_the_plans_terms(call: Call, new: dict[str, Any], plan: Plan) -> None:
    plan.change({"net_terms": 45, "trial_days": 10, "default_invoice_memo": "Thank you"})

    body = made(call, new)

    assert (body["name"], body["net_terms"], body["status"]) == ("Team plan", 45, "active")
    assert body["default_invoice_memo"] == "Thank you"
    assert body["trial_info"] == {"end_date": "2026-12-03T05:00:00+00:00"}
    assert made(call, new, trial_duration_days=0)["trial_info"] == {"end_date": None}
    for name in ("auto_collection", "auto_issuance", "invoicing_threshold", "redeemed_coupon"):
        assert body[name] is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"customer_id": None}, "one of customer_id and external_customer_id"),
        ({"external_customer_id": "crm/1"}, "one of customer_id and external_customer_id"),
        ({"plan_id": None}, "one of plan_id and external_plan_id"),
        ({"external_plan_id": "team"}, "one of plan_id and external_plan_id"),
        ({"currency": "EUR"}, "currency must be USD"),
        ({"start_date": "yesterday"}, "start_date must be a date or a timestamp"),
        ({"start_date": "2026-02-30"}, "start_date must be a day and a time that exist"),
        ({"start_date": "0001-01-01"}, "start_date must lie between 1970 and 2999"),
        ({"end_date": "2026-11-23"}, "end_date is exclusive and must be after start_date"),
        ({"start_date": "2027-01-01", "end_date": "2026-12-01"}, "end_date is exclusive and must be after start_date"),
        ({"billing_cycle_anchor_configuration": {"day": 0}}, "day must be 1 or more"),
        ({"billing_cycle_anchor_configuration": {"day": 32}}, "day must be 31 or less"),
        ({"billing_cycle_anchor_configuration": {"day": 1, "month": 13}}, "month must be 12 or less"),
        ({"billing_cycle_anchor_configuration": {"day": 1, "year": 1}}, "year must be 1970 or more"),
        ({"billing_cycle_anchor_configuration": {}}, "day is required"),
        (
            {
                "billing_cycle_anchor_configuration": {"day": 1},
                "align_billing_with_subscription_start_date": True,
            },
            "cannot both be given",
        ),
        ({"net_terms": -1}, "net_terms must be 0 or more"),
        ({"net_terms": "30"}, "net_terms must be a whole number"),
        ({"invoicing_threshold": "-1"}, "invoicing_threshold must be more than 0"),
        ({"invoicing_threshold": "0"}, "invoicing_threshold must be more than 0"),
        ({"invoicing_threshold": "0.001"}, "too fine for USD"),
        ({"invoicing_threshold": "9" * 24}, "may be at most"),
        ({"invoicing_threshold": "NaN"}, "invoicing_threshold"),
        ({"invoicing_threshold": 10}, "invoicing_threshold must be an amount as text"),
        ({"trial_duration_days": -1}, "trial_duration_days must be 0 or more"),
        ({"trial_duration_days": 10**12}, "trial_duration_days must be 3650 or less"),
        ({"name": "a\nb"}, "name must be one line"),
        ({"name": ""}, "name must not be empty"),
        ({"metadata": {"": "x"}}, "metadata must have at most 100 keys"),
        ({"auto_collection": "yes"}, "auto_collection must be true or false"),
        ({"filter": "region = 'eu'"}, "filter is not worked out here"),
        ({"usage_customer_ids": ["other"]}, "usage_customer_ids is not worked out here"),
        ({"plan_version_number": 2}, "plan_version_number must be 1"),
        ({"nonsense": 1}, "nonsense is not known here"),
        ({"add_prices": [{}]}, "add_prices.0: One of price, price_id and external_price_id must be given"),
        ({"add_prices": [{"price_id": "a", "external_price_id": "b"}]}, "One of price, price_id and external_price_id"),
        ({"add_prices": [{"price": {"name": "x"}}]}, "add_prices.0.price.cadence is required"),
        ({"remove_prices": [{"price_id": "nothing"}]}, "must name a price of the plan"),
        ({"remove_prices": [{}]}, "remove_prices.0: Name the price by one of"),
        (
            {"replace_prices": [{"replaces_price_id": "nothing", "fixed_price_quantity": 1}]},
            "replace_prices.0.replaces_price_id must name a price of the plan",
        ),
        ({"price_overrides": [{"id": "nothing"}]}, "must name a price of the plan"),
        ({"price_overrides": [{"model_type": "unit"}]}, "price_overrides.0.id is required"),
        ({"add_adjustments": [{"adjustment": {"adjustment_type": "trial"}}]}, "adjustment_type must be one of"),
        ({"remove_adjustments": [{"adjustment_id": "nothing"}]}, "must name an adjustment of the plan"),
        (
            {"replace_adjustments": [{"replaces_adjustment_id": "x", "adjustment": {"adjustment_type": "minimum"}}]},
            "must name an adjustment of the plan",
        ),
        (
            {
                "add_adjustments": [
                    {
                        "adjustment": {"adjustment_type": "maximum", "maximum_amount": "5"},
                        "start_date": "2027-01-01",
                        "end_date": "2027-01-01",
                    }
                ]
            },
            "add_adjustments.0.end_date is exclusive",
        ),
    ],
)  # fmt: skip
def test_a_field_that_is_wrong_is_named(call: Call, new: dict[str, Any], change: dict[str, Any], said: str) -> None:
    whole = {name: value for name, value in {**new, **change}.items() if value is not None}

    assert said in problem(call("POST", "/subscriptions", whole), 400, INVALID)
    assert call("GET", "/subscriptions").get_json()["data"] == []


def test_prices_that_do_not_fit_are_refused_by_their_place(
    call: Call, new: dict[str, Any], price_ids: list[str]
) -> None:
    usage, fee = price_ids
    euro = {
        "name": "E", "item_id": call("POST", "/items", {"name": "I"}).get_json()["id"], "fixed_price_quantity": 1,
        "cadence": "monthly", "currency": "EUR", "model_type": "unit", "unit_config": {"unit_amount": "1"},
    }  # fmt: skip
    foreign = call("POST", "/prices", euro).get_json()["id"]

    def said(**more: Any) -> str:
        return problem(call("POST", "/subscriptions", {**new, **more}), 400, INVALID)

    assert "must be in USD" in said(add_prices=[{"price_id": foreign}])
    assert "add_prices.0.price.currency must be USD" in said(add_prices=[{"price": euro}])
    assert "does not have yet" in said(add_prices=[{"price_id": usage}])
    assert "is for fees" in said(replace_prices=[{"replaces_price_id": usage, "fixed_price_quantity": 2}])
    assert "give one of them" in said(
        replace_prices=[{"replaces_price_id": fee, "fixed_price_quantity": 2, "price_id": usage}]
    )
    assert "once" in said(replace_prices=[{"replaces_price_id": fee, "price_id": usage}])
    assert "changes numbers only" in said(price_overrides=[{"id": usage, "model_type": "bulk"}])
    assert "must name a price of the plan" in said(
        remove_prices=[{"price_id": usage}], replace_prices=[{"replaces_price_id": usage, "fixed_price_quantity": 1}]
    )
    assert call("GET", "/subscriptions").get_json()["data"] == []


def test_what_belongs_to_another_account_is_not_there(
    call: Call, new: dict[str, Any], given: Given, bolt: Account
) -> None:
    theirs = given.customer(bolt, external_id="theirs")
    plan = given.plan(given.price(given.metric(bolt)), external_id="theirs")
    price = given.price(given.metric(bolt))
    pairs = [
        {"customer_id": theirs.id},
        {"plan_id": plan.id},
        {"add_prices": [{"price_id": price.id}]},
        {"coupon_redemption_code": "THEIRS"},
    ]
    absent: list[dict[str, Any]] = [
        {"customer_id": "0" * 16},
        {"plan_id": "0" * 16},
        {"add_prices": [{"price_id": "0" * 16}]},
        {"coupon_redemption_code": "NOTHING"},
    ]
    Coupon.create(account=bolt, created_at=given.now(), code="THEIRS", discount={})

    for foreign, nothing in zip(pairs, absent, strict=True):
        one, other = (call("POST", "/subscriptions", {**new, **change}) for change in (foreign, nothing))
        assert one.status_code >= 400
        assert one.data == other.data


def test_a_customer_has_one_currency(call: Call, new: dict[str, Any], given: Given, acme: Account) -> None:
    newcomer = given.customer(acme, currency=None)
    euro = given.plan(given.price(given.metric(acme), currency="EUR"))

    assert made(call, new, customer_id=newcomer.id)["customer"]["currency"] == "USD"
    said = problem(call("POST", "/subscriptions", {**new, "plan_id": euro.id}), 400, CONSTRAINT)
    assert said == "The plan must be in USD, the customer's own currency."


def test_a_plan_that_is_a_draft_cannot_be_subscribed_to(call: Call, new: dict[str, Any], plan: Plan) -> None:
    plan.change({"status": "draft"})

    assert "only an active one" in problem(call("POST", "/subscriptions", new), 400, CONSTRAINT)


def test_a_refused_subscription_redeems_no_coupon_and_leaves_no_price(
    call: Call, new: dict[str, Any], acme: Account, clock: Clock, price_ids: list[str]
) -> None:
    half = {"discount_type": "percentage", "percentage_discount": "0.5"}
    coupon = Coupon.create(account=acme, created_at=clock.now, code="HALF", discount=half)
    before = len(call("GET", "/prices").get_json()["data"])

    wrong = {
        "coupon_redemption_code": "HALF",
        "invoicing_threshold": "0.001",
        "replace_prices": [{"replaces_price_id": price_ids[1], "fixed_price_quantity": 2}],
    }
    problem(call("POST", "/subscriptions", {**new, **wrong}), 400, INVALID)

    assert Coupon.get_by_id(coupon.id).redeemed == 0
    assert len(call("GET", "/prices").get_json()["data"]) == before


def test_terms_say_what_is_billed(call: Call, new: dict[str, Any], price_ids: list[str]) -> None:
    usage, _ = price_ids
    adjustments = [
        {"adjustment": {"adjustment_type": "percentage_discount", "percentage_discount": 0.1}},
        {
            "adjustment": {"adjustment_type": "usage_discount", "usage_discount": 5, "applies_to_price_ids": [usage]},
            "start_date": "2026-12-23",
        },
        {"adjustment": {"adjustment_type": "minimum", "minimum_amount": "50", "reason": "Agreed"}},
    ]

    id = made(call, new, add_adjustments=adjustments)["id"]

    terms = Subscription.get_by_id(id).terms
    told = ("type", "value", "price_ids", "reason", "start", "end")
    assert [tuple(term[name] for name in told) for term in (*terms["discounts"], *terms["rules"])] == [
        ("percentage_discount", "0.1", None, None, None, None),
        ("usage_discount", "5", [usage], None, "2026-12-23", None),
        ("minimum", "50", None, "Agreed", None, None),
    ]


def test_terms_that_begin_with_the_subscription_cover_a_first_period_that_is_cut_short(
    call: Call, new: dict[str, Any], acme: Account, clock: Clock
) -> None:
    """A term holds for periods that begin when it does or later, and that one began before."""
    half = {"discount_type": "percentage", "percentage_discount": "0.5"}
    Coupon.create(account=acme, created_at=clock.now, code="HALF", discount=half, months=2)
    most = {"adjustment": {"adjustment_type": "maximum", "maximum_amount": "50"}, "start_date": "2026-11-23"}

    body = made(call, new, coupon_redemption_code="HALF", add_adjustments=[most], **{ANCHOR: {"day": 1}})

    terms = Subscription.get_by_id(body["id"]).terms
    assert [(term["start"], term["end"]) for term in (*terms["discounts"], *terms["rules"])] == [
        (None, "2027-01-23"),
        (None, None),
    ]
    assert body["redeemed_coupon"]["start_date"] == body["start_date"]


def test_what_covers_a_price_of_the_plan_covers_the_one_in_its_place(
    call: Call, customer: Customer, price_ids: list[str], plan: Plan
) -> None:
    usage, fee = price_ids
    share = {
        "id": "a" * 16, "adjustment_type": "percentage_discount", "percentage_discount": "0.1",
        "applies_to_price_ids": [fee], "filters": [], "is_invoice_level": False, "reason": None,
        "plan_phase_order": None, "replaces_adjustment_id": None,
    }  # fmt: skip
    plan.change({"adjustments": [share, {**share, "id": "b" * 16, "applies_to_price_ids": [usage]}]})
    new = {"customer_id": customer.id, "plan_id": plan.id}

    body = made(
        call,
        new,
        remove_prices=[{"price_id": usage}],
        replace_prices=[{"replaces_price_id": fee, "fixed_price_quantity": 2}],
    )
    path = f"/subscriptions/{body['id']}"
    [own] = body["price_intervals"]
    assert own["price"]["id"] != fee
    assert [one["applies_to_price_interval_ids"] for one in body["adjustment_intervals"]] == [[own["id"]]]

    change = {"price_id": fee, "quantity": 3, "change_option": "upcoming_invoice"}
    later = call("POST", f"{path}/update_fixed_fee_quantity", change).get_json()
    ids = [row["id"] for row in later["price_intervals"]]
    assert len(ids) == 2
    assert [one["applies_to_price_interval_ids"] for one in later["adjustment_intervals"]] == [ids]


def test_nothing_of_a_subscription_outlives_it(call: Call, new: dict[str, Any], price_ids: list[str]) -> None:
    fee = {"price": {**call("GET", f"/prices/{price_ids[1]}").get_json(), "item_id": None}}
    fee["price"]["item_id"] = fee["price"]["item"]["id"]
    most = {"adjustment_type": "maximum", "maximum_amount": "50"}
    body = made(
        call,
        new,
        add_prices=[{**fee, "start_date": "2026-12-01", "end_date": "2027-12-01"}],
        add_adjustments=[{"adjustment": most, "end_date": "2027-12-01"}],
    )
    on = {"cancel_option": "requested_date", "cancellation_date": "2027-01-05"}

    ended = call("POST", f"/subscriptions/{body['id']}/cancel", on).get_json()

    assert body["price_intervals"][2]["end_date"] == "2027-12-01T05:00:00+00:00"
    rows = [*ended["price_intervals"], *ended["adjustment_intervals"], *ended["maximum_intervals"]]
    assert {row["end_date"] for row in rows} == {"2027-01-05T05:00:00+00:00"}


def test_a_subscription_is_billed_where_its_first_period_ends(call: Call, new: dict[str, Any]) -> None:
    id = made(call, new)["id"]
    row = Subscription.get_by_id(id)

    assert (row.start_date, row.anchor) == (date(2026, 11, 23), date(2026, 11, 23))
    assert row.bill_at == datetime(2026, 12, 23, 5, tzinfo=UTC)
    call("POST", f"/subscriptions/{id}/cancel", {"cancel_option": "immediate"})
    ended = Subscription.get_by_id(id)
    assert (ended.end_date, ended.ends_at) == (date(2026, 11, 24), datetime(2026, 11, 23, 12, tzinfo=UTC))
    assert ended.bill_at == ended.ends_at


def test_cancelling_ahead_can_be_taken_back(call: Call, new: dict[str, Any]) -> None:
    id = made(call, new)["id"]
    path = f"/subscriptions/{id}"
    on = {"cancel_option": "requested_date", "cancellation_date": "2026-12-10"}

    assert call("POST", f"{path}/cancel", on).get_json()["end_date"] == "2026-12-10T05:00:00+00:00"
    assert Subscription.get_by_id(id).bill_at == datetime(2026, 12, 10, 5, tzinfo=UTC)
    assert call("POST", f"{path}/unschedule_cancellation").get_json()["end_date"] is None
    assert Subscription.get_by_id(id).bill_at == datetime(2026, 12, 23, 5, tzinfo=UTC)


def test_what_is_cancelled_before_it_starts_has_ended(call: Call, new: dict[str, Any]) -> None:
    id = made(call, new, start_date="2027-01-01")["id"]
    ahead = call("GET", "/subscriptions?status=upcoming").get_json()["data"]

    cancelled = call("POST", f"/subscriptions/{id}/cancel", {"cancel_option": "immediate"}).get_json()

    found = {s: call("GET", f"/subscriptions?status={s}").get_json()["data"] for s in ("active", "ended", "upcoming")}
    assert [row["id"] for row in ahead] == [id]
    assert cancelled["status"] == "ended"
    assert {status: [row["id"] for row in rows] for status, rows in found.items()} == {
        "active": [], "ended": [id], "upcoming": []
    }  # fmt: skip


def test_what_was_paid_ahead_comes_back_and_goes_again_where_the_end_is_taken_back(
    call: Call, customer: Customer, given: Given, acme: Account, clock: Clock, kid: str
) -> None:
    ahead = {
        "model_type": "unit", "unit_config": {"unit_amount": "30", "prorated": False}, "fixed_price_quantity": "1",
        "billing_mode": "in_advance",
    }  # fmt: skip
    item = given.item(acme)
    price = Price.add(item, clock.now, name="Ahead", currency="USD", wire=ahead)
    id = made(call, {"customer_id": customer.id, "plan_id": given.plan(price).id}, start_date="2026-11-01")["id"]
    invoice = drafting.draft_next(Subscription.get_by_id(id), clock.now, "test")
    assert invoice
    moments.issue(invoice, clock.now, kid, "test")
    path = f"/subscriptions/{id}"

    def balance() -> str:
        return str(call("GET", f"/customers/{customer.id}").get_json()["balance"])

    def cancel(day: str) -> None:
        call("POST", f"{path}/cancel", {"cancel_option": "requested_date", "cancellation_date": day})

    cancel("2026-11-25")
    assert balance() == "6.00"
    cancel("2026-11-28")
    assert balance() == "3.00"
    call("POST", f"{path}/unschedule_cancellation")
    assert balance() == "0.00"
    call("POST", f"{path}/cancel", {"cancel_option": "immediate"})
    assert balance() == "7.00"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "cancel_option is required"),
        ({"cancel_option": "later"}, "cancel_option"),
        ({"cancel_option": "requested_date"}, "cancellation_date must be given"),
        ({"cancel_option": "immediate", "cancellation_date": "2026-12-01"}, "cancellation_date must be given"),
        ({"cancel_option": "requested_date", "cancellation_date": "2026-11-23"}, "must be after the first day"),
        ({"cancel_option": "requested_date", "cancellation_date": "soon"}, "cancellation_date must be a date"),
        ({"cancel_option": "immediate", "nonsense": 1}, "nonsense is not known here"),
    ],
)
def test_a_cancellation_that_is_wrong_changes_nothing(
    call: Call, new: dict[str, Any], body: dict[str, Any], said: str
) -> None:
    before = made(call, new)

    assert said in problem(call("POST", f"/subscriptions/{before['id']}/cancel", body), 400, INVALID)
    after = call("GET", f"/subscriptions/{before['id']}").get_json()
    assert after == {name: value for name, value in before.items() if name != "changed_resources"}


def test_days_that_were_billed_cannot_be_cancelled(call: Call, new: dict[str, Any]) -> None:
    id = made(call, new, start_date="2026-09-01")["id"]
    Subscription.update(billed_to=date(2026, 11, 1)).where(Subscription.id == id).execute()
    on = {"cancel_option": "requested_date", "cancellation_date": "2026-10-15"}

    assert "2026-11-01" in problem(call("POST", f"/subscriptions/{id}/cancel", on), 400, CONSTRAINT)


@pytest.mark.parametrize(
    "call_of",
    [
        ("GET", ""), ("PUT", ""), ("POST", "/cancel"), ("POST", "/unschedule_cancellation"), ("GET", "/schedule"),
        ("POST", "/redeem_coupon"), ("POST", "/update_fixed_fee_quantity"),
    ],
)  # fmt: skip
def test_another_accounts_subscription_is_not_there(
    call: Call, new: dict[str, Any], bolt_key: str, call_of: tuple[str, str]
) -> None:
    method, tail = call_of
    id = made(call, new)["id"]

    foreign = call(method, f"/subscriptions/{id}{tail}", {} if method != "GET" else None, key=bolt_key)
    absent = call(method, f"/subscriptions/{'0' * 16}{tail}", {} if method != "GET" else None, key=bolt_key)

    problem(foreign, 404, "404-resource-not-found")
    assert foreign.data == absent.data


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"quantity": 1}, "price_id is required"),
        ({"price_id": "FEE", "quantity": -1}, "quantity must be 0 or more"),
        ({"price_id": "FEE", "quantity": "1"}, "quantity must be a number"),
        ({"price_id": "USAGE", "quantity": 1}, "price_id must name a fee"),
        ({"price_id": "FEE", "quantity": 1, "effective_date": "2026-11-22"}, "must not be in the past"),
        ({"price_id": "FEE", "quantity": 1, "change_option": "effective_date"}, "effective_date is required"),
        (
            {"price_id": "FEE", "quantity": 1, "change_option": "immediate", "effective_date": "2026-12-22"},
            "is for change_option effective_date",
        ),
    ],
)
def test_a_quantity_that_is_wrong_is_refused(
    call: Call, customer: Customer, given: Given, acme: Account, body: dict[str, Any], said: str
) -> None:
    item = call("POST", "/items", {"name": "I"}).get_json()["id"]
    fee = {
        "name": "F", "item_id": item, "fixed_price_quantity": 1, "cadence": "monthly", "currency": "USD",
        "model_type": "unit", "unit_config": {"unit_amount": "1"},
    }  # fmt: skip
    plan = call("POST", "/plans", {"name": "P", "currency": "USD", "prices": [{"price": fee}]}).get_json()
    usage = given.price(given.metric(acme)).id
    sub = made(call, {"customer_id": customer.id, "plan_id": plan["id"]}, add_prices=[{"price_id": usage}])
    named = {"FEE": plan["prices"][0]["id"], "USAGE": usage}
    whole = {name: named.get(str(value), value) for name, value in body.items()}

    assert said in problem(call("POST", f"/subscriptions/{sub['id']}/update_fixed_fee_quantity", whole), 400, INVALID)


def test_updates_leave_alone_what_they_do_not_say(call: Call, new: dict[str, Any]) -> None:
    body = made(call, new, metadata={"a": "1"}, invoicing_threshold="10", net_terms=5, auto_issuance=False)
    id = body["id"]
    del body["changed_resources"]

    assert call("PUT", f"/subscriptions/{id}", {}).get_json() == body
    assert call("PUT", f"/subscriptions/{id}", {**body, "net_terms": None}).get_json() == body
    changed = call("PUT", f"/subscriptions/{id}", {"auto_issuance": None, "invoicing_threshold": None}).get_json()
    assert changed == {**body, "auto_issuance": None, "invoicing_threshold": None}
    for wrong in ({"net_terms": -1}, {"invoicing_threshold": "-1"}, {"nonsense": 1}, {"metadata": {"a": 1}}):
        problem(call("PUT", f"/subscriptions/{id}", wrong), 400, INVALID)
    problem(call("PUT", f"/subscriptions/{id}", {"invoicing_threshold": "0.001"}), 400, INVALID)


def test_lists_take_one_name_or_many(call: Call, new: dict[str, Any]) -> None:
    id = made(call, new)["id"]

    def ids(query: str) -> list[str]:
        return [one["id"] for one in call("GET", f"/subscriptions?{query}").get_json()["data"]]

    assert ids("status=active") == ids("status[]=active&status[]=ended") == ids("customer_id=" + new["customer_id"])
    assert ids("external_customer_id[]=crm/1&external_customer_id[]=other") == [id]
    assert ids("external_plan_id=team&plan_id=" + new["plan_id"]) == [id]
    assert ids("status[]=ended&status[]=upcoming") == ids("external_plan_id=other") == []
    problem(call("GET", "/subscriptions?status=gone"), 400, INVALID)
    problem(call("GET", "/subscriptions?limit=0"), 400, INVALID)


@pytest.mark.parametrize("size", [1, 7])
def test_a_list_asks_as_often_for_seven_as_for_one(
    call: Call, plan: Plan, given: Given, acme: Account, queries: Queries, size: int
) -> None:
    for _ in range(size):
        prices = [given.price(given.metric(acme)) for _ in range(size)]
        given.subscription(given.customer(acme), *prices, plan=plan)

    def asked(path: str) -> int:
        with queries() as made:
            assert call("GET", path).status_code == 200
        return len(made)

    some = Subscription.select().where(Subscription.account == acme).first()
    assert asked("/subscriptions") == 7
    assert asked("/subscriptions/summary") == 4
    assert asked(f"/subscriptions/{some.id}") == 7
