"""`/webhooks/<gateway>`: where a gateway tells its news. Its signature is its key; what it says is believed once."""

from __future__ import annotations

from flask import Blueprint, Response, request
from peewee import DatabaseError, DataError, InterfaceError
from werkzeug.exceptions import RequestEntityTooLarge

from portal import current
from portal.cashier import hearing
from portal.gateways import Gateway, Unsigned
from portal.logs import log
from portal.models import base

routes = Blueprint("webhooks", __name__)

AGAIN_SECONDS = 2


@routes.post("/webhooks/<gateway>")
def hear(gateway: str) -> Response:
    """200 once the news is kept; anything else has the gateway tell it again."""
    ours: Gateway | None = current.gateway()
    if ours is None or ours.name != gateway:
        return _refused(404, "No gateway of this name is set up here.")
    try:
        event = ours.read(dict(request.headers), request.get_data(), current.now())
    except RequestEntityTooLarge:
        return _refused(413, "News of a gateway may have at most 256 kB.")
    except Unsigned as error:
        return _refused(400, str(error))
    try:
        hearing.told(ours, event, current.now())
    except (DataError, UnicodeEncodeError):
        return _refused(400, "There is text in it, or a number, that no database takes.")
    except (DatabaseError, InterfaceError) as error:
        log().error("database", route=str(request.url_rule), error=type(error).__name__)
        base.forget_connection()
        return _refused(503, "The database did not answer. Tell it again in a moment.")
    return Response("{}", 200, mimetype="application/json")


def _refused(status: int, sentence: str) -> Response:
    answer = Response(f"{sentence.removesuffix('.')}.\n", status, mimetype="text/plain")
    if status == 503:
        answer.headers["Retry-After"] = str(AGAIN_SECONDS)
    return answer
