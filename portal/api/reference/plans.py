"""Prices, plans and coupons, described."""

from __future__ import annotations

from portal.api import body, coupons, paging, plans, prices
from portal.api.answers.catalog import Price
from portal.api.answers.kinds import Page
from portal.api.answers.plan import Coupon, Plan
from portal.api.answers.subscription import Subscription
from portal.api.reference.call import Call, Section

PAIRS = {"metadata": {"team": "north"}}
A_PRICE = {
    "name": "API calls",
    "item_id": "XimGiw3pnsgusvc3",
    "cadence": "monthly",
    "model_type": "tiered",
    "billable_metric_id": "vHs2ZxEqTKm4oDb9",
    "tiered_config": {
        "tiers": [
            {"first_unit": 0, "last_unit": 1000, "unit_amount": "0.02"},
            {"first_unit": 1000, "unit_amount": "0.01"},
        ]
    },
}
A_FEE = {
    "name": "Base fee",
    "item_id": "XimGiw3pnsgusvc3",
    "cadence": "monthly",
    "model_type": "unit",
    "fixed_price_quantity": 1,
    "billed_in_advance": True,
    "unit_config": {"unit_amount": "50.00"},
}

PRICES = Section(
    "Prices",
    "What a unit of something costs: by unit, in graduated tiers, in bulk, by package or by matrix; for usage, which a "
    "metric measures, or as a fixed fee.",
    {
        prices.create: Call(
            "Create a price",
            Price,
            "One of `billable_metric_id`, for usage, and `fixed_price_quantity`, for a fee, says what is charged. What "
            "could never be worked out is refused.",
            status=201,
            body=prices.NewPrice,
            finds=True,
            example={**A_PRICE, "currency": "USD"},
        ),
        prices.listed: Call("List prices", Page[Price], "All prices, the newest first.", query=paging.Paged),
        prices.fetch: Call("Fetch a price", Price),
        prices.update: Call(
            "Change a price",
            Price,
            "Its metadata: what was agreed stays agreed.",
            body=prices.PriceChange,
            example=PAIRS,
        ),
        prices.fetch_by_external_id: Call("Fetch a price by your id", Price),
        prices.update_by_external_id: Call(
            "Change a price by your id", Price, "Its metadata.", body=prices.PriceChange, example=PAIRS
        ),
    },
)

PLANS = Section(
    "Plans",
    "Prices that belong together, and the terms that go with them. Subscriptions are made from plans.",
    {
        plans.create: Call(
            "Create a plan",
            Plan,
            "With its prices, each within a `price` of its own, and what adjusts them.",
            status=201,
            body=plans.NewPlan,
            finds=True,
            example={
                "name": "Team",
                "currency": "USD",
                "external_plan_id": "team-2026",
                "net_terms": 30,
                "prices": [{"price": A_FEE}, {"price": A_PRICE}],
            },
        ),
        plans.listed: Call("List plans", Page[Plan], "All plans, the newest first.", query=plans.Filters),
        plans.fetch: Call("Fetch a plan", Plan),
        plans.update: Call(
            "Change a plan",
            Plan,
            "Its words and your id of it; what subscriptions were made from stands.",
            body=plans.PlanFields,
            example={"name": "Team (2026)"},
        ),
        plans.fetch_by_external_id: Call("Fetch a plan by your id", Plan),
        plans.update_by_external_id: Call(
            "Change a plan by your id",
            Plan,
            "Its words and your id of it.",
            body=plans.PlanFields,
            example={"name": "Team (2026)"},
        ),
    },
)

COUPONS = Section(
    "Coupons",
    "Discounts that a code brings to a subscription.",
    {
        coupons.create: Call(
            "Create a coupon",
            Coupon,
            "No other live coupon has the same code.",
            status=201,
            body=coupons.NewCoupon,
            example={
                "redemption_code": "SPRING",
                "discount": {"discount_type": "percentage", "percentage_discount": 0.1},
                "duration_in_months": 12,
            },
        ),
        coupons.listed: Call("List coupons", Page[Coupon], "The newest first.", query=coupons.Filters),
        coupons.fetch: Call("Fetch a coupon", Coupon),
        coupons.archive: Call(
            "Archive a coupon",
            Coupon,
            "Its code is free again; subscriptions keep the discount.",
            body=body.Schema,
            example={},
            refused="This coupon is archived already.",
        ),
        coupons.subscriptions: Call(
            "List the subscriptions of a coupon", Page[Subscription], "Those that redeemed it.", query=paging.Paged
        ),
    },
)
