"""Coupons: what they may give, how often, and what is refused with a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from portal.models.account import Account
from portal.models.coupon import Coupon
from tests.api.conftest import Call, problem
from tests.conftest import Clock

INVALID = "400-request-validation-errors"
HALF = {"discount_type": "percentage", "percentage_discount": 0.5}


def test_a_coupon_has_every_key_of_the_wire(call: Call) -> None:
    made = call("POST", "/coupons", {"redemption_code": "HALF", "discount": HALF, "duration_in_months": 3})

    body = made.get_json()
    assert made.status_code == 201
    assert body == {
        "id": body["id"],
        "redemption_code": "HALF",
        "discount": {**HALF, "reason": None, "applies_to_price_ids": [], "filters": None},
        "duration_in_months": 3,
        "max_redemptions": None,
        "times_redeemed": 0,
        "archived_at": None,
    }
    assert call("GET", f"/coupons/{body['id']}").get_json() == body
    assert call("GET", "/coupons").get_json()["data"] == [body]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"redemption_code": ""}, "redemption_code must not be empty"),
        ({"redemption_code": "a\nb"}, "redemption_code must be one line"),
        ({"redemption_code": 7}, "redemption_code must be text"),
        ({"discount": None}, "discount must be an object"),
        ({"discount": {"discount_type": "usage", "usage_discount": 1}}, "discount.discount_type"),
        ({"discount": {"discount_type": "percentage"}}, "percentage_discount is required"),
        ({"discount": {"discount_type": "percentage", "percentage_discount": 50}}, "must be 1 or less"),
        ({"discount": {"discount_type": "amount", "amount_discount": "-5"}}, "must be 0 or more"),
        ({"discount": {"discount_type": "amount", "amount_discount": "NaN"}}, "amount_discount"),
        ({"duration_in_months": 0}, "duration_in_months must be 1 or more"),
        ({"duration_in_months": 10**9}, "duration_in_months must be 1200 or less"),
        ({"max_redemptions": 0}, "max_redemptions must be 1 or more"),
        ({"max_redemptions": 10**30}, "max_redemptions must be 1000000000 or less"),
        ({"nonsense": 1}, "nonsense is not known here"),
    ],
)
def test_a_field_that_is_wrong_is_named(call: Call, change: dict[str, Any], said: str) -> None:
    whole = {"redemption_code": "HALF", "discount": HALF, **change}

    assert said in problem(call("POST", "/coupons", whole), 400, INVALID)
    assert call("GET", "/coupons").get_json()["data"] == []


def test_a_code_belongs_to_one_coupon_of_an_account(call: Call, bolt_key: str) -> None:
    whole = {"redemption_code": "HALF", "discount": HALF}

    assert call("POST", "/coupons", whole).status_code == 201
    assert call("POST", "/coupons", whole, key=bolt_key).status_code == 201
    problem(call("POST", "/coupons", whole), 400, "400-duplicate-resource-creation")


def test_it_is_redeemed_as_often_as_it_may_be_and_never_more(acme: Account, clock: Clock) -> None:
    coupon = Coupon.create(account=acme, created_at=clock.now, code="TWO", discount=HALF, most=2)

    assert [coupon.redeem() for _ in range(3)] == [True, True, False]
    assert Coupon.get_by_id(coupon.id).redeemed == 2


def test_an_archived_coupon_is_redeemed_no_more(acme: Account, clock: Clock) -> None:
    coupon = Coupon.create(account=acme, created_at=clock.now, code="OLD", discount=HALF)
    coupon.archive(clock.now)

    assert Coupon.live(acme, code="OLD") is None
    assert coupon.redeem() is False


def test_lists_say_which_coupons(call: Call) -> None:
    problem(call("GET", "/coupons?show_archived=perhaps"), 400, INVALID)
    problem(call("GET", "/coupons?nonsense=1"), 400, INVALID)
    problem(call("GET", "/coupons/nothing/subscriptions"), 404, "404-resource-not-found")
