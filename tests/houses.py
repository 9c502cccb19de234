"""Apps that tests move into one after the other: a process builds one of a kind, and each test finds it as if new.

Whoever changes the app itself, as `app.view_functions`, asks for `own_app`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask

from portal.app import House, create_app
from portal.config import Settings
from portal.logs import configure
from portal.models import base
from tests import answers

BUILT_IN = ("base_url", "trusted_proxies")  # what an app is built with; for all else it asks its house
PROMISES = "promises"  # broken ones of the API, of all tests


@dataclass
class Built:
    app: Flask
    clock: Callable[[], datetime]


_built: dict[tuple[Any, ...], Built] = {}
_bound: dict[str, Any] = {}


def moved_into(settings: Settings, clock: Callable[[], datetime]) -> Flask:
    """An app with these settings at this clock, which nobody has asked for anything yet."""
    kind = tuple(getattr(settings, name) for name in BUILT_IN)
    if kind not in _built:
        _built[kind] = _build(settings, clock)
    built = _built[kind]
    built.clock = clock
    house = built.app.extensions["portal"]
    vars(house).clear()
    House.__init__(house, settings)
    built.app.config["SECRET_KEY"] = house.secret_key
    configure(settings.log_level)
    _bind(settings.database_url)
    return built.app


def _build(settings: Settings, clock: Callable[[], datetime]) -> Built:
    app = create_app(settings, lambda: built.clock())
    built = Built(app, clock)
    app.extensions[PROMISES] = answers.watch(app)
    return built


def _bind(url: str) -> None:
    """Keeps the connections that there are."""
    if base.db.obj is None or base.db.obj is not _bound.get(url):
        base.connect(url)
        _bound[url] = base.db.obj
