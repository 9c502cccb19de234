"""Events arrive: each idempotency key of an account is kept once and counted once, however often it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from portal.models import base, measured
from portal.models.arrival import Arrival, Owner, Refused, each_once, owners
from portal.models.event import Backfill, EventHour
from portal.models.keeping import Keeper
from portal.models.measured import Measured
from portal.models.pipeline import pipelined
from portal.models.tallying import Tallies, day_of

STRANGER = "customer_id is the id of no customer; send external_customer_id where there is none yet."
NOT_HERS = "This backfill is for another customer."


@dataclass
class Outcome:
    """What became of the keys of a batch."""

    ingested: list[str] = field(default_factory=list)
    duplicate: list[str] = field(default_factory=list)
    failed: dict[str, list[str]] = field(default_factory=dict)  # sentences for each key that was not kept


def share(account_id: str) -> None:
    """Before events are added, until the transaction ends: nobody counts anything again meanwhile."""
    base.share(f"events {account_id}")


def claim(account_id: str) -> None:
    """Before anything is counted again, or what is counted changes: nobody adds events until the transaction ends."""
    base.claim(f"events {account_id}")


def ingest(
    account_id: str,
    arrivals: Sequence[Arrival],
    now: datetime,
    *,
    backfill: Backfill | None = None,
    failed: Mapping[str, list[str]] | None = None,
    whole: bool = False,
) -> Outcome:
    """Keeps and counts those of `arrivals` whose keys are new; events of a backfill count once it is closed.

    Within a transaction, after `share`. `failed`: others of the batch, which were refused before. Raises Refused for a
    key with two bodies and, where the batch is to be kept `whole`, for any event that cannot be kept.
    """
    refused = dict(failed or {})
    with pipelined():
        asked, known = measured.asked(account_id), owners(account_id, arrivals)
        batch = each_once(arrivals, refused)
    metrics, found = () if backfill else asked(), known()
    batch = _attributed(batch, found, backfill, refused)
    if refused and whole:
        raise Refused(refused)
    keeper = Keeper(account_id, found, now, backfill)
    with pipelined():
        kept = keeper.keep(batch)
        # As if all were new, while the database finds out whether they are.
        tallies = _tallied(metrics, batch, found).ready()
    new, fresh = batch, kept()
    if len(fresh) < len(batch):
        fresh |= keeper.keep_again([arrival for arrival in batch if arrival.key not in fresh], refused)
        if refused and whole:
            raise Refused(refused)
        new = [arrival for arrival in batch if arrival.key in fresh]
        tallies = _tallied(metrics, new, found)
    with pipelined():
        tallies.add()
        EventHour.add(account_id, [arrival.at for arrival in new])
        before = [arrival.key for arrival in arrivals if arrival.key not in fresh and arrival.key not in refused]
        return Outcome([arrival.key for arrival in new], before, refused)


def _attributed(
    batch: list[Arrival], found: Mapping[str, Owner], backfill: Backfill | None, refused: dict[str, list[str]]
) -> list[Arrival]:
    """Those that can be kept: nobody may be the customer of an event yet, but an id that is told must be there."""
    hers = backfill.customer_id if backfill else None
    if hers is None and len(found) == len(batch):  # as nearly always
        return batch
    for arrival in batch:
        owner = found.get(arrival.key)
        if owner is None and arrival.customer_id is not None:
            refused.setdefault(arrival.key, []).append(STRANGER)
        elif hers and (owner is None or owner.id != hers):
            refused.setdefault(arrival.key, []).append(NOT_HERS)
    return [arrival for arrival in batch if arrival.key not in refused] if refused else batch


def _tallied(metrics: Sequence[Measured], new: Sequence[Arrival], found: Mapping[str, Owner]) -> Tallies:
    tallies = Tallies(metrics)
    if metrics:
        for key, _, _, name, at, properties in new:
            owner = found.get(key)
            if owner is not None:
                tallies.take(owner.id, day_of(at, owner.timezone), name, at, properties)
    return tallies
