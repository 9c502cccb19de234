"""Views that ask a gateway: they hold no transaction meanwhile, and what they have begun is begun once a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from peewee import Model

from portal import current
from portal.api import errors, idempotency
from portal.gateways import Gateway
from portal.models.base import db

View = TypeVar("View", bound=Callable[..., Any])
Begun = TypeVar("Begun", bound=Model)

NO_GATEWAY = "No payment gateway is set up here. Set PORTAL_GATEWAY, or record what was paid elsewhere with mark_paid."
OTHER_MODE = "The gateway that is set up here moves {gateway} money, and this account is in {mode} mode."


def asks_gateway(view: View) -> View:
    """Marks a view that is to run outside any transaction; it opens its own ones, before and after it asks."""
    view.asks_gateway = True  # type: ignore[attr-defined]  # read by `does` only
    return view


def does(view: Callable[..., Any]) -> bool:
    return getattr(view, "asks_gateway", False)


def gateway() -> Gateway:
    """The gateway that serves this account. Raises Problem where there is none."""
    found: Gateway | None = current.gateway()
    if found is None:
        raise errors.constraint(NO_GATEWAY)
    mode = current.account().mode
    if found.live != (mode == "live"):
        raise errors.constraint(OTHER_MODE.format(gateway="real" if found.live else "play", mode=mode))
    return found


def once(model: type[Begun], begin: Callable[[], Begun]) -> Begun:
    """What `begin` makes; where an earlier request with the same Idempotency-Key broke off, what that one has made.

    The row and the key's knowledge of it are one transaction, so a crash before the gateway's answer, or after it,
    never begins a second one.
    """
    before = idempotency.begun()
    if before is not None:
        found: Begun = model.get_by_id(before)
        return found
    with db.atomic():
        made = begin()
        idempotency.note(made.get_id())
    return made


def notify_url(gateway: Gateway) -> str:
    """Where the gateway may post its news."""
    return f"{current.settings().base_url}/webhooks/{gateway.name}"
