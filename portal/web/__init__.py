"""What people see: the pages behind the links. One module a page; this one puts them on the map."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

STATIC_HEADERS: dict[str, str] = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "strict-origin"}


def register(app: Flask) -> None:
    """Puts every page on the map."""


def refusal(error: HTTPException) -> Any:
    """What a person sees instead of a page."""
    return Response(error.description or "", status=error.code, mimetype="text/plain")
