"""Real answers held against the API's own document: whatever a test asks for, the answer must be what is promised."""

from __future__ import annotations

import gzip
import inspect
from functools import cache
from typing import Any

from flask import Flask, Response, request
from pydantic import TypeAdapter, ValidationError

from portal.api.answers.problem import Problem
from portal.api.reference.call import Call
from portal.api.reference.sections import described

REFUSALS = {400, 401, 404, 409, 413, 429}


def watch(app: Flask) -> list[str]:
    """Looks at every answer of the app under /v1 from now on; the list gets a line for each that breaks its promise."""
    faults: list[str] = []

    @app.after_request
    def look(response: Response) -> Response:
        view = app.view_functions.get(request.endpoint or "")
        _, call = described().get(inspect.unwrap(view), (None, None)) if view else (None, None)
        if call is not None and response.status_code < 500 and request.method not in ("HEAD", "OPTIONS"):
            faults.extend(f"{request.method} {request.path}: {fault}" for fault in _faults(call, response))
        return response

    return faults


def _faults(call: Call, response: Response) -> list[str]:
    status, data = response.status_code, response.get_data()
    if "Content-Encoding" in response.headers:
        data = gzip.decompress(data)
    if status == call.status:
        return _unlike(call.answer, data) if call.answer is not None else []
    if status in REFUSALS:
        return _unlike(Problem, data)
    return [f"{status} is not promised"]


def _unlike(model: Any, data: bytes) -> list[str]:
    try:
        _adapter(model).validate_json(data)
    except ValidationError as error:
        return [f"{'.'.join(map(str, one['loc']))}: {one['msg']} ({one['input']!r:.60})" for one in error.errors()]
    return []


@cache
def _adapter(model: Any) -> TypeAdapter[Any]:
    return TypeAdapter(model)
