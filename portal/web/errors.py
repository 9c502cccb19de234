"""What a visitor sees instead of a page. What cannot be found has one page, the same to the byte, for every cause."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from werkzeug.exceptions import HTTPException

from portal.web import link
from portal.web.access import Closed
from portal.web.fragments import told

TITLES = {
    400: "That was not understood",
    403: "That did not come from this page",
    405: "That cannot be done here",
    413: "That is too much at once",
    414: "That address is too long",
    415: "That cannot be read",
    429: "Please wait a moment",
    500: "Something went wrong",
    503: "Please try again in a moment",
}
SENTENCES = {
    400: "Your browser sent something that makes no sense here. Open the link in your e-mail once more.",
    405: "This address can be read, and nothing else.",
    413: "Send less, and try again.",
    414: "Open the link in your e-mail once more, and go on from there.",
    415: "Send the form from its own page, and try again.",
    429: "Too many requests came from your network. Try again in a minute.",
}
PASSING = (429, 500, 503)  # what may be gone at the next try


def refusal(error: HTTPException) -> Any:
    """The error as a page, or as a notice over the page where htmx asked."""
    if isinstance(error, Closed):
        return link.closed(error)
    if error.code is None or error.code < 400:
        return error.get_response()
    if error.code == 404:
        return told("errors/not_found.html", "errors/_not_found.html", status=404, brand=None)
    return _problem(error, error.code)


def _problem(error: HTTPException, status: int) -> Response:
    """In the operator's name where an open link says whose it is; the database is not asked."""
    sentence = getattr(error, "sentence", "") or SENTENCES.get(status) or error.description
    words = {
        "title": TITLES.get(status, "This cannot be shown"),
        "sentence": sentence or "Reload the page and try again.",
        "again": status in PASSING and request.method == "GET",
    }
    response = told("errors/problem.html", "errors/_problem.html", status=status, **words)
    for name, value in error.get_headers():
        if name.lower() != "content-type":
            response.headers[name] = value
    return response
