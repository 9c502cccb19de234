"""Events as programs tell them, read one by one: what is wrong with each is said by its key."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from portal.api.fields import MOMENT, YEARS
from portal.domain import money
from portal.models.arrival import Arrival
from portal.models.base import EPOCH, micros

FIELDS = ("event_name", "idempotency_key", "timestamp", "properties", "customer_id", "external_customer_id")
KNOWN = frozenset(FIELDS)
LONGEST = {"event_name": 500, "idempotency_key": 255, "customer_id": 255, "external_customer_id": 255}
MOST_PROPERTIES = 200
LONGEST_NAME = 200  # characters of a property's name
LONGEST_TEXT = 5000  # characters of a property's text
DIGITS = 18  # before the point: sums of a million such numbers are still quantities
LARGEST = 10**DIGITS
AHEAD = timedelta(minutes=5)
BREAK = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
FIRST_YEAR, LAST_YEAR = YEARS[0], YEARS[-1]
MICROSECOND = timedelta(microseconds=1)


class Bounds:
    """The instants that events may have."""

    def __init__(self, now: datetime, grace_hours: int, timeframe: tuple[datetime, datetime] | None = None) -> None:
        self._latest = micros(now + AHEAD)
        self._first = micros(now - timedelta(hours=grace_hours)) if timeframe is None else micros(timeframe[0])
        self._after = None if timeframe is None else micros(timeframe[1])
        self._told = (
            f"timestamp is older than {grace_hours} hours: tell of it in a backfill, POST /v1/events/backfills."
            if timeframe is None
            else f"timestamp must lie in the backfill's timeframe, from {timeframe[0].isoformat()} to before "
            f"{timeframe[1].isoformat()}."
        )

    def refusal(self, at: int) -> str | None:
        if at > self._latest:
            return "timestamp must be at most 5 minutes ahead of now."
        if at < self._first or (self._after is not None and at >= self._after):
            return self._told
        return None


class Read:
    """A batch, read: the events that can be kept, and what is wrong with the others."""

    def __init__(self, given: Iterable[Any], bounds: Bounds) -> None:
        self.arrivals: list[Arrival] = []
        self.failed: dict[str, list[str]] = {}
        for number, event in enumerate(given):
            wrong: list[str] = []
            arrival = _arrival(event, bounds, wrong)
            if wrong:
                key = arrival.key if arrival.key else f"events.{number}"
                self.failed.setdefault(key, []).extend(wrong)
            else:
                self.arrivals.append(arrival)


def _arrival(given: Any, bounds: Bounds, wrong: list[str]) -> Arrival:
    if type(given) is not dict:
        wrong.append("An event must be an object.")
        return Arrival("", None, None, "", 0, {})
    if not given.keys() <= KNOWN:
        wrong.extend(f"{name[:100]} is not known here." for name in given if name not in KNOWN)
    key = text(given, "idempotency_key", wrong)
    if "/" in key and key.endswith("/deprecate"):
        wrong.append("idempotency_key must not end in /deprecate: that is a path of this API.")
    name = text(given, "event_name", wrong)
    customer_id, external_id = customer(given, wrong)
    at = instant(given.get("timestamp"), wrong)
    if at is not None:
        refusal = bounds.refusal(at)
        if refusal:
            wrong.append(refusal)
    return Arrival(key, customer_id, external_id, name, at or 0, properties(given.get("properties"), wrong))


def customer(given: dict[str, Any], wrong: list[str]) -> tuple[str | None, str | None]:
    """Her id, or her external id."""
    customer_id, external_id = given.get("customer_id"), given.get("external_customer_id")
    if (customer_id is None) == (external_id is None):
        wrong.append("Exactly one of customer_id and external_customer_id must be given.")
    elif customer_id is not None:
        return text(given, "customer_id", wrong), None
    else:
        return None, text(given, "external_customer_id", wrong)
    return None, None


def text(given: dict[str, Any], field: str, wrong: list[str]) -> str:
    """One line of text, which must be there."""
    value = given.get(field)
    if (
        type(value) is str
        and value.isascii()
        and value.isprintable()
        and value.strip()
        and len(value) <= LONGEST[field]
    ):
        return value
    if value is None:
        wrong.append(f"{field} is required.")
    elif not isinstance(value, str):
        wrong.append(f"{field} must be text.")
    elif not value.strip():
        wrong.append(f"{field} must not be blank.")
    elif len(value) > LONGEST[field]:
        wrong.append(f"{field} may have at most {LONGEST[field]} characters.")
    elif BREAK.search(value):
        wrong.append(f"{field} must be one line without control characters.")
    else:
        return value
    return ""


def instant(given: Any, wrong: list[str]) -> int | None:
    """Microseconds since 1970. What has no offset is UTC, and a mere date its midnight."""
    if given is None:
        wrong.append("timestamp is required.")
        return None
    found = MOMENT.fullmatch(given) if type(given) is str else None
    if found is None:
        wrong.append("timestamp must be an instant in ISO 8601, such as 2026-11-23T12:00:00Z.")
        return None
    day, time, zone = found.groups()
    try:
        value = datetime.fromisoformat(given.upper() if zone else f"{day}T{time or '00:00'}Z")
    except ValueError:
        wrong.append("timestamp must be a day and a time that exist.")
        return None
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        wrong.append(f"timestamp must lie between {FIRST_YEAR} and {LAST_YEAR}.")
        return None
    return (value - EPOCH) // MICROSECOND


def properties(given: Any, wrong: list[str]) -> dict[str, Any]:
    """Text, numbers, true and false by name; null is as good as nothing."""
    if type(given) is not dict:
        wrong.append("properties must be an object, which may be empty.")
        return {}
    if len(given) > MOST_PROPERTIES:
        wrong.append(f"properties may have at most {MOST_PROPERTIES} names.")
        return {}
    kept: dict[str, Any] = {}
    for name, value in given.items():
        kind = type(value)
        if len(name) > LONGEST_NAME or not name:
            wrong.append(f"The name of a property must have 1 to {LONGEST_NAME} characters.")
        elif kind is str:
            if len(value) > LONGEST_TEXT:
                wrong.append(f"properties.{name} may have at most {LONGEST_TEXT} characters.")
            kept[name] = value
        elif kind is int or kind is Decimal:
            number = _number(value)
            if number is None:
                wrong.append(f"properties.{name} may have at most {DIGITS} digits and {money.DIGITS} decimals.")
            kept[name] = number
        elif kind is bool:
            kept[name] = value
        elif value is not None:
            wrong.append(f"properties.{name} must be text, a number, true or false: properties are not nested.")
    return kept


def _number(value: int | Decimal) -> int | Decimal | None:
    if type(value) is int:
        return value if -LARGEST < value < LARGEST else None
    if len(text := str(value)) <= DIGITS and text.replace(".", "0", 1).isdecimal():  # as nearly all are
        return value
    if not -LARGEST < value < LARGEST:
        return None
    try:
        return money.number(value)
    except money.NotRepresentable:
        return None
