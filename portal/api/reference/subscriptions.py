"""Subscriptions, what they use and what they cost, described."""

from __future__ import annotations

from portal.api import body, cancelling, quantities, redeeming, subscription_fields, subscriptions, usage
from portal.api.answers.kinds import Page
from portal.api.answers.subscription import MutatedSubscription, Scheduled, Subscription, SubscriptionSummary
from portal.api.answers.usage import Costs, Usage
from portal.api.reference.call import Call, Section

COST = (
    "Day by day: `cumulative` points all begin with the billing period, `periodic` ones are a day each, and "
    "differences of the others. Without a timeframe: the present period. What was used "
    "agrees with the upcoming invoice to the cent; a fee that is paid ahead is that of this period here, and of the "
    "next one there."
)

SUBSCRIPTIONS = Section(
    "Subscriptions",
    "A customer and a plan, from one day on. Billing periods are counted from an anchor; invoices are drafted where "
    "they meet, and issued after the grace period.",
    {
        subscriptions.create: Call(
            "Create a subscription",
            MutatedSubscription,
            "From a plan, whose prices and adjustments may be added to, taken away and replaced. A date is midnight "
            "where the customer is.",
            status=201,
            body=subscription_fields.NewSubscription,
            finds=True,
            example={
                "external_customer_id": "crm-7",
                "external_plan_id": "team-2026",
                "start_date": "2026-11-01",
                "coupon_redemption_code": "SPRING",
            },
            refused="The plan is in EUR, and this customer is billed in USD.",
        ),
        subscriptions.listed: Call(
            "List subscriptions", Page[Subscription], "The newest first.", query=subscriptions.Filters
        ),
        subscriptions.listed_in_short: Call(
            "List subscriptions in summary",
            Page[SubscriptionSummary],
            "The same list, customers and plans by their names.",
            query=subscriptions.Filters,
        ),
        subscriptions.fetch: Call("Fetch a subscription", Subscription),
        subscriptions.update: Call(
            "Change a subscription",
            Subscription,
            "What of it may change while it runs.",
            body=subscription_fields.SubscriptionFields,
            example={"net_terms": 14, "invoicing_threshold": "500.00"},
        ),
        subscriptions.cancel: Call(
            "Cancel a subscription",
            MutatedSubscription,
            "At the end of its term, at once, or on a day. What was charged in advance beyond it is given back.",
            body=cancelling.Cancellation,
            example={"cancel_option": "end_of_subscription_term"},
            refused="The subscription has ended already.",
        ),
        subscriptions.unschedule_cancellation: Call(
            "Take a cancellation back",
            MutatedSubscription,
            "While its day has not come.",
            body=body.Schema,
            example={},
            refused="Only a subscription that is active and has a cancellation ahead can go on.",
        ),
        subscriptions.redeem_coupon: Call(
            "Redeem a coupon",
            MutatedSubscription,
            "Brings its discount to a subscription that runs.",
            body=redeeming.Redemption,
            finds=True,
            example={"change_option": "immediate", "coupon_redemption_code": "SPRING"},
            refused="This coupon is archived.",
        ),
        subscriptions.update_fixed_fee_quantity: Call(
            "Change the quantity of a fixed fee",
            MutatedSubscription,
            "From now, from the next period, or from a day.",
            body=quantities.Quantity,
            finds=True,
            example={"price_id": "XimGiw3pnsgusvc3", "quantity": 5},
            refused="The subscription has ended already.",
        ),
        subscriptions.schedule: Call(
            "Fetch the schedule of a subscription",
            Page[Scheduled],
            "Which plan it has, and from when to when.",
            query=subscriptions.Schedule,
        ),
        usage.fetch_usage: Call(
            "Fetch what a subscription used",
            Usage,
            "Of each metric, in windows of a day with `granularity=day`, else in one. Days are cut at midnight where "
            "the customer is; every window is there, also where it is 0. With `billable_metric_id` and `group_by`: "
            "one entry for each value of the property.",
            query=usage.UsageQuestion,
        ),
        usage.fetch_costs: Call(
            "Fetch what a subscription costs",
            Costs,
            COST,
            query=usage.CostQuestion,
        ),
        usage.customer_costs: Call(
            "Fetch what a customer costs", Costs, f"All her subscriptions together. {COST}", query=usage.CostQuestion
        ),
        usage.customer_costs_by_external_id: Call(
            "Fetch what a customer costs by your id",
            Costs,
            f"All her subscriptions together. {COST}",
            query=usage.CostQuestion,
        ),
    },
)
