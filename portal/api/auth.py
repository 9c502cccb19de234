"""Who asks: the account whose key was shown, before anything else about the request is looked at."""

from __future__ import annotations

import re

from flask import g, request

from portal import current
from portal.api import errors
from portal.models.account import ApiKey
from portal.rates import per_key

CONTROL = re.compile(r"[\x00-\x1f\x7f]")
OPEN_TO_ALL = ("/v1/openapi.json",)  # it says nothing about anybody


def enter() -> None:
    """Before every request under /v1: key, rate, and a path that the database can be asked about."""
    if not request.path.startswith("/v1/") or request.path in OPEN_TO_ALL:
        return
    key = ApiKey.known(shown(request.headers.get("Authorization", "")))
    if key is None:
        raise errors.unauthorized()
    g.account, g.actor = key.account, f"api:{key.id}"
    if wait := count(key.id):
        raise errors.too_many(wait)
    if CONTROL.search(request.path):  # PostgreSQL has no text with NUL in it, so nothing can have such a name
        raise errors.not_found("URL")


def shown(authorization: str) -> str:
    """The text of the key in this header; nothing where there is none."""
    scheme, _, text = authorization.strip().partition(" ")
    return text.strip() if scheme.lower() == "bearer" else ""


def count(key_id: str) -> int:
    """Counts one request by this key: 0 if it is within its rate, else the seconds after which one is."""
    rate = current.settings().api_rate
    limit = per_key(rate.per_second, rate.burst)
    return int(current.rates().hit(limit, f"api:{key_id}")) if limit else 0
