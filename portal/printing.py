"""Where the worker has pages rendered: it knows no web, and the app knows no worker."""

from __future__ import annotations

from functools import partial

from portal import assets, web
from portal.app import create_app
from portal.config import Settings
from portal.delivery.worker import Publish
from portal.models.base import connection
from portal.models.published import Published, PublishedHome


def room(settings: Settings) -> Publish:
    """Renders a page and keeps it. Pages of an older build are looked at again, the newest first."""
    app = create_app(settings)
    with connection():
        for kept in (Published, PublishedHome):
            kept.overtaken(assets.build(settings.gateway))
    return partial(web.publish, app)
