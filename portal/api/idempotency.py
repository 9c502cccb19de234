"""A key makes a POST or PATCH happen once: its answer is kept for 48 hours and given again, with its links fresh.

What cannot be one transaction, because a gateway is asked in the midst of it, notes under its key what it has begun:
whoever comes after a crash goes on with that.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from flask import Response, g, request

from portal import current
from portal.api import errors, shapes
from portal.models.base import db
from portal.models.idempotency import ABANDONED, KEPT, Idempotency

HEADER = "Idempotency-Key"
KEY = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,62}[\x21-\x7e])?")
ATTEMPTS = 3  # at the reservation: the row in the way may vanish just then
OTHER = "This Idempotency-Key was used for another request. Use a new one for each request."
BUSY = "A request with this Idempotency-Key is being carried out. Try again in a moment."
LOST = "This request took too long, and a later one with its Idempotency-Key has taken over."

Answer = tuple[object, int]  # body, status


def key() -> str | None:
    """The caller's key for this request, None where none was sent or none counts. Raises Problem."""
    given = request.headers.get(HEADER)
    if given is None or request.method not in ("POST", "PATCH"):
        return None
    if not KEY.fullmatch(given):
        raise errors.invalid(f"{HEADER} must have 1 to 64 printable ASCII characters.")
    return given


def once(key: str, act: Callable[[], Answer], *, together: bool = True) -> Response:
    """What `act` answers, or has answered for this key before. A refusal sets the key free.

    `together`: what it does and the answer that is kept are one transaction.
    """
    row = Idempotency(account=current.account(), key=key, request_digest=_digest(), locked_at=current.now())
    before = _reserve(row)
    if before is not None:
        kept = b"" if before.status == shapes.NOTHING else shapes.rendered(before.body, current.account())
        answer = Response(kept, before.status, mimetype="application/json")
        answer.headers["Idempotent-Replayed"] = "true"
        return answer
    g.idempotency = row
    done = False
    try:
        with db.atomic() if together else nullcontext():
            body, status = act()
            if status < shapes.REFUSED:
                _complete(row, body, status)
        done = status < shapes.REFUSED  # what was refused in part may be asked for again
    finally:
        if not done:
            _let_go(row)
    return shapes.response(body, status)


def begun() -> str | None:
    """What an earlier holder of this request's key has begun, and not brought to its end."""
    row: Idempotency | None = g.get("idempotency")
    return row.body if row else None


def note(id: str) -> None:
    """This request's key, if it has one, has begun `id`: in the transaction that begins it. Raises Problem."""
    row: Idempotency | None = g.get("idempotency")
    if row and not _mine(Idempotency.update(body=id), row).where(Idempotency.status.is_null()).execute():
        raise errors.conflict(LOST, retry=True)


def echo(response: Response) -> Response:
    """After every request: says the key again, as Orb does."""
    given = request.headers.get(HEADER)
    if given and request.path.startswith("/v1/") and request.method in ("POST", "PATCH") and KEY.fullmatch(given):
        response.headers[HEADER] = given
    return response


def _reserve(row: Idempotency) -> Idempotency | None:
    """Puts `row` in flight, in a transaction of its own; or returns the row whose answer stands. Raises Problem."""
    now = row.locked_at
    for _ in range(ATTEMPTS):
        if _inserted(row, now):
            return None
        there = Idempotency.get_or_none(Idempotency.account == current.account(), Idempotency.key == row.key)
        if there is None:
            continue
        over = there.created_at <= now - KEPT
        if not over and there.request_digest != row.request_digest:
            raise errors.conflict(OTHER, retry=False)
        if not over and there.status is not None:
            return there
        if not over and there.locked_at > now - ABANDONED:
            raise errors.conflict(BUSY, retry=True)
        if over or there.body is None:
            _mine(Idempotency.delete(), there).execute()
        elif _taken_over(row, there):
            return None
    raise errors.conflict(BUSY, retry=True)


def _inserted(row: Idempotency, now: datetime) -> bool:
    values = {"account": current.account(), "key": row.key, "request_digest": row.request_digest}
    query = Idempotency.insert(**values, locked_at=now, created_at=now).on_conflict_ignore()
    return bool(list(query.returning(Idempotency.key).tuples().execute()))


def _taken_over(row: Idempotency, there: Idempotency) -> bool:
    """Puts `row` in the place of one that was abandoned after it had begun something; it goes on with that."""
    row.body = there.body
    mine = _mine(Idempotency.update(locked_at=row.locked_at), there).where(Idempotency.status.is_null())
    return bool(mine.execute())


def _let_go(row: Idempotency) -> None:
    """The key is free again; where something was begun under it, for the same request only, and at once."""
    _mine(Idempotency.delete(), row).where(Idempotency.body.is_null()).execute()
    _mine(Idempotency.update(locked_at=row.locked_at - ABANDONED), row).execute()


def _complete(row: Idempotency, body: object, status: int) -> None:
    # As text within JSON: its numbers stay as exact as they are.
    update = Idempotency.update(status=status, body=shapes.kept(body))
    if not _mine(update, row).where(Idempotency.status.is_null()).execute():
        raise errors.conflict(LOST, retry=True)


def _mine(query: Any, row: Idempotency) -> Any:
    same = (Idempotency.account == current.account(), Idempotency.key == row.key)
    return query.where(*same, Idempotency.locked_at == row.locked_at)


def _digest() -> str:
    named = f"{request.method}\n{request.full_path}\n".encode(errors="surrogatepass")
    return hashlib.sha256(named + request.get_data(cache=True)).hexdigest()
