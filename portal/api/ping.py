"""Does the key work?"""

from __future__ import annotations

from flask import Blueprint

routes = Blueprint("ping", __name__)


@routes.get("/ping")
def ping() -> dict[str, str]:
    return {"response": "pong"}
