"""What bodies are made of: links that become URLs only on the wire, instants to the second, exact numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

import orjson
from flask import Response

from portal import compression, current
from portal.domain import money
from portal.models.account import Account
from portal.models.link import Link
from portal.tokens import PATHS, Kind

NOTHING = 204  # the status of an answer without a body
REFUSED = 400  # the least status of one that says what is wrong
# Marks a link in a kept answer. Text that came from outside never holds a control character (body.py).
MARK = "\x1flink:"
MARKED = re.compile(rf'"{re.escape(json.dumps(MARK)[1:-1])}([0-9A-Za-z]{{16}})"')


ADDRESS = ("line1", "line2", "city", "state", "postal_code", "country")


class LinkUrl:
    """The place of a link's URL in a body: written out for the wire, and as the link's id where it is kept."""

    __slots__ = ("link",)

    def __init__(self, link: Link) -> None:
        self.link = link


def link_url(link: Link | None) -> LinkUrl | None:
    return LinkUrl(link) if link is not None and opens(link) else None


def opens(link: Link) -> bool:
    """Does this link open now, and with a key that we still have?"""
    return link.ended_at is None and not link.expired(current.now()) and current.keyring().has(link.kid)


def url_of(link: Link) -> str | None:
    """The link's URL, the same every time; None where it does not open."""
    if not opens(link):
        return None
    kind = cast(Kind, link.kind)
    token = current.keyring().seal(kind, bytes.fromhex(link.token_id), link.token_exp, link.kid)
    return f"{current.settings().base_url}/{PATHS[kind]}/{token}/"


def begun(body: dict[str, Any]) -> compression.Begun:
    """The first keys of an object, to be continued. They hold no link."""
    return compression.Begun.of(wire(body).removesuffix(b"}"))


def continued(begun: compression.Begun, rest: dict[str, Any]) -> bytes:
    """The whole object as the caller gets it, in gzip."""
    return begun.packed_with(b"," + wire(rest).removeprefix(b"{"))


def address(kept: dict[str, Any] | None) -> dict[str, Any] | None:
    """An address with every key, whoever wrote it down."""
    return None if kept is None else {**dict.fromkeys(ADDRESS), **kept}


def stamp(instant: datetime | None) -> str | None:
    """`2026-11-23T12:00:00+00:00`"""
    return None if instant is None else instant.replace(microsecond=0).isoformat()


def number(value: Decimal | str | int) -> Decimal:
    """A quantity as it goes on the wire: an exact JSON number without needless zeros."""
    return Decimal(f"{money.number(value).normalize(money.EXACT):f}")


def wire(body: Any) -> bytes:
    """`body` as JSON for the caller."""
    return _json(body, lambda link: url_of(link))


def response(body: Any, status: int) -> Response:
    """The answer to the caller; one that refuses says so in its content type too."""
    kind = "application/json" if status < REFUSED else "application/problem+json"
    return Response(b"" if status == NOTHING else wire(body), status, content_type=kind)


def kept(body: Any) -> str:
    """`body` as JSON without any URL, to be kept."""
    return _json(body, lambda link: MARK + link.id).decode()


def rendered(text: str, account: Account) -> bytes:
    """What kept() wrote, for the caller: the account's links that still open have their URLs again."""

    def url(found: re.Match[str]) -> str:
        link = Link.get_or_none(Link.id == found[1], Link.account == account)
        return orjson.dumps(url_of(link) if link else None).decode()

    return MARKED.sub(url, text).encode()


def _json(body: Any, said: Callable[[Link], str | None]) -> bytes:
    def default(value: Any) -> Any:
        if isinstance(value, Decimal):
            return orjson.Fragment(money.plain(value))
        if isinstance(value, LinkUrl):
            return said(value.link)
        raise TypeError(f"{type(value).__name__} has no place in a body")

    return orjson.dumps(body, default=default)
