"""How calls are refused, as the document says it: the same few problems everywhere, each with an example of its own."""

from __future__ import annotations

from typing import Any

from werkzeug.exceptions import RequestEntityTooLarge

from portal.api import errors
from portal.api.errors import Problem

KIND = "application/problem+json"
SCHEMA = {"$ref": "#/components/schemas/Problem"}
MALFORMED = errors.invalid("name is required.", ["name is required."])
WAIT = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}

REFUSALS: dict[int, tuple[str, str, Problem]] = {
    400: ("Refused", "The request is malformed, or the state of things does not allow it.", MALFORMED),
    401: ("NoKey", "No API key, or one that no longer opens.", errors.unauthorized()),
    404: ("NotFound", "There is no such thing; another account's has the same bytes.", errors.not_found("Customer")),
    409: (
        "Conflict",
        "The Idempotency-Key was used with another body (`x-should-retry: false`), or is in flight (`Retry-After`).",
        errors.conflict("A request with this Idempotency-Key is being carried out. Try again in a moment.", retry=True),
    ),
    413: ("TooLarge", "The body is too large.", errors.translated(RequestEntityTooLarge())),
    429: ("TooMany", "This key asks too often.", errors.too_many(1)),
}


def wanted(method: str, *, public: bool, named: bool, body: bool) -> list[int]:
    """The statuses that a call may refuse with."""
    found = {400: True, 401: not public, 404: named, 409: method in ("POST", "PATCH"), 413: body, 429: not public}
    return [status for status, may in found.items() if may]


def told(statuses: list[int], state: str) -> dict[str, Any]:
    """The answers of a call; `state`: a sentence of its own for what the state of things does not allow."""
    found: dict[str, Any] = {
        str(status): {"$ref": f"#/components/responses/{REFUSALS[status][0]}"} for status in statuses
    }
    if state and 400 in statuses:
        both = {"malformed": {"value": MALFORMED.body}, "not now": {"value": errors.constraint(state).body}}
        found["400"] = {"description": REFUSALS[400][1], "content": {KIND: {"schema": SCHEMA, "examples": both}}}
    return found


def responses() -> dict[str, Any]:
    """The components that `told` refers to."""
    return {
        name: {
            "description": said,
            "content": {KIND: {"schema": SCHEMA, "example": problem.body}},
            **({"headers": WAIT} if status == 429 else {}),
        }
        for status, (name, said, problem) in REFUSALS.items()
    }
