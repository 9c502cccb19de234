"""What the demo's customers use, as their meters tell it: some events a metric and day, the same ones every time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from portal.domain import periods

SCALE = {"USD": 100, "JPY": 55, "KWD": 30}  # percent: how large a customer is
PEOPLE = {"USD": 24, "JPY": 13, "KWD": 7}
# What falls to each region, storage class and machine: per mille of a day.
REGIONS = {
    "USD": {"us-east": 620, "eu-west": 270, "ap-south": 110},
    "JPY": {"us-east": 180, "eu-west": 90, "ap-south": 730},
    "KWD": {"us-east": 150, "eu-west": 640, "ap-south": 210},
}
CLASSES = {"hot": 700, "cold": 300}
MACHINES = {"standard": 760, "large": 240}
SURFACES = ("REST", "REST", "GraphQL", "webhooks")
PROJECTS = ("tracking", "customs", "portal")

# Metric: what a weekday of a customer of 100 percent comes to, decimals, and what weekends leave of it (percent).
TYPICAL = {
    "API calls": (42_000, 0, 35),
    "Storage": (880, 2, 100),
    "Data transfer": (64, 3, 30),
    "Build minutes": (540, 1, 8),
}


def events(customer: dict[str, Any], day: date, days_ago: int) -> Iterator[dict[str, Any]]:
    """What happened on one of the customer's days, in order."""
    midnight = periods.midnight(day, customer["timezone"])
    named = customer["external_customer_id"]
    found = sorted(_told(customer["currency"], day, days_ago), key=lambda told: told[0])
    for number, (minute, name, properties) in enumerate(found):
        yield {
            "event_name": name,
            "idempotency_key": f"{named}:{day}:{number}",
            "external_customer_id": named,
            "timestamp": (midnight + timedelta(minutes=minute)).isoformat(),
            "properties": properties,
        }


def at(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["timestamp"])


def _told(currency: str, day: date, days_ago: int) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Minute of the day, name and properties of each event."""
    chance = Random(f"{currency} events {days_ago}")

    def parts(metric: str, shares: dict[str, int]) -> Iterator[tuple[int, str, Any]]:
        yield from _parts(used(currency, metric, day, days_ago), -TYPICAL[metric][1], shares)

    for place, region, calls in parts("API calls", REGIONS[currency]):
        called = {"region": region, "surface": chance.choice(SURFACES), "answer": "ok"}
        yield 545 + 190 * place + chance.randrange(60), "api.calls", {**called, "calls": int(calls)}
    for place, region, sent in parts("Data transfer", REGIONS[currency]):
        minute = 610 + 170 * place + chance.randrange(60)
        yield minute, "transfer.measured", {"region": region, "direction": "out", "gigabytes": sent}
    for _, kind, stored in parts("Storage", CLASSES):
        yield 1370, "storage.measured", {"class": kind, "gigabytes": stored}
    for _, machine, ran in parts("Build minutes", MACHINES):
        built = {"machine": machine, "project": chance.choice(PROJECTS)}
        yield 660 + chance.randrange(300), "build.finished", {**built, "minutes": ran}
    came = 1 + chance.randrange(2) if day.weekday() >= 5 else 3 + chance.randrange(4)
    for person in chance.sample(range(PEOPLE[currency]), came):
        yield 480 + chance.randrange(240), "person.signed_in", {"person": f"u-{person:03d}"}


def _parts(whole: Decimal, exponent: int, shares: dict[str, int]) -> Iterator[tuple[int, str, Decimal]]:
    """`whole` in parts of so many per mille each, which add up: place, name and part."""
    left = whole
    for place, (name, share) in enumerate(shares.items(), 1):
        part = left if place == len(shares) else (whole * share / 1000).quantize(Decimal(1).scaleb(exponent))
        left -= part
        yield place - 1, name, part


def used(currency: str, metric: str, day: date, days_ago: int) -> Decimal:
    """What the customer of that currency used on `day`: more on weekdays, and a little more each week."""
    typical, decimals, weekend = TYPICAL[metric]
    chance = Random(f"{currency} {metric} {days_ago}")
    percent = SCALE[currency] * (weekend if day.weekday() >= 5 else 100 + 4 * (2 - day.weekday()) ** 2)
    percent = percent * (220 - min(days_ago, 150)) // 220 * chance.randint(88, 112)
    if chance.random() < 0.02:
        percent = percent * 5 // 2  # a busy day
    return Decimal(typical * percent * 10**decimals // 10**6).scaleb(-decimals)
