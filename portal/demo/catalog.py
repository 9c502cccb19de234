"""What the demo's company sells, to whom, and how much of it they use. The same on every day that it is made."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

ACCOUNT = {
    "company": {
        "name": "Halyard Cloud, Inc.",
        "address": {
            "line1": "28 Wharf Street",
            "line2": "Suite 400",
            "city": "Portland",
            "state": "ME",
            "postal_code": "04101",
            "country": "US",
        },
        "tax_id": {"country": "US", "type": "us_ein", "value": "01-2345678"},
    },
    "support_email": "billing@halyard.example",
    "accent_color": "#0f5e63",
    "timezone": "America/New_York",
    "memo": "Thank you for building on Halyard.\nPlease quote the invoice number with your payment.",
    "footer": "Halyard Cloud, Inc. · Portland, Maine · billing@halyard.example",
    "embed_origins": ["http://localhost:*", "http://127.0.0.1:*"],
    "reminders": [-3, 7, 21],
    "bank_accounts": [
        {
            "currency": "USD",
            "holder": "Halyard Cloud, Inc.",
            "account_number": "000123456789",
            "routing_number": "021000021",
        },
        {"currency": "JPY", "holder": "Halyard Cloud KK", "account_number": "1234567", "routing_number": "0001001"},
        {"currency": "KWD", "holder": "Halyard Cloud W.L.L.", "iban": "KW81CBKU0000000000001234560101"},
    ],
}

HARBOR: dict[str, Any] = {
    "name": "The Honorable Company of Waterfront Logistics, Freight Forwarding and Customs Brokerage of Greater "
    "San Francisco and the Sacramento–San Joaquin River Delta, LLC",
    "email": "accounts-payable@waterfront.example",
    "additional_emails": ["controller@waterfront.example"],
    "external_customer_id": "crm/1001",
    "currency": "USD",
    "timezone": "America/Los_Angeles",
    "locale": "en-US",
    "billing_address": {
        "line1": "Pier 39, The Embarcadero",
        "city": "San Francisco",
        "state": "CA",
        "postal_code": "94133",
        "country": "US",
    },
    "tax_id": {"country": "US", "type": "us_ein", "value": "94-7654321"},
}
SAKURA: dict[str, Any] = {
    "name": "株式会社桜井電子製作所",
    "email": "keiri@sakurai.example",
    "external_customer_id": "crm/1002",
    "currency": "JPY",
    "timezone": "Asia/Tokyo",
    "locale": "ja-JP",
    "billing_address": {
        "line1": "神田淡路町2丁目101番地",
        "line2": "ワテラスタワー 12階",
        "city": "千代田区",
        "state": "東京都",
        "postal_code": "101-0063",
        "country": "JP",
    },
    "tax_id": {"country": "JP", "type": "jp_cn", "value": "1234567891234"},
}
KHALIJ: dict[str, Any] = {
    "name": "شركة الخليج للتجارة والمقاولات العامة ذ.م.م",
    "email": "finance@khalij.example",
    "external_customer_id": "crm/1003",
    "currency": "KWD",
    "timezone": "Asia/Kuwait",
    "locale": "ar-KW",
    "billing_address": {"line1": "شارع فهد السالم، برج الحمراء", "city": "مدينة الكويت", "country": "KW"},
}

# Name, unit, what a weekday of the middle customer comes to, decimals, and what weekends leave of it (percent).
METRICS = (
    ("API calls", "calls", 42_000, 0, 35),
    ("Storage", "GB-days", 880, 2, 100),
    ("Data transfer", "GB", 64, 3, 30),
    ("Build minutes", "minutes", 540, 1, 8),
    ("Active seats", "seat-days", 58, 0, 12),
)
DESCRIPTIONS = {
    "API calls": "Requests that your services made, successful or not.",
    "Storage": "What was stored at the end of each day.",
    "Data transfer": "What left our network.",
    "Build minutes": "Time that builds ran, to the tenth of a minute.",
    "Active seats": "People who signed in on that day.",
}

Terms = dict[str, Any]
HARBOR_TERMS: Terms = {
    "discounts": [{"type": "percentage_discount", "value": "0.10", "reason": "Two-year commitment"}],
    "tax_rates": [["San Francisco sales tax", "8.625"]],
}
SAKURA_TERMS: Terms = {"minimum": 250_000, "tax_rates": [["消費税", "10"]]}
KHALIJ_TERMS: Terms = {}
KHALIJ_CREDITS = Decimal("400")  # KWD, paid ahead
SCALE = {"USD": 100, "JPY": 55, "KWD": 30}  # percent: how large a customer is


def prices(currency: str) -> dict[str, dict[str, Any]]:
    """The plan in one currency: the platform's fee, and each metric's price."""
    return {
        "Platform": {**_unit(_PLATFORM[currency]), "fixed_price_quantity": 1},
        "API calls": _tiered(*_CALLS[currency]),
        "Storage": _unit(_STORAGE[currency]),
        "Data transfer": _tiered(*_TRANSFER[currency]),
        "Build minutes": _unit(_BUILDS[currency]),
        "Active seats": _unit(_SEATS[currency]),
    }


def used(currency: str, metric: str, day: date, days_ago: int) -> Decimal:
    """What the customer of that currency used on `day`: more on weekdays, and a little more each week."""
    name, _, typical, decimals, weekend = next(one for one in METRICS if one[0] == metric)
    chance = Random(f"{currency} {name} {days_ago}")
    percent = SCALE[currency] * (weekend if day.weekday() >= 5 else 100 + 4 * (2 - day.weekday()) ** 2)
    percent = percent * (220 - min(days_ago, 150)) // 220 * chance.randint(88, 112)
    if chance.random() < 0.02:
        percent = percent * 5 // 2  # a busy day
    return Decimal(typical * percent * 10**decimals // 10**6).scaleb(-decimals)


def _unit(amount: str) -> dict[str, Any]:
    return {"model_type": "unit", "unit_config": {"unit_amount": amount, "prorated": False, "scaling_factor": None}}


def _tiered(*tiers: tuple[int, int | None, str]) -> dict[str, Any]:
    listed = [{"first_unit": first, "last_unit": last, "unit_amount": amount} for first, last, amount in tiers]
    return {"model_type": "tiered", "tiered_config": {"tiers": listed, "prorated": False}}


_STORAGE = {"USD": "0.0231", "JPY": "3.4", "KWD": "0.00711"}
_BUILDS = {"USD": "0.008", "JPY": "1.2", "KWD": "0.0025"}
_SEATS = {"USD": "0.65", "JPY": "98", "KWD": "0.2"}
_PLATFORM = {"USD": "499.00", "JPY": "75000", "KWD": "153.500"}
_CALLS: dict[str, tuple[tuple[int, int | None, str], ...]] = {
    "USD": ((0, 250_000, "0.0008"), (250_000, 750_000, "0.00055"), (750_000, None, "0.00042")),
    "JPY": ((0, 250_000, "0.12"), (250_000, 500_000, "0.08"), (500_000, None, "0.065")),
    "KWD": ((0, 100_000, "0.00025"), (100_000, 250_000, "0.0002"), (250_000, None, "0.00015")),
}
_TRANSFER: dict[str, tuple[tuple[int, int | None, str], ...]] = {
    "USD": ((0, 500, "0.09"), (500, 1_000, "0.085"), (1_000, None, "0.07")),
    "JPY": ((0, 500, "13.5"), (500, None, "11")),
    "KWD": ((0, 200, "0.028"), (200, None, "0.022")),
}
