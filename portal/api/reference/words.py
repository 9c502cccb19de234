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
    "amount": "The total, in major units of each invoice's currency.",
    "due_date": "On this day, by the date that `date_type` names.",
    "date_type": "Which date `due_date` and its kin look at.",
    "due_date_window": "Due in the last so many days or months, such as 7d or 2m.",
    "is_recurring": "Only those of subscriptions, or only others.",
    "include_zero_quantity_line_items": "False leaves lines without a quantity out, and counts them.",
}
# Fields of bodies that no answer has, or that mean another thing there.
FIELDS = {
    "customer_id": "Our id of the customer; or name her by external_customer_id.",
    "external_customer_id": "Your own id of the customer.",
    "item_id": "The item that it sells.",
    "line_items": "What is charged, one line each.",
    "net_terms": "Due so many days after the invoice date; or say due_date.",
    "due_date": "The day it is due, where the customer is; or say net_terms.",
    "invoice_date": "The day on the invoice, at most a year ahead.",
    "will_auto_issue": "Does it issue itself on its date?",
    "memo": "A note to the customer, on the invoice.",
    "metadata": "Pairs of your own; nobody else sees them.",
    "reason": "Why, for the record.",
    "notes": "For you; the customer does not see them.",
    "payment_received_date": "The day the money came.",
    "external_id": "Your own reference of the payment.",
    "synchronous": "It always is.",
    "expires_in_minutes": "How long it opens.",
    "invalidate_existing": "Do the customer's other sessions end?",
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
