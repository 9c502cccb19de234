"""For whoever watches the process: does it run, and can it do its work? No key, and nothing about anybody."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify

from portal.models import schema
from portal.models.guards import GuardMissing

routes = Blueprint("health", __name__)


@routes.get("/healthz")
def live() -> Any:
    return jsonify(status="ok")


@routes.get("/readyz")
def ready() -> Any:
    """200 once the database answers and is where this release expects it; 503 with the reason until then."""
    try:
        schema.check()
    except (GuardMissing, schema.SchemaTooNew) as error:
        return jsonify(status="unavailable", reason=str(error)), 503
    return jsonify(status="ok")
