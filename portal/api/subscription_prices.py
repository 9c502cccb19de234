"""The prices of a new subscription: those of its plan, less what is removed, with what is replaced and added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from portal.api import errors
from portal.api.price_fields import bound, kept
from portal.api.price_making import instead_of, made
from portal.api.shapes import number
from portal.api.subscription_fields import AddedPrice, NewSubscription, Override, PriceTerms, ReplacedPrice, days
from portal.api.subscription_terms import Term, of_price
from portal.domain import money
from portal.models.account import Account
from portal.models.catalog import Price


@dataclass(frozen=True)
class Kept:
    """A price, and from when to when it is agreed; None: as the subscription is."""

    price: Price
    start: date | None = None
    end: date | None = None  # exclusive


@dataclass
class Agreement:
    """The prices of a subscription while it is made."""

    account: Account
    currency: str
    timezone: str
    now: datetime
    prices: list[Kept]
    instead: dict[str, str] = field(default_factory=dict)  # a price of the plan → the one in its place
    terms: list[Term] = field(default_factory=list)

    def customize(self, given: NewSubscription) -> None:
        """Removes, overrides, replaces and adds prices, in this order. Raises Problem."""
        for place, removed in enumerate(given.remove_prices or []):
            self.prices.remove(self._named(removed, f"remove_prices.{place}."))
        for place, override in enumerate(given.price_overrides or []):
            self._override(override, f"price_overrides.{place}.")
        for place, replaced in enumerate(given.replace_prices or []):
            self._replace(replaced, f"replace_prices.{place}.")
        for place, added in enumerate(given.add_prices or []):
            self._add(added, f"add_prices.{place}.")

    def covered(self, price_ids: Sequence[str]) -> list[str]:
        """What stands here in the place of some prices of the plan."""
        here = {one.price.id for one in self.prices}
        found = (self.instead.get(id, id) for id in price_ids)
        return [id for id in dict.fromkeys(found) if id in here]

    def _named(self, given: Any, where: str) -> Kept:
        if (given.price_id is None) == (given.external_price_id is None):
            raise errors.invalid_at(where, "Name the price by one of price_id and external_price_id.")
        name = "price_id" if given.price_id else "external_price_id"
        return self._found(given.price_id, given.external_price_id, where + name)

    def _found(self, id: str | None, external_id: str | None, where: str) -> Kept:
        for one in self.prices:
            if one.price.id == id or (external_id is not None and one.price.external_id == external_id):
                return one
        raise errors.invalid(f"{where} must name a price of the plan that was not removed or replaced.")

    def _override(self, given: Override, where: str) -> None:
        old = self._found(given.id, None, f"{where}id")
        config = f"{old.price.model_type}_config"
        if given.model_type not in (None, old.price.model_type):
            raise errors.invalid(f"{where}model_type must be {old.price.model_type}: an override changes numbers only.")
        said = given.given()
        changes: dict[str, Any] = {}
        if said.get(config) is not None:
            changes[config] = kept(said[config])
        if given.fixed_price_quantity is not None:
            changes |= _quantity(old.price, given.fixed_price_quantity, where)
        for kind in ("minimum", "maximum"):
            if f"{kind}_amount" in said:
                changes |= bound(kind, said[f"{kind}_amount"])
        if "discount" in said:
            changes["discount"] = given.discount.wire() if given.discount else None
        self._put(old, instead_of(old.price, changes, self.now, where))

    def _replace(self, given: ReplacedPrice, where: str) -> None:
        old = self._found(given.replaces_price_id, None, f"{where}replaces_price_id")
        if given.fixed_price_quantity is not None:
            if given.price or given.price_id or given.external_price_id:
                raise errors.invalid(f"{where}fixed_price_quantity stands instead of another price: give one of them.")
            changes = _quantity(old.price, given.fixed_price_quantity, where)
            new = instead_of(old.price, changes, self.now, where)
        else:
            new = self._own(given, where)
        self._put(old, new)
        self.terms += of_price(new, given, None, None, where)

    def _add(self, given: AddedPrice, where: str) -> None:
        start, end = days(given.start_date, given.end_date, self.timezone, where)
        price = self._own(given, where)
        if any(one.price.id == price.id for one in self.prices):
            raise errors.invalid(f"{where}price_id must name a price that the subscription does not have yet.")
        self.prices.append(Kept(price, start, end))
        self.terms += of_price(price, given, start, end, where)

    def _put(self, old: Kept, new: Price) -> None:
        if any(one.price.id == new.id for one in self.prices if one is not old):
            raise errors.invalid("A subscription can have each price once.")
        self.prices[self.prices.index(old)] = Kept(new, old.start, old.end)
        self.instead[old.price.id] = new.id
        self.instead |= {plan: new.id for plan, one in self.instead.items() if one == old.price.id}

    def _own(self, given: PriceTerms, where: str) -> Price:
        ways = [given.price, given.price_id, given.external_price_id]
        if sum(way is not None for way in ways) != 1:
            raise errors.invalid_at(where, "One of price, price_id and external_price_id must be given.")
        if given.price is not None:
            return made(self.account, [(f"{where}price.", given.price)], self.currency, self.now)[0]
        price = Price.of(self.account, id=given.price_id, external_id=given.external_price_id)
        if price is None:
            raise errors.not_found("Price")
        if price.currency != self.currency:
            raise errors.invalid_at(where, f"The price must be in {self.currency}, as the subscription is.")
        return price


def _quantity(price: Price, quantity: Any, where: str) -> dict[str, Any]:
    if price.metric_id is not None:
        raise errors.invalid(f"{where}fixed_price_quantity is for fees: what this price charges for is counted.")
    return {"fixed_price_quantity": money.plain(number(quantity))}
