"""Where the reference is read: the document for programs. No key is needed: it says nothing about anybody."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app

from portal import current

routes = Blueprint("reference", __name__)


@routes.get("/openapi.json")
def openapi() -> dict[str, Any]:
    from portal.api.reference.document import document

    return document(current_app, current.settings().base_url)
