"""Events as they arrive: told once or several times in a batch, and of customers who are known or not yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

from portal.models.base import among, many
from portal.models.event import exact_json
from portal.models.pipeline import sent

OTHER_BODY = "idempotency_key is used twice in this batch, for different events."


class Arrival(NamedTuple):
    """An event as it was told, and read."""

    key: str
    customer_id: str | None
    external_id: str | None  # this or the customer's own
    name: str
    at: int  # microseconds since 1970
    properties: dict[str, Any]


class Owner(NamedTuple):
    """The customer of an event."""

    id: str
    timezone: str


class Refused(ValueError):
    """Nothing of a batch was kept. `failed`: sentences for each key that was in the way."""

    def __init__(self, failed: Mapping[str, list[str]]) -> None:
        super().__init__("some events were refused")
        self.failed = dict(failed)


def each_once(arrivals: Iterable[Arrival], refused: dict[str, list[str]]) -> list[Arrival]:
    """In the order of their keys: of two batches with keys in common, one waits for the other, and never both.

    Raises Refused, for nobody knows which of two bodies was meant.
    """
    once: dict[str, Arrival] = {}
    twice = False
    for arrival in arrivals:
        first = once.setdefault(arrival.key, arrival)
        if arrival.key in refused or (first is not arrival and _body(first) != _body(arrival)):
            refused.setdefault(arrival.key, []).append(OTHER_BODY)
            twice = True
    if twice:
        raise Refused(refused)
    return sorted(once.values(), key=itemgetter(0))


def _body(arrival: Arrival) -> tuple[Any, ...]:
    return (*arrival[1:5], exact_json(dict(sorted(arrival.properties.items()))))


def owners(account_id: str, arrivals: Iterable[Arrival]) -> Callable[[], dict[str, Owner]]:
    """Asks for the customers of events. What is returned says them by the keys of the events that have one."""
    by_id, by_external_id = {}, {}
    for arrival in arrivals:
        if arrival.customer_id is not None:
            by_id[arrival.key] = arrival.customer_id
        elif arrival.external_id is not None:
            by_external_id[arrival.key] = arrival.external_id
    known = [_owners(account_id, column, names) for column, names in (("id", by_id), ("external_id", by_external_id))]
    return lambda: {key: owner for found in known for key, owner in found()}


def _owners(account_id: str, column: str, names: Mapping[str, str]) -> Callable[[], Iterator[tuple[str, Owner]]]:
    if not names:
        return lambda: iter(())
    sql = f"SELECT {column}, id, timezone FROM customer WHERE account_id = ? AND deleted_at IS NULL AND "  # noqa: S608 - ours
    there = sent(sql + among(column), account_id, many(set(names.values())))

    def known() -> Iterator[tuple[str, Owner]]:
        found = {name: Owner(id, timezone) for name, id, timezone in there()}
        return ((key, found[name]) for key, name in names.items() if name in found)

    return known
