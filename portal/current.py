"""What the present request may reach for: one moment, one ring of keys, one account, one address of this house."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import current_app, g


def now() -> datetime:
    """The moment of this request, the same for all its parts."""
    moment: datetime = g.now
    return moment


def keyring() -> Any:
    """The ring that seals and unseals links (`tokens.Keyring`)."""
    return current_app.extensions["portal"].keyring()


def settings() -> Any:
    """Every setting (`config.Settings`)."""
    return current_app.extensions["portal"].settings


def rates() -> Any:
    """The limits on how often somebody may ask (`rates.Rates`)."""
    return current_app.extensions["portal"].rates


def gateway() -> Any:
    """Who moves money (`gateways.Gateway`), or None."""
    return current_app.extensions["portal"].gateway


def stamps(purpose: str) -> Any:
    """What signs the forms of one purpose (`stamps.Stamps`)."""
    return current_app.extensions["portal"].stamps(purpose)


def account() -> Any:
    """The account (`models.account.Account`) whose API key was shown."""
    return g.account


def actor() -> str:
    """Who does what this request does, as the record has it."""
    name: str = g.actor
    return name
