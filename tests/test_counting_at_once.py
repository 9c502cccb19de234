"""Real processes that tell of events, and change what is counted, at the same moment: each event counts once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from portal.models import amending, backfill, erasing, ingestion, recounting
from portal.models.account import Account
from portal.models.arrival import Arrival
from portal.models.base import db, micros
from portal.models.catalog import Item, Metric
from portal.models.customer import Customer
from portal.models.event import Backfill, EventHour
from portal.models.event import Event as Row
from portal.models.usage import UsageDay
from tests.crowd import Crowd, Refusal, gathered

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
YESTERDAY = NOW - timedelta(days=1)
PROCESSES = 12
SQL = ["SELECT COUNT(*) FROM events", "SELECT MAX(n) FROM events", "SELECT COUNT(DISTINCT who) FROM events"]


@pytest.fixture(scope="module")
def crowd(migrated: str) -> Iterator[Crowd]:
    with gathered(migrated, PROCESSES) as crowd:
        yield crowd


def arrivals(keys: list[str], external_ids: list[str], at: datetime = NOW) -> list[Arrival]:
    """What any key says of itself is the same wherever it is told."""
    found = []
    for key in keys:
        chance = random.Random(key)
        properties = {"n": chance.randrange(100), "who": chance.choice("abcdef")}
        found.append(Arrival(key, None, chance.choice(external_ids), "call", micros(at), properties))
    return found


def ingest(account_id: str, batches: list[list[str]], external_ids: list[str]) -> list[str]:
    done = []
    for keys in batches:
        with db.atomic():
            ingestion.share(account_id)
            done += ingestion.ingest(account_id, arrivals(keys, external_ids), NOW).ingested
    return done


def do(what: str, account_id: str, *more: Any) -> Any:
    """One deed of a process: telling of events, or something that changes what they come to."""
    account = Account.get_by_id(account_id)
    if what == "ingest":
        return ingest(account_id, *more)
    with db.atomic():
        if what == "measure":
            item = Item.select().where(Item.account == account).get()
            metric = Metric.create(account=account, item=item, created_at=NOW, name=more[0], sql=more[0])
            recounting.recount_metric(metric)
        elif what == "arrive":
            recounting.attribute(Customer.add(account, NOW, "test", name="L", email="l@l.example", external_id=more[0]))
        elif what == "deprecate":
            for key in more[0]:
                event = amending.held(account, key)
                if event:
                    amending.deprecate(event, NOW, "test")
        elif what == "erase":
            erasing.erase(Customer.get_by_id(more[0]), NOW, "test")
        elif what == "fill":
            begun = backfill.begin(
                account,
                NOW,
                "test",
                start=YESTERDAY - timedelta(hours=1),
                end=YESTERDAY,
                customer=None,
                close_at=None,
                replaces=False,
                deprecation_filter=None,
            )
            told = arrivals(more[0], more[1], YESTERDAY - timedelta(minutes=1))
            ingestion.ingest(account_id, told, NOW, backfill=begun)
            backfill.close(begun, NOW, "test")
    return None


def fresh(answers: list[Any]) -> list[str]:
    assert not [answer for answer in answers if isinstance(answer, Refusal)], answers
    return [key for answer in answers for key in answer or []]


def kept(account: Account) -> dict[tuple[str, ...], tuple[Decimal, int]]:
    metrics = list(Metric.select().where(Metric.account == account))
    rows = UsageDay.select().where(UsageDay.metric.in_([metric.id for metric in metrics]))
    return {(row.metric_id, row.customer_id, row.day.isoformat()): (Decimal(row.quantity), row.count) for row in rows}


def recounted(account: Account) -> dict[tuple[str, ...], tuple[Decimal, int]]:
    found: dict[tuple[str, ...], tuple[Decimal, int]] = {}
    for metric in Metric.select().where(Metric.account == account):
        events: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for row in Row.select().where(Row.account == account, Row.counts, Row.customer.is_null(False)):
            day = row.at.date().isoformat()
            events.setdefault((metric.id, row.customer_id or "", day), []).append(row.properties)
        for key, of in events.items():
            if "MAX" in metric.sql:
                quantity = max(each["n"] for each in of)
            else:
                quantity = len({each["who"] for each in of}) if "DISTINCT" in metric.sql else len(of)
            found[key] = (Decimal(quantity), len(of))
    return found


@pytest.fixture
def measured(acme, given) -> Account:
    for sql in SQL[:2]:
        metric = given.metric(acme, sql)
        Metric.update(sql=sql).where(Metric.id == metric.id).execute()
    return acme


def test_the_same_events_told_by_many_at_once_count_once(crowd, measured, given):
    ids = [given.customer(measured, external_id=f"c{n}").external_id for n in range(4)]
    chance = random.Random(4)
    keys = [f"k{n}" for n in range(300)]

    batches = [[chance.sample(keys, 60) for _ in range(5)] for _ in range(PROCESSES)]
    told = {key for each in batches for batch in each for key in batch}
    ingested = fresh(crowd.all(ingest, [(measured.id, each, ids) for each in batches]))

    assert sorted(ingested) == sorted(told)
    assert kept(measured) == recounted(measured)
    assert sum(row.count for row in EventHour.select().where(EventHour.account == measured)) == len(told)


@pytest.mark.parametrize("turn", range(3))
def test_what_is_counted_may_change_while_events_arrive(crowd, measured, given, turn):
    ids = [given.customer(measured, external_id=f"c{n}").external_id for n in range(3)]
    gone = given.customer(measured, external_id="gone")
    everyone = [*ids, "later", "gone"]
    first = [f"a{n}" for n in range(100)]
    ingest(measured.id, [first], everyone)
    deeds: list[tuple[Any, ...]] = [
        ("measure", measured.id, SQL[2]),
        ("measure", measured.id, "SELECT COUNT(*) FROM events WHERE event_name = 'call'"),
        ("arrive", measured.id, "later"),
        ("deprecate", measured.id, first[:10]),
        ("deprecate", measured.id, first[5:20]),
        ("erase", measured.id, gone.id),
        ("fill", measured.id, [f"f{n}" for n in range(50)], ids),
    ]
    while len(deeds) < PROCESSES:
        mine = [[f"{len(deeds)}-{batch}-{n}" for n in range(40)] for batch in range(6)]
        deeds.append(("ingest", measured.id, mine, everyone))
    random.Random(turn).shuffle(deeds)

    answers = crowd.all(do, deeds)

    assert not [answer for answer in answers if isinstance(answer, Refusal)], answers
    assert len(kept(measured)) > 10
    assert kept(measured) == recounted(measured)
    assert Backfill.select().where(Backfill.account == measured, Backfill.status == "reflected").count() == 1
    later = Customer.of(measured, external_id="later")
    assert Row.select().where(Row.account == measured, Row.external_id == "later").count() > 10
    assert not Row.select().where(Row.account == measured, Row.external_id == "later", Row.customer != later).count()
