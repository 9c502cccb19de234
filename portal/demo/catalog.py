"""What the demo's company sells: its metrics, and a plan in each currency; and what each customer has agreed to."""

from __future__ import annotations

from typing import Any

Wire = dict[str, Any]

# Name: unit, SQL, what it is kept apart by, and what it says of itself.
METRICS: dict[str, tuple[str, str, list[str], str]] = {
    "API calls": (
        "calls",
        "SELECT SUM(calls) FROM events WHERE event_name = 'api.calls' AND answer IN ('ok', 'client_error')",
        ["region"],
        "Requests that your services made. What failed on our side is not counted.",
    ),
    "Storage": (
        "GB-days",
        "SELECT SUM(gigabytes) FROM events WHERE event_name = 'storage.measured'",
        ["class"],
        "What was stored at the end of each day.",
    ),
    "Data transfer": (
        "GB",
        "SELECT SUM(gigabytes) FROM events WHERE event_name = 'transfer.measured' AND direction = 'out'",
        ["region"],
        "What left our network.",
    ),
    "Build minutes": (
        "minutes",
        "SELECT SUM(minutes) FROM events WHERE event_name = 'build.finished' AND minutes > 0",
        ["machine"],
        "Time that builds ran, to the tenth of a minute.",
    ),
    "Seats": (
        "seats",
        "SELECT COUNT(DISTINCT person) FROM events WHERE event_name = 'person.signed_in'",
        [],
        "Different people who signed in within the period.",
    ),
}

# What is agreed besides the plan, as `POST /subscriptions` takes it.
HARBOR_TERMS: Wire = {
    "add_adjustments": [
        {
            "adjustment": {
                "adjustment_type": "percentage_discount",
                "percentage_discount": 0.1,
                "applies_to_all": True,
                "reason": "Two-year commitment",
            }
        }
    ],
    "default_invoice_memo": "Purchase order WL-20417",
}
SAKURA_TERMS: Wire = {
    "add_adjustments": [
        {"adjustment": {"adjustment_type": "minimum", "minimum_amount": "140000", "price_type": "usage"}}
    ],
    "invoicing_threshold": "90000",
}
KHALIJ_TERMS: Wire = {"coupon_redemption_code": "WELCOME15"}
COUPON: Wire = {
    "redemption_code": "WELCOME15",
    "discount": {"discount_type": "percentage", "percentage_discount": 0.15},
    "duration_in_months": 12,
}
# Description and percentage; the API has no taxes yet.
TAXES: dict[str, list[list[str]]] = {
    "USD": [["San Francisco sales tax", "8.625"]],
    "JPY": [["消費税", "10"]],
    "KWD": [],
}


def plan(currency: str, items: dict[str, str], metrics: dict[str, str]) -> Wire:
    """The plan in one currency, as `POST /plans` takes it: the platform's fee, paid ahead, and each metric's price."""
    common = {"cadence": "monthly", "currency": currency}
    fee = {"name": "Platform fee", "item_id": items["Platform"], "fixed_price_quantity": 1, "billed_in_advance": True}
    prices = [{**common, **fee, **_unit(_PLATFORM[currency])}]
    for name, priced in _priced(currency).items():
        prices.append({**common, "name": name, "item_id": items[name], "billable_metric_id": metrics[name], **priced})
    return {
        "name": "Scale",
        "external_plan_id": f"scale-{currency.lower()}",
        "description": "For teams that run in production.",
        "currency": currency,
        "net_terms": 30,
        "prices": [{"price": price} for price in prices],
    }


def _priced(currency: str) -> dict[str, Wire]:
    return {
        "API calls": _tiered(*_CALLS[currency]),
        "Storage": _bulk(*_STORAGE[currency]),
        "Data transfer": _matrix("region", *_TRANSFER[currency]),
        "Build minutes": _package(*_BUILDS[currency]),
        "Seats": _unit(_SEATS[currency]),
    }


def _unit(amount: str) -> Wire:
    return {"model_type": "unit", "unit_config": {"unit_amount": amount}}


def _tiered(*tiers: tuple[int, int | None, str]) -> Wire:
    listed = [{"first_unit": first, "last_unit": last, "unit_amount": amount} for first, last, amount in tiers]
    return {"model_type": "tiered", "tiered_config": {"tiers": listed}}


def _bulk(*tiers: tuple[int | None, str]) -> Wire:
    listed = [{"maximum_units": most, "unit_amount": amount} for most, amount in tiers]
    return {"model_type": "bulk", "bulk_config": {"tiers": listed}}


def _package(size: int, amount: str) -> Wire:
    return {"model_type": "package", "package_config": {"package_amount": amount, "package_size": size}}


def _matrix(dimension: str, default: str, cells: dict[str, str]) -> Wire:
    listed = [{"dimension_values": [value], "unit_amount": amount} for value, amount in cells.items()]
    config = {"dimensions": [dimension], "default_unit_amount": default, "matrix_values": listed}
    return {"model_type": "matrix", "matrix_config": config}


_PLATFORM = {"USD": "499.00", "JPY": "75000", "KWD": "153.500"}
_SEATS = {"USD": "18.00", "JPY": "2600", "KWD": "5.250"}
_BUILDS = {"USD": (100, "0.80"), "JPY": (100, "120"), "KWD": (100, "0.250")}
_STORAGE: dict[str, tuple[tuple[int | None, str], ...]] = {
    "USD": ((10_000, "0.0245"), (None, "0.0231")),
    "JPY": ((10_000, "3.6"), (None, "3.4")),
    "KWD": ((10_000, "0.00755"), (None, "0.00711")),
}
_TRANSFER: dict[str, tuple[str, dict[str, str]]] = {
    "USD": ("0.09", {"us-east": "0.085", "eu-west": "0.09", "ap-south": "0.12"}),
    "JPY": ("13.5", {"us-east": "13", "eu-west": "13.5", "ap-south": "18"}),
    "KWD": ("0.028", {"us-east": "0.026", "eu-west": "0.028", "ap-south": "0.034"}),
}
_CALLS: dict[str, tuple[tuple[int, int | None, str], ...]] = {
    "USD": ((0, 250_000, "0.0008"), (250_000, 750_000, "0.00055"), (750_000, None, "0.00042")),
    "JPY": ((0, 250_000, "0.12"), (250_000, 500_000, "0.08"), (500_000, None, "0.065")),
    "KWD": ((0, 100_000, "0.00025"), (100_000, 250_000, "0.0002"), (250_000, None, "0.00015")),
}
