"""`portal backfill`: a file of events is loaded as one backfill, which counts once all of it is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import click

from portal.cli import progress
from portal.cli.desk import ACTOR, House, Refused, account_option, chosen_account, now, said, with_database
from portal.models import backfill as backfills
from portal.models import ingestion
from portal.models.account import Account
from portal.models.arrival import Arrival
from portal.models.base import db, instant
from portal.models.event import Backfill

BATCH = 500  # events that are kept together
MOST_TOLD = 20  # lines of which it is said what is wrong with them
SECOND = timedelta(seconds=1)
MARK = b"\xef\xbb\xbf"  # which some programs put before UTF-8


@dataclass
class Found:
    """What a file has in it."""

    events: int = 0
    first: int = 0  # microseconds since 1970
    last: int = 0

    def take(self, at: int) -> None:
        self.first, self.last = (min(self.first, at), max(self.last, at)) if self.events else (at, at)
        self.events += 1

    @property
    def timeframe(self) -> tuple[datetime, datetime]:
        """Whole seconds that hold all events; the end is exclusive."""
        start, last = (instant(at).replace(microsecond=0) for at in (self.first, self.last))
        return start, last + SECOND


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@account_option
@with_database
def backfill(house: House, file: Path, account_id: str | None) -> None:
    """Loads the events of FILE as one backfill, and prints its id.

    Each line is an event as POST /v1/ingest takes it. All lines are read before anything is kept. Run it again after
    an interruption: it goes on where it stopped, since each idempotency key is kept once.
    """
    account = chosen_account(account_id)
    found = _checked(file, house.now)
    start, end = found.timeframe
    days, most = (end - start).days, backfills.LONGEST.days
    if end - start > backfills.LONGEST:
        raise Refused(f"The events are of {days} days: a backfill may have {most}. Split the file.")
    under_way = _begun(account, start, end)
    if under_way:
        said(f"Going on with the backfill {under_way.id}.")
    made = under_way or backfills.begin(
        account, house.now, ACTOR, start=start, end=end, customer=None, close_at=None, replaces=False,
        deprecation_filter=None,
    )  # fmt: skip
    kept = _loaded(file, made, found.events, house.now)
    said("Counting what was used on each day …")
    backfills.close(made, now(), ACTOR)
    said(f"{kept} events loaded, {found.events - kept} were there before. To take them back, revert the backfill.")
    click.echo(made.id)


def _begun(account: Account, start: datetime, end: datetime) -> Backfill | None:
    """The one that an earlier run has left open."""
    same = (Backfill.timeframe_start == start, Backfill.timeframe_end == end, Backfill.customer.is_null())
    return (
        Backfill.select()
        .where(Backfill.account == account, Backfill.status == "pending", ~Backfill.replaces, *same)
        .order_by(Backfill.created_at.desc())
        .first()
    )


def _checked(file: Path, at: datetime) -> Found:
    """Raises Refused, after it was said of the first lines with a mistake what is wrong with them."""
    found, wrong = Found(), 0
    with progress.told(f"Reading {file.name}", file.stat().st_size) as told:
        for number, arrival, sentences in _events(file, at, told):
            if arrival and not sentences:
                found.take(arrival.at)
                continue
            wrong += 1
            if wrong <= MOST_TOLD:
                said(f"line {number}: {' '.join(sentences)}")
    if wrong:
        raise Refused(f"{wrong} lines of {file.name} cannot be used. Nothing was loaded.")
    if not found.events:
        raise Refused(f"{file.name} has no events in it.")
    return found


def _loaded(file: Path, made: Backfill, events: int, at: datetime) -> int:
    """Keeps the events, some at a time, and says how many of them are new."""
    kept = 0
    with progress.told(f"Loading {events} events", events) as told:
        for batch in _batches((number, arrival) for number, arrival, _ in _events(file, at) if arrival):
            kept += _kept(made, batch)
            told(len(batch))
    return kept


def _kept(made: Backfill, batch: list[tuple[int, Arrival]]) -> int:
    try:
        with db.atomic():
            ingestion.share(made.account_id)
            held = Backfill.get_by_id(made.id)
            if held.status != "pending":
                raise Refused(f"The backfill {made.id} is {held.status} by now: run the command again.")
            arrivals = [arrival for _, arrival in batch]
            return len(ingestion.ingest(made.account_id, arrivals, now(), backfill=held, whole=True).ingested)
    except ingestion.Refused as refused:
        lines = {arrival.key: number for number, arrival in batch}
        for key, sentences in islice(refused.failed.items(), MOST_TOLD):
            said(f"line {lines[key]}: {' '.join(sentences)}")
        raise Refused(
            f"Nothing of lines {batch[0][0]} to {batch[-1][0]} was kept. Put the file right and run the command again: "
            f"it goes on from here, in the backfill {made.id}."
        ) from refused


def _batches(events: Iterable[tuple[int, Arrival]]) -> Iterator[list[tuple[int, Arrival]]]:
    left = iter(events)
    while batch := list(islice(left, BATCH)):
        yield batch


def _events(
    file: Path, at: datetime, told: Callable[[int], None] = lambda size: None
) -> Iterator[tuple[int, Arrival | None, list[str]]]:
    """Each line that is not empty: its number, the event, and what is wrong with it."""
    from portal.api import arrivals, strict_json

    ever = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    bounds = arrivals.Bounds(at, 0, ever)
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            told(len(line))
            text = (line.removeprefix(MARK) if number == 1 else line).strip()
            if not text:
                continue
            try:
                read = arrivals.Read([strict_json.loads(text)], bounds)
            except strict_json.Ambiguous as error:
                yield number, None, [str(error)]
                continue
            failed = [sentence for sentences in read.failed.values() for sentence in sentences]
            yield number, read.arrivals[0] if read.arrivals else None, failed
