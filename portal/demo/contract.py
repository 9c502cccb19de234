"""A customer's subscription in the demo's books: how it begins, how usage arrives, and what becomes of its invoices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from portal.delivery import worker
from portal.demo import catalog, meters
from portal.demo.office import Office, Then
from portal.domain import periods
from portal.domain.periods import Period
from portal.models.subscription import Subscription

BATCH = 500  # events
# Days of a month: what was used since the last of them arrives together. Those with a threshold cannot wait for long.
LOADED_ON = (1,)
LOADED_SOON = (1, 11, 21)
LIVE = timedelta(hours=6)  # the newest events come one by one, as they happen
HOUR = timedelta(hours=1)


class Contract:
    def __init__(
        self, office: Office, customer: dict[str, Any], start: date, terms: dict[str, Any], made: dict[str, Any]
    ) -> None:
        """`terms` are more fields of the subscription.

        `made` is where the last invoice of each kind is kept: "period USD", "part USD", "first USD".
        """
        self.office, self.customer, self.start, self.terms, self.made = office, customer, start, terms, made
        self.loaded_on = LOADED_SOON if "invoicing_threshold" in terms else LOADED_ON
        self.currency, self.timezone = customer["currency"], customer["timezone"]
        self.today = periods.local_day(office.now, self.timezone)
        self._seen: set[str] = set()

    def begin(self, then: Then) -> None:
        """Subscribes her on the first day, loads what she uses from then on, and bills it."""

        def subscribe() -> None:
            wanted = {"customer_id": self.customer["id"], "start_date": self.start.isoformat(), **self.terms}
            named = {"external_plan_id": f"scale-{self.currency.lower()}"}
            self.id = self.office.call("POST", "/subscriptions", wanted | named)["id"]
            taxes = {"tax_rates": catalog.TAXES[self.currency]}  # which the API does not have yet
            row = Subscription.get_by_id(self.id)
            Subscription.update(terms={**row.terms, **taxes}).where(Subscription.id == self.id).execute()
            self._work(then)

        self.office.on(periods.midnight(self.start, self.timezone) + HOUR, subscribe)
        for days in self._loads():
            moment = min(periods.midnight(days.end, self.timezone) + HOUR, self.office.now)
            self.office.on(moment, partial(self._load, days, then))
        for end in (days.end for days in self._loads() if days.end.day == 1):
            self.office.on(periods.midnight(end, self.timezone) + 13 * HOUR, lambda: self._work(then))

    def _loads(self) -> Iterator[Period]:
        """The days from the first one to today, in the parts that arrive together."""
        start = self.start
        while start <= self.today:
            end = start + timedelta(days=1)
            while end <= self.today and end.day not in self.loaded_on:
                end += timedelta(days=1)
            yield Period(start, end)
            start = end

    def _load(self, days: Period, then: Then) -> None:
        """What was used on some days: in a backfill, but for what is as good as live."""
        moment = self.office.moment
        found = [event for day in days.days() for event in meters.events(self.customer, day, (self.today - day).days)]
        start, end = (periods.midnight(day, self.timezone) for day in (days.start, days.end))
        if end > moment:
            end = moment - LIVE
        late = [event for event in found if meters.at(event) < end]
        live = [event for event in found if end <= meters.at(event) <= moment]
        if late:
            self._backfill(start, end, late)
        if live:
            self.office.call("POST", "/ingest", {"events": live})
        if self.loaded_on is LOADED_SOON:
            self._work(then)

    def _backfill(self, start: datetime, end: datetime, events: list[dict[str, Any]]) -> None:
        frame = {"timeframe_start": start.isoformat(), "timeframe_end": end.isoformat()}
        wanted = {**frame, "customer_id": self.customer["id"]}
        backfill = self.office.call("POST", "/events/backfills", wanted)["id"]
        for n in range(0, len(events), BATCH):
            self.office.call("POST", f"/ingest?backfill_id={backfill}", {"events": events[n : n + BATCH]})
        self.office.call("POST", f"/events/backfills/{backfill}/close", {})

    def _work(self, then: Then) -> None:
        """What the worker does at this moment, and then what becomes of the invoices that it issued."""
        done = list(worker.deeds(self.office.moment, self.office.kid))
        found = self.office.call("GET", f"/invoices?subscription_id={self.id}&limit=5")["data"] if done else []
        for invoice in reversed(found):
            if invoice["id"] not in self._seen:
                self._seen.add(invoice["id"])
                kind = {"subscription": "period", "partial": "part"}[invoice["invoice_source"]]
                self.made[f"{kind if len(self._seen) > 1 else 'first'} {self.currency}"] = invoice
                then(invoice)
