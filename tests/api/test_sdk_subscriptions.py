"""The official SDK, unmodified and strict, through the life of a subscription."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import orb as sdk
import pytest
from orb import Orb
from orb.types.customer import Customer as OrbCustomer
from orb.types.plan import Plan as OrbPlan

SQL = "SELECT COUNT(*) FROM events WHERE event_name = 'call'"


@pytest.fixture
def customer(orb: Orb) -> OrbCustomer:
    return orb.customers.create(
        name="Globex", email="ap@globex.example", external_customer_id="globex/1", timezone="America/New_York"
    )


@pytest.fixture
def item_id(orb: Orb) -> str:
    return orb.items.create(name="Calls").id


@pytest.fixture
def plan(orb: Orb, item_id: str) -> OrbPlan:
    metric = orb.metrics.create(name="Calls", item_id=item_id, sql=SQL, description=None)
    prices: list[Any] = [
        {
            "price": {
                "name": "Calls",
                "item_id": item_id,
                "billable_metric_id": metric.id,
                "cadence": "monthly",
                "model_type": "unit",
                "unit_config": {"unit_amount": "0.50"},
                "external_price_id": "calls",
            }
        },
        {
            "price": {
                "name": "Platform",
                "item_id": item_id,
                "fixed_price_quantity": 1,
                "cadence": "quarterly",
                "model_type": "unit",
                "unit_config": {"unit_amount": "20.00"},
            }
        },
    ]
    return orb.plans.create(
        name="Team", currency="USD", external_plan_id="team/1", net_terms=14, prices=prices, default_invoice_memo="Hi"
    )


def fee(item_id: str, amount: str = "7.00", **more: Any) -> Any:
    return {
        "name": "Support",
        "item_id": item_id,
        "fixed_price_quantity": 1,
        "cadence": "monthly",
        "model_type": "unit",
        "unit_config": {"unit_amount": amount},
        **more,
    }


def test_a_subscription_begins_today_where_the_customer_lives(orb: Orb, customer: OrbCustomer, plan: OrbPlan) -> None:
    made = orb.subscriptions.create(external_customer_id="globex/1", external_plan_id="team/1")

    midnight = datetime(2026, 11, 23, 5, tzinfo=UTC)
    assert (made.name, made.status, made.net_terms) == ("Team", "active", 14)
    assert (made.start_date, made.end_date) == (midnight, None)
    assert made.current_billing_period_start_date == midnight
    assert made.current_billing_period_end_date == datetime(2026, 12, 23, 5, tzinfo=UTC)
    assert (made.billing_cycle_day, made.billing_cycle_anchor_configuration.day) == (23, 23)
    assert made.customer.id == customer.id
    assert made.customer.currency == "USD"
    assert made.plan == plan
    assert [row.price for row in made.price_intervals] == plan.prices
    assert [row.current_billing_period_end_date for row in made.price_intervals] == [
        datetime(2026, 12, 23, 5, tzinfo=UTC),
        datetime(2027, 2, 23, 5, tzinfo=UTC),
    ]
    assert made.changed_resources is not None
    assert made.changed_resources.created_invoices == []
    fetched = orb.subscriptions.fetch(made.id)
    assert fetched.model_dump() == {
        key: value for key, value in made.model_dump().items() if key != "changed_resources"
    }


def test_everything_that_can_be_said_is_kept(orb: Orb, customer: OrbCustomer, plan: OrbPlan) -> None:
    made = orb.subscriptions.create(
        customer_id=customer.id,
        plan_id=plan.id,
        name="North",
        start_date="2026-11-10",
        end_date=date(2027, 11, 10),  # type: ignore[arg-type]  # a date does as well
        billing_cycle_anchor_configuration={"day": 31},
        net_terms=0,
        auto_collection=True,
        auto_issuance=False,
        invoicing_threshold="100.00",
        default_invoice_memo="Thank you",
        metadata={"a": "1"},
        trial_duration_days=14,
        aws_region="us-east-1",
        initial_phase_order=1,
    )

    assert (made.name, made.net_terms, made.auto_collection, made.auto_issuance) == ("North", 0, True, False)
    assert (made.invoicing_threshold, made.default_invoice_memo, made.metadata) == ("100.00", "Thank you", {"a": "1"})
    assert made.start_date == datetime(2026, 11, 10, 5, tzinfo=UTC)
    assert made.end_date == datetime(2027, 11, 10, 5, tzinfo=UTC)
    assert made.billing_cycle_day == 31
    assert made.current_billing_period_start_date == datetime(2026, 11, 10, 5, tzinfo=UTC)
    assert made.current_billing_period_end_date == datetime(2026, 11, 30, 5, tzinfo=UTC)
    assert made.trial_info.end_date == datetime(2026, 11, 24, 5, tzinfo=UTC)


def test_prices_are_added_removed_and_replaced(orb: Orb, customer: OrbCustomer, plan: OrbPlan, item_id: str) -> None:
    calls, platform = plan.prices
    add_on = orb.prices.create(currency="USD", external_price_id="support", **fee(item_id))

    made = orb.subscriptions.create(
        customer_id=customer.id,
        plan_id=plan.id,
        remove_prices=[{"external_price_id": "calls"}],
        replace_prices=[{"replaces_price_id": platform.id, "fixed_price_quantity": 3}],
        add_prices=[
            {"external_price_id": "support", "minimum_amount": "9.00"},
            {
                "price": fee(item_id, "1.00", name="Extra"),  # type: ignore[typeddict-item]  # any of many
                "start_date": "2026-12-01",
                "discounts": [{"discount_type": "percentage", "percentage_discount": 0.1}],
            },
        ],
    )

    assert [row.price.name for row in made.price_intervals] == ["Platform", "Support", "Extra"]
    platform_row, support, extra = made.price_intervals
    assert platform_row.price.fixed_price_quantity == 3
    assert platform_row.price.replaces_price_id == platform.id
    assert support.price.id == add_on.id
    assert extra.start_date == datetime(2026, 12, 1, 5, tzinfo=UTC)
    assert [row.quantity for row in made.fixed_fee_quantity_schedule] == [3, 1, 1]
    assert [one.minimum_amount for one in made.minimum_intervals] == ["9.00"]
    assert made.minimum_intervals[0].applies_to_price_interval_ids == [support.id]
    [discount] = made.discount_intervals
    assert discount.discount_type == "percentage"
    assert discount.applies_to_price_interval_ids == [extra.id]
    assert orb.plans.fetch(plan.id) == plan
    assert calls.id not in [row.price.id for row in made.price_intervals]


def test_overrides_make_prices_of_the_subscriptions_own(orb: Orb, customer: OrbCustomer, plan: OrbPlan) -> None:
    calls, platform = plan.prices
    overrides = [
        {"id": calls.id, "model_type": "unit", "unit_config": {"unit_amount": "0.40"}, "minimum_amount": "100.00"},
        {
            "id": platform.id,
            "fixed_price_quantity": 2,
            "discount": {"discount_type": "amount", "amount_discount": "175"},
        },
    ]

    made = orb.subscriptions.create(customer_id=customer.id, plan_id=plan.id, price_overrides=overrides)

    first, second = (row.price for row in made.price_intervals)
    assert first.price_model_type == "unit"
    assert first.unit_config.unit_amount == "0.40"
    assert first.minimum is not None
    assert (first.minimum_amount, first.minimum.applies_to_price_ids) == ("100.00", [first.id])
    assert second.fixed_price_quantity == 2
    assert second.discount is not None
    assert second.discount.discount_type == "amount"
    assert second.discount.amount_discount == "175"
    assert orb.plans.fetch(plan.id).prices == [calls, platform]


def test_adjustments_come_with_the_plan_and_on_top(
    orb: Orb, customer: OrbCustomer, plan: OrbPlan, item_id: str
) -> None:
    adjusted = orb.plans.create(
        name="Adjusted",
        currency="USD",
        prices=[{"price": fee(item_id)}],  # type: ignore[list-item]  # any of many
        adjustments=[
            {"adjustment": {"adjustment_type": "percentage_discount", "percentage_discount": 0.15}},
            {"adjustment": {"adjustment_type": "maximum", "maximum_amount": "50", "item_id": item_id}},  # type: ignore[typeddict-item, typeddict-unknown-key, misc]  # as written elsewhere
        ],
    )

    made = orb.subscriptions.create(
        customer_id=customer.id,
        plan_id=adjusted.id,
        remove_adjustments=[{"adjustment_id": adjusted.adjustments[1].id}],
        add_adjustments=[
            {
                "adjustment": {"adjustment_type": "usage_discount", "usage_discount": 2},
                "start_date": "2026-12-23",
                "end_date": "2027-01-23",
            },
            {"adjustment": {"adjustment_type": "minimum", "minimum_amount": "5", "item_id": item_id}},
        ],
    )

    kinds = [row.adjustment.adjustment_type for row in made.adjustment_intervals]
    assert sorted(kinds) == ["minimum", "percentage_discount", "usage_discount"]
    last = made.adjustment_intervals[-1]
    assert last.adjustment.adjustment_type == "usage_discount"
    assert last.start_date == datetime(2026, 12, 23, 5, tzinfo=UTC)
    assert last.end_date == datetime(2027, 1, 23, 5, tzinfo=UTC)
    assert last.applies_to_price_interval_ids == [made.price_intervals[0].id]
    assert [one.discount_type for one in made.discount_intervals] == ["percentage", "usage"]
    assert [one.minimum_amount for one in made.minimum_intervals] == ["5"]


def test_what_may_change_changes(orb: Orb, customer: OrbCustomer, plan: OrbPlan) -> None:
    made = orb.subscriptions.create(customer_id=customer.id, plan_id=plan.id, metadata={"a": "1", "b": "2"})

    changed = orb.subscriptions.update(
        made.id,
        metadata={"a": None, "c": "3"},
        net_terms=7,
        auto_collection=True,
        auto_issuance=True,
        default_invoice_memo="New",
        invoicing_threshold="12.5",
    )

    assert (changed.metadata, changed.net_terms) == ({"b": "2", "c": "3"}, 7)
    assert (changed.auto_collection, changed.auto_issuance) == (True, True)
    assert (changed.default_invoice_memo, changed.invoicing_threshold) == ("New", "12.50")
    assert orb.subscriptions.update(made.id, invoicing_threshold=None, metadata=None).invoicing_threshold is None
    assert orb.subscriptions.fetch(made.id).metadata == {}


def test_lists_are_narrowed(orb: Orb, customer: OrbCustomer, plan: OrbPlan) -> None:
    other = orb.customers.create(name="Other", email="a@other.example", external_customer_id="other")
    mine = orb.subscriptions.create(customer_id=customer.id, plan_id=plan.id)
    theirs = orb.subscriptions.create(customer_id=other.id, plan_id=plan.id, start_date="2027-01-01")

    def ids(**asked: Any) -> list[str]:
        found = [one.id for one in orb.subscriptions.list(**asked)]
        assert [one.id for one in orb.subscriptions.list_summary(**asked)] == found
        return sorted(found)

    assert ids() == sorted([mine.id, theirs.id])
    assert ids(limit=1) == sorted([mine.id, theirs.id])
    assert ids(customer_id=[customer.id]) == [mine.id]
    assert ids(external_customer_id=["other", "globex/1"]) == sorted([mine.id, theirs.id])
    assert ids(external_plan_id="team/1", status="upcoming") == [theirs.id]
    assert ids(plan_id=plan.id, status="active") == [mine.id]
    assert ids(status="ended") == []
    assert ids(plan_id="nosuchplan000000") == []
    assert ids(created_at_gt="2026-11-23T12:00:00Z") == []


def test_a_summary_names_its_customer_and_its_plan(orb: Orb, customer: OrbCustomer, plan: OrbPlan) -> None:
    made = orb.subscriptions.create(customer_id=customer.id, plan_id=plan.id, metadata={"a": "1"})

    [short] = orb.subscriptions.list_summary()

    assert short.plan is not None
    assert (short.id, short.name, short.status, short.metadata) == (made.id, "Team", "active", {"a": "1"})
    assert (short.customer.id, short.customer.external_customer_id) == (customer.id, "globex/1")
    assert (short.plan.id, short.plan.external_plan_id, short.plan.name) == (plan.id, "team/1", "Team")


def test_its_schedule_has_the_one_plan(orb: Orb, customer: OrbCustomer, plan: OrbPlan) -> None:
    made = orb.subscriptions.create(customer_id=customer.id, plan_id=plan.id)

    [entry] = orb.subscriptions.fetch_schedule(made.id)

    assert entry.plan is not None
    assert (entry.plan.id, entry.start_date, entry.end_date) == (plan.id, made.start_date, None)
    assert list(orb.subscriptions.fetch_schedule(made.id, start_date_gt="2027-01-01")) == []


def test_it_ends_with_the_longest_of_its_terms(orb: Orb, customer: OrbCustomer, plan: OrbPlan) -> None:
    made = orb.subscriptions.create(customer_id=customer.id, plan_id=plan.id)

    ended = orb.subscriptions.cancel(made.id, cancel_option="end_of_subscription_term")

    assert (ended.status, ended.end_date) == ("active", datetime(2027, 2, 23, 5, tzinfo=UTC))
    assert {row.end_date for row in ended.price_intervals} == {ended.end_date}
    again = orb.subscriptions.unschedule_cancellation(made.id)
    assert (again.status, again.end_date) == ("active", None)
    with pytest.raises(sdk.ConstraintViolation):
        orb.subscriptions.unschedule_cancellation(made.id)


def test_it_ends_at_once(orb: Orb, customer: OrbCustomer, plan: OrbPlan) -> None:
    made = orb.subscriptions.create(customer_id=customer.id, plan_id=plan.id)

    ended = orb.subscriptions.cancel(made.id, cancel_option="immediate")

    assert (ended.status, ended.end_date) == ("ended", datetime(2026, 11, 23, 12, tzinfo=UTC))
    assert ended.current_billing_period_start_date is None
    assert [one.id for one in orb.subscriptions.list(status="ended")] == [made.id]
    for option in ("immediate", "end_of_subscription_term"):
        with pytest.raises(sdk.ConstraintViolation):
            orb.subscriptions.cancel(made.id, cancel_option=option)  # type: ignore[arg-type]  # one of them
    with pytest.raises(sdk.ConstraintViolation):
        orb.subscriptions.unschedule_cancellation(made.id)


def test_it_ends_on_a_day_where_the_customer_lives(orb: Orb, customer: OrbCustomer, plan: OrbPlan) -> None:
    made = orb.subscriptions.create(customer_id=customer.id, plan_id=plan.id)

    def end(day: Any) -> datetime | None:
        option = "requested_date"
        return orb.subscriptions.cancel(made.id, cancel_option=option, cancellation_date=day).end_date  # type: ignore[arg-type]  # a name

    assert end("2027-03-01") == datetime(2027, 3, 1, 5, tzinfo=UTC)
    assert end(datetime(2027, 4, 1)) == datetime(2027, 4, 1, 4, tzinfo=UTC)  # noqa: DTZ001 - without a zone: hers
    assert end(datetime(2027, 4, 1, 4, tzinfo=UTC)) == datetime(2027, 4, 1, 4, tzinfo=UTC)
    with pytest.raises(sdk.RequestValidationError):
        end("2026-11-23")
    with pytest.raises(sdk.RequestValidationError):
        orb.subscriptions.cancel(made.id, cancel_option="requested_date")
    with pytest.raises(sdk.RequestValidationError):
        orb.subscriptions.cancel(made.id, cancel_option="immediate", cancellation_date="2027-03-01")


def test_what_has_not_started_ends_where_it_would_have(orb: Orb, customer: OrbCustomer, plan: OrbPlan) -> None:
    made = orb.subscriptions.create(customer_id=customer.id, plan_id=plan.id, start_date="2027-01-01")
    assert (made.status, made.current_billing_period_start_date) == ("upcoming", None)

    with pytest.raises(sdk.ConstraintViolation):
        orb.subscriptions.cancel(made.id, cancel_option="end_of_subscription_term")
    ended = orb.subscriptions.cancel(made.id, cancel_option="immediate")

    assert ended.end_date == ended.start_date == datetime(2027, 1, 1, 5, tzinfo=UTC)


def test_a_coupon_is_redeemed_at_the_start(orb: Orb, customer: OrbCustomer, plan: OrbPlan) -> None:
    coupon = orb.coupons.create(
        redemption_code="HALF",
        discount={"discount_type": "percentage", "percentage_discount": 0.5},
        duration_in_months=3,
        max_redemptions=1,
    )

    made = orb.subscriptions.create(customer_id=customer.id, plan_id=plan.id, coupon_redemption_code="HALF")

    assert made.redeemed_coupon is not None
    assert made.redeemed_coupon.coupon_id == coupon.id
    assert made.redeemed_coupon.end_date == datetime(2027, 2, 23, 5, tzinfo=UTC)
    [discount] = made.discount_intervals
    assert discount.discount_type == "percentage"
    assert (discount.percentage_discount, discount.end_date) == (0.5, datetime(2027, 2, 23, 5, tzinfo=UTC))
    assert made.adjustment_intervals[0].adjustment.is_invoice_level
    assert orb.coupons.fetch(coupon.id).times_redeemed == 1
    assert [one.id for one in orb.coupons.subscriptions.list(coupon.id)] == [made.id]
    with pytest.raises(sdk.ConstraintViolation):
        orb.subscriptions.create(customer_id=customer.id, plan_id=plan.id, coupon_redemption_code="HALF")
    assert orb.coupons.fetch(coupon.id).times_redeemed == 1
    assert len(list(orb.subscriptions.list())) == 1


def test_a_coupon_is_redeemed_while_it_runs(orb: Orb, customer: OrbCustomer, plan: OrbPlan) -> None:
    coupon = orb.coupons.create(
        redemption_code="FIVE", discount={"discount_type": "amount", "amount_discount": "5.00"}, duration_in_months=1
    )
    made = orb.subscriptions.create(customer_id=customer.id, plan_id=plan.id)

    changed = orb.subscriptions.redeem_coupon(
        made.id, change_option="end_of_subscription_term", coupon_redemption_code="FIVE"
    )

    assert changed.redeemed_coupon is not None
    assert changed.redeemed_coupon.coupon_id == coupon.id
    [discount] = changed.discount_intervals
    assert discount.discount_type == "amount"
    assert discount.start_date == datetime(2026, 12, 23, 5, tzinfo=UTC)
    assert discount.end_date == datetime(2027, 1, 23, 5, tzinfo=UTC)
    with pytest.raises(sdk.ConstraintViolation):
        orb.subscriptions.redeem_coupon(made.id, change_option="immediate", coupon_id=coupon.id)


def test_coupons_are_listed_and_archived(orb: Orb) -> None:
    first = orb.coupons.create(redemption_code="A/1", discount={"discount_type": "amount", "amount_discount": "5.00"})
    with pytest.raises(sdk.DuplicateResourceCreation):
        orb.coupons.create(redemption_code="A/1", discount={"discount_type": "amount", "amount_discount": "6.00"})

    archived = orb.coupons.archive(first.id)
    second = orb.coupons.create(redemption_code="A/1", discount={"discount_type": "amount", "amount_discount": "7.00"})

    assert (archived.times_redeemed, archived.duration_in_months, archived.max_redemptions) == (0, None, None)
    assert archived.archived_at is not None
    assert [one.id for one in orb.coupons.list()] == [second.id]
    assert {one.id for one in orb.coupons.list(show_archived=True, redemption_code="A/1")} == {first.id, second.id}
    assert list(orb.coupons.list(redemption_code="B")) == []
    with pytest.raises(sdk.ConstraintViolation):
        orb.coupons.archive(first.id)


def test_the_quantity_of_a_fee_changes_with_its_next_period(orb: Orb, customer: OrbCustomer, plan: OrbPlan) -> None:
    made = orb.subscriptions.create(customer_id=customer.id, plan_id=plan.id, start_date="2026-11-10")
    platform = plan.prices[1].id

    with pytest.raises(sdk.ConstraintViolation):
        orb.subscriptions.update_fixed_fee_quantity(made.id, price_id=platform, quantity=5)
    changed = orb.subscriptions.update_fixed_fee_quantity(
        made.id, price_id=platform, quantity=5, change_option="upcoming_invoice"
    )
    again = orb.subscriptions.update_fixed_fee_quantity(
        made.id, price_id=platform, quantity=7, effective_date="2027-05-10"
    )

    turn, turn_again = datetime(2027, 2, 10, 5, tzinfo=UTC), datetime(2027, 5, 10, 4, tzinfo=UTC)
    assert [(one.quantity, one.end_date) for one in changed.fixed_fee_quantity_schedule] == [(1, turn), (5, None)]
    assert [(one.quantity, one.end_date) for one in again.fixed_fee_quantity_schedule] == [
        (1, turn),
        (5, turn_again),
        (7, None),
    ]
    assert [row.price.replaces_price_id for row in again.price_intervals] == [None, None, platform, platform]


def test_a_prorated_fee_changes_at_once(orb: Orb, customer: OrbCustomer, item_id: str) -> None:
    seats = fee(item_id, unit_config={"unit_amount": "9.00", "prorated": True})
    plan = orb.plans.create(name="Seats", currency="USD", prices=[{"price": seats}])  # type: ignore[list-item]  # any
    made = orb.subscriptions.create(customer_id=customer.id, plan_id=plan.id, start_date="2026-11-10")

    changed = orb.subscriptions.update_fixed_fee_quantity(made.id, price_id=plan.prices[0].id, quantity=2.5)

    today = datetime(2026, 11, 23, 5, tzinfo=UTC)
    assert [(one.quantity, one.start_date) for one in changed.fixed_fee_quantity_schedule] == [
        (1, made.start_date),
        (2.5, today),
    ]
