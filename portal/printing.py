"""Where the worker has pages rendered, and answers begun: it knows neither web nor API, and the app knows no worker."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from flask import Flask

from portal import api, assets, web
from portal.app import create_app
from portal.config import Settings
from portal.delivery.worker import Publish
from portal.models.base import connection
from portal.models.published import Published, PublishedHome
from portal.tokens import Kind


def room(settings: Settings) -> Publish:
    """Renders a page and keeps it. Pages of an older build are looked at again, the newest first."""
    app = create_app(settings)
    with connection():
        for kept in (Published, PublishedHome):
            kept.overtaken(assets.build(settings.money_mover))
    return partial(publish, app)


def publish(app: Flask, kind: Kind, id: str, now: datetime) -> bool:
    """All that is made ahead of one invoice or customer; says whether the page was kept."""
    if kind == "invoice":
        api.keep(app, id)
    return web.publish(app, kind, id, now)
