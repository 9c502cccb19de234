"""Whatever goes wrong under /v1 leaves as RFC 7807 JSON with Orb's `type`, and a sentence that says what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Response
from werkzeug.exceptions import HTTPException

from portal.domain.methods import NotOffered, NotPayable
from portal.domain.money import NotRepresentable, UnknownCurrency
from portal.gateways import Refused, Unreachable
from portal.models.account import OneWay
from portal.models.credit import IllegalMove
from portal.models.customer import Erased, Taken
from portal.models.invoice import IllegalState
from portal.models.link import SessionsOnly

TYPE = "https://docs.withorb.com/reference/error-responses#"


class Problem(HTTPException):
    """An error in Orb's shape. `extra` becomes further keys of the body, `headers` further headers."""

    def __init__(
        self, status: int, fragment: str, title: str, detail: str, headers: dict[str, str] | None = None, **extra: Any
    ) -> None:
        super().__init__(detail)
        self.code = status
        self.headers = headers or {}
        self.body = {"status": status, "type": TYPE + fragment, "title": title, "detail": detail, **extra}


def invalid(detail: str, errors: list[str] | None = None) -> Problem:
    """400: the request itself is malformed. `errors` has a sentence for each field."""
    title = "The request did not pass validation."
    return Problem(400, "400-request-validation-errors", title, detail, validation_errors=errors or [detail])


def invalid_at(where: str, sentence: str) -> Problem:
    """400: what stands at `where` in the body (a path that ends with a point, or nothing) is wrong as a whole."""
    return invalid(f"{where.removesuffix('.')}: {sentence}" if where else sentence)


def constraint(detail: str) -> Problem:
    """400: the request is well formed, but the state of things does not allow it."""
    return Problem(400, "400-constraint-violation", "The request cannot be carried out.", detail)


def duplicate(detail: str) -> Problem:
    return Problem(400, "400-duplicate-resource-creation", "A resource like this exists already.", detail)


def not_found(kind: str) -> Problem:
    """404. Never says which id: another account's thing and no thing have the same bytes."""
    title, detail = "A specified resource was not found.", f"Could not find a resource of type {kind} with this id."
    return Problem(404, "404-resource-not-found", title, detail)


def not_available(detail: str) -> Problem:
    """404 for a call of Orb's that this API does not have."""
    return Problem(404, "404-feature-not-available", "This feature is not available here.", detail)


def conflict(detail: str, *, retry: bool) -> Problem:
    """409. Without `retry` the official client gives up at once instead of sleeping through its retries."""
    headers = {"Retry-After": "1"} if retry else {"x-should-retry": "false"}
    return Problem(409, "409-resource-conflict", "The request conflicts with another one.", detail, headers)


def unauthorized() -> Problem:
    """401, the same for a key that is missing, malformed, unknown, revoked, or of a closed account."""
    detail = "Send a valid API key in the header `Authorization: Bearer <key>`."
    headers = {"WWW-Authenticate": 'Bearer realm="portal"'}
    return Problem(401, "401-authentication-error", "The API key is not valid.", detail, headers)


def too_many(seconds: int) -> Problem:
    detail = f"This key asks too often. Try again in {seconds} s."
    return Problem(429, "429-too-many-requests", "Too many requests.", detail, {"Retry-After": str(seconds)})


def unreachable() -> Problem:
    """503: what is to be done at a gateway may or may not have been; asking again does no harm."""
    headers = {"Retry-After": "2", "Transient-Error": "true"}
    detail = "Nothing was lost. Try again in a moment."
    return Problem(
        503,
        "500-internal-server-error",
        "The payment gateway did not answer in a way that can be read.",
        detail,
        headers,
    )


@contextmanager
def refusals() -> Iterator[None]:
    """The one place where what the lower floors refuse becomes an answer."""
    try:
        yield
    except Erased as error:
        raise not_found("Customer") from error
    except Taken as error:
        raise duplicate(f"{error}.") from error
    except (IllegalState, IllegalMove, SessionsOnly, OneWay, NotOffered, NotPayable) as error:
        raise constraint(_sentence(error)) from error
    except (NotRepresentable, UnknownCurrency) as error:
        raise invalid(_sentence(error)) from error
    except Refused as error:
        raise constraint(f"The payment gateway refused: {str(error).removesuffix('.')}.") from error
    except Unreachable as error:
        raise unreachable() from error


def refusal(error: HTTPException, write: Callable[[Any], str | bytes]) -> Response:
    """Any HTTP error as the API says it; `write` makes the JSON."""
    if error.code is not None and error.code < 400:
        return Response(error.get_response().get_data(), error.code, headers=dict(error.get_response().headers))
    problem = error if isinstance(error, Problem) else translated(error)
    response = Response(write(problem.body), problem.code, content_type="application/problem+json")
    response.headers.update(problem.headers)
    return response


PLAIN = {  # status: fragment, title, what to do
    400: ("400-request-validation-errors", "The request did not pass validation.", "The request could not be read."),
    404: ("404-url-not-found", "There is no such URL.", "Nothing is served under this path; see the README's routes."),
    405: ("405-method-not-allowed", "This URL does not take this method.", "See `Allow` for the methods it takes."),
    413: ("413-request-too-large", "The request is too large.", "A body may have at most 256 kB, and 4 MB of events."),
    500: ("500-internal-server-error", "Something broke on our side.", "It has been written down. Try again later."),
    503: ("500-internal-server-error", "The database did not answer.", "Nothing was lost. Try again in a moment."),
}


def translated(error: HTTPException) -> Problem:
    """Errors that Flask raises, and those of app.py, whose headers are kept."""
    status = error.code or 500
    fragment, title, detail = PLAIN.get(status, PLAIN[500] if status >= 500 else PLAIN[400])
    kept = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    if status >= 500:
        kept["Transient-Error"] = "true"
    extra = {"validation_errors": [detail]} if fragment.startswith("400-request") else {}
    return Problem(status, fragment, title, detail, kept, **extra)


def _sentence(error: ValueError) -> str:
    text = str(error)
    return text[:1].upper() + text[1:].removesuffix(".") + "."
