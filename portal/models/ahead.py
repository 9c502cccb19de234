"""Prepaid credits as they will be: what bills that come first will have left of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from portal.domain import periods
from portal.models.credit import CreditBlock, held, shared, worth


class Ahead:
    """The blocks of one customer. Bills use them up one after the other, in memory: nothing is written."""

    def __init__(self, blocks: Sequence[CreditBlock], timezone: str, now: datetime) -> None:
        self._blocks, self._timezone, self._now = blocks, timezone, now

    @classmethod
    def of(cls, customer_id: str, timezone: str, now: datetime) -> Ahead:
        """One query."""
        return cls(CreditBlock.holding(customer_id), timezone, now)

    def at_hand(self, currency: str, day: date) -> int:
        """How many minor units a bill of `day` will find."""
        return held(self._counting(currency, day), currency)

    def use(self, currency: str, day: date, minor: int) -> None:
        """What a bill of `day` takes is not there for later ones."""
        for block, share in shared(self._counting(currency, day), worth(minor, currency))[0].values():
            block.leave(share)

    def _counting(self, currency: str, day: date) -> list[CreditBlock]:
        at = max(self._now, periods.midnight(day, self._timezone))
        counting = [one for one in self._blocks if one.currency == currency and one.counts(at)]
        return sorted(counting, key=CreditBlock.order)
