"""What parameters mean, wherever they come."""

from __future__ import annotations

PARAMETERS = {
    "id": "The id that its creation was answered with.",
    "external_id": "Your own id of it; a `/` in it is written %2F.",
    "limit": "How many at most, 1 to 100.",
    "cursor": "The `next_cursor` of an earlier page: where this one begins.",
    "customer_id": "Only those of this customer.",
    "external_customer_id": "Only those of the customer with this id of yours.",
    "subscription_id": "Only those of this subscription.",
    "status": "Only those in one of these states; may come more than once.",
    "invoice_id": "Only those of this invoice.",
    "stage": "Only those at one of these stages; may come more than once.",
    "method_id": "The id of the saved method.",
    "amount": "The total, in major units of each invoice's currency.",
    "due_date": "On this day, by the date that `date_type` names.",
    "date_type": "Which date `due_date` and its kin look at.",
    "due_date_window": "Due in the last so many days or months, such as 7d or 2m.",
    "is_recurring": "Only those of subscriptions, or only others.",
    "timeframe_start": "Where it begins, inclusive; a date is its midnight in UTC.",
    "timeframe_end": "Where it ends, exclusive.",
    "currency": "Only what is in this currency; credits, unless it is named, where those are asked for.",
    "view_mode": "Each window by itself, or all from the beginning on.",
    "granularity": "Windows of a day; without it, one.",
    "billable_metric_id": "Only this metric.",
    "group_by": "A property of the events, which the metric keeps apart. Needs billable_metric_id.",
    "first_dimension_key": "A property of the events, such as a dimension of a matrix price. Needs billable_metric_id.",
    "first_dimension_value": "Only events with this value of it.",
    "second_dimension_key": "Another property.",
    "second_dimension_value": "Only events with this value of it.",
    "plan_id": "Only those of this plan.",
    "external_plan_id": "Only those of the plan with this id of yours.",
    "entry_type": "Only entries of this type.",
    "entry_status": "Only committed entries, or pending ones.",
    "minimum_amount": "Only entries that move at least so much, either way.",
    "include_all_blocks": "True: also those that are used up or have expired.",
    "redemption_code": "Only the coupon with this code.",
    "show_archived": "True: archived ones too.",
    "backfill_id": "The open backfill that the events belong to.",
    "debug": "True: tells which keys were kept, and which were known already.",
    "include_zero_quantity_line_items": "False leaves lines without a quantity out, and counts them.",
}
BOUNDS = {"gt": "After", "gte": "At or after", "lt": "Before", "lte": "At or before"}


def said_of(name: str, kind: str | None = None) -> str:
    """What the parameter means; `kind` names the resource that an id belongs to."""
    if name.endswith("]") and name.partition("[")[2][:-1] in BOUNDS:
        field, _, bound = name[:-1].partition("[")
        if field == "amount":
            return f"{'More' if bound == 'gt' else 'Less'} than this, in major units of each invoice's currency."
        return f"{BOUNDS[bound]} this, by `{field}`."
    return PARAMETERS.get(name.removesuffix("[]"), "")
