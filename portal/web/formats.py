"""An invoice to take away: the same facts as its page, for a spreadsheet and for a program."""

from __future__ import annotations

import re

from flask import Response

from portal.documents import csv, json
from portal.web.access import Scope
from portal.web.invoice import paper


def as_csv(scope: Scope, invoice_id: str | None = None) -> Response:
    """A row for each line."""
    shown = paper(scope, invoice_id)
    return _file(csv.written(shown), "text/csv; charset=utf-8; header=present", shown.number, "csv")


def as_json(scope: Scope, invoice_id: str | None = None) -> Response:
    """What the page shows, without ids."""
    shown = paper(scope, invoice_id)
    return _file(json.written(shown), "application/json", shown.number, "json", shown_as="inline")


def _file(text: str, content_type: str, number: str, ending: str, shown_as: str = "attachment") -> Response:
    response = Response(text, content_type=content_type)
    name = re.sub(r"[^A-Za-z0-9._-]", "-", number)
    response.headers["Content-Disposition"] = f'{shown_as}; filename="invoice-{name}.{ending}"'
    return response
