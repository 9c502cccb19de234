"""Events as tests tell them: of crm-1, an hour before the clock's noon, 3 bytes."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse

from tests.api.conftest import problem

INVALID = "400-request-validation-errors"
NOT_FOUND = "404-resource-not-found"
CONSTRAINT = "400-constraint-violation"


def event(key: str = "k1", **fields: Any) -> dict[str, Any]:
    told = {
        "idempotency_key": key,
        "event_name": "download",
        "timestamp": "2026-11-23T11:00:00Z",
        "external_customer_id": "crm-1",
        "properties": {"bytes": 3, "region": "eu"},
        **fields,
    }
    return {name: value for name, value in told.items() if value is not ...}


def batch(*events: dict[str, Any]) -> dict[str, Any]:
    return {"events": list(events)}


def refusals(response: TestResponse) -> dict[str, str]:
    """What is wrong with each event, by its key."""
    problem(response, 400, INVALID)
    return {each["idempotency_key"]: " ".join(each["validation_errors"]) for each in response.json["validation_failed"]}
