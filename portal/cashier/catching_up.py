"""What is taken up again by itself: payments and refunds without an answer, and news that was missed or fitted nothing.

An answer that does not come ends a round; everything else of the worker goes on, and the gateway is left alone a while.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.cashier import collecting, hearing, returning, taking
from portal.gateways import Gateway, Refused, Unreachable
from portal.models import asking
from portal.models.base import db
from portal.models.gateway_event import GatewayCursor, GatewayEvent
from portal.models.payment import Payment

ACTOR = "system"
BATCH = 25  # asked about in one round
PATIENCE = timedelta(seconds=30)  # a gateway that does not answer is left alone for so long
READ_EVERY = timedelta(minutes=15)
OVERLAP = timedelta(hours=1)  # read again each time; what was told before is known by its id
FIRST_READ = timedelta(days=30)
POST_UNTIL = timedelta(hours=20)  # keys are only kept for 24 hours
KNOWN_UNTIL = timedelta(hours=24)
ORPHAN = timedelta(minutes=15)
HOUR = timedelta(hours=1)
SOON = timedelta(minutes=5)


@dataclass
class CatchingUp:
    """What one worker remembers of its gateway from round to round."""

    gateway: Gateway
    notify_url: str
    read_at: datetime | None = None
    quiet_until: datetime | None = None
    is_silent: bool = False

    @classmethod
    def at(cls, gateway: Gateway | None, base_url: str) -> CatchingUp | None:
        """None without a gateway. It is told to post its news to the portal at `base_url`."""
        return cls(gateway, f"{base_url}/webhooks/{gateway.name}") if gateway else None

    def deeds(self, now: datetime) -> Iterator[str]:
        """Does all that is due, and says each deed after it was done. A gateway that does not answer is said once."""
        if self.quiet_until and now < self.quiet_until:
            return
        try:
            yield from self._round(now)
        except Unreachable as error:
            self.quiet_until = now + PATIENCE
            if not self.is_silent:
                yield f"the gateway {self.gateway.name} does not answer ({error}); trying again"
            self.is_silent = True
        else:
            if self.is_silent:
                yield f"the gateway {self.gateway.name} answers again"
            self.is_silent = False

    def _round(self, now: datetime) -> Iterator[str]:
        yield from resolve(self.gateway, self.notify_url, now)
        yield from refunds(self.gateway, now)
        yield from collecting.collect(self.gateway, self.notify_url, now)
        if self.read_at is None or now - self.read_at >= READ_EVERY:
            yield from read(self.gateway, now)
            self.read_at = now
        yield from orphans(self.gateway, now)  # last: by now there may be what they are about


def resolve(gateway: Gateway, notify_url: str, now: datetime) -> Iterator[str]:
    """Live payments that are due. Raises Unreachable after the first without an answer."""
    asking.give_up_revoked(gateway.name, now)
    for payment in asking.payments(gateway.name, now, BATCH):
        try:
            after = _resolved(gateway, payment, notify_url, now)
        except Refused as error:  # it knows of no such payment: nothing is released without its word
            asking.postpone(payment, now + HOUR)
            yield f"the gateway knows nothing of payment {payment.id}: {error}"
            continue
        except Unreachable:
            asking.postpone(payment, now + SOON)  # longer than the silence: what comes after it gets its turn
            raise
        if after is payment:  # nothing was believed, or nothing found
            asking.postpone(payment, now + HOUR)
        if after.stage != payment.stage:
            yield f"payment {payment.id} is {after.stage} now"
        elif after.stage == "begun" and now - after.created_at >= KNOWN_UNTIL:
            if asking.unresolved(after, now, ACTOR):
                yield f"payment {payment.id} is not resolved after 24 hours: look for it at the gateway"
        elif after.tries > payment.tries:
            raise Unreachable(f"no answer about payment {payment.id}")


def _resolved(gateway: Gateway, payment: Payment, notify_url: str, now: datetime) -> Payment:
    if payment.gateway_ref is None:
        if now - payment.created_at < POST_UNTIL:
            return taking.ask(gateway, payment, notify_url, now, ACTOR)
        found = gateway.find(payment.id)
        return hearing.answered(payment, found, now, ACTOR) if found else payment
    if payment.stage == "action" and payment.gives_up_at and payment.gives_up_at <= now:
        after = taking.give_up(gateway, payment, now, ACTOR)
    else:
        after = hearing.answered(payment, gateway.look(payment.gateway_ref), now, ACTOR)
    if after.stage == "action" and after.gives_up_at and after.gives_up_at <= now:
        asking.postpone(after, now + SOON)
    return after


def refunds(gateway: Gateway, now: datetime) -> Iterator[str]:
    """Refunds whose answer never came. Raises Unreachable after the first without an answer."""
    for refund in asking.refunds(gateway.name, now, BATCH):
        if now - refund.created_at >= POST_UNTIL:  # the gateway's events will tell, or nobody
            asking.postpone(refund, now + HOUR)
            if now - refund.created_at >= KNOWN_UNTIL and asking.unresolved(refund, now, ACTOR):
                yield f"refund {refund.id} is not resolved after 24 hours: look for it at the gateway"
            continue
        after = returning.ask(gateway, refund, now, ACTOR)
        if after.stage == "begun":
            raise Unreachable(f"no answer about refund {refund.id}")
        yield f"refund {refund.id} is {after.stage} now"


def orphans(gateway: Gateway, now: datetime) -> Iterator[str]:
    """News that fitted nothing when it came: it may have overtaken what it is about."""
    for row in GatewayEvent.waiting(gateway.name, now, BATCH):
        with db.atomic():
            held = GatewayEvent.one(gateway.name, row.id)
            if held.applied_at or held.news is None or held.tries != row.tries:
                continue  # another worker was faster
            fits = hearing.apply(gateway.name, hearing.read(held.news), now, ACTOR)
            if fits:
                held.applied(now)
            else:
                held.keep(held.news, now)
            is_old = not fits and held.said_at is None and now - held.received_at >= ORPHAN
            if is_old:
                held.said(now)
        if fits:
            yield f"applied {row.type} ({row.id}), which had come too early"
        elif is_old:
            yield f"{row.type} ({row.id}) is about nothing that is known here"


def read(gateway: Gateway, now: datetime) -> Iterator[str]:
    """The other direction: every event of the gateway since the last one read, whether it was posted to us or not."""
    cursor = GatewayCursor.of(gateway.name)
    new, latest = 0, cursor
    for event in gateway.since(cursor - OVERLAP if cursor else now - FIRST_READ):
        new += hearing.told(gateway, event, now)
        latest = max(latest or event.at, event.at)  # by the gateway's clock: ours may be ahead
    if latest and latest != cursor:
        GatewayCursor.move(gateway.name, latest)
    if new:
        yield f"read {new} events that the gateway {gateway.name} had not told"
