"""What a visitor sees instead of a page. What cannot be found has one page, the same to the byte, for every cause."""

from __future__ import annotations

from typing import Any

from flask import Response
from werkzeug.exceptions import HTTPException

from portal.web import link
from portal.web.access import Closed
from portal.web.fragments import either

TITLES = {
    403: "That did not come from this page",
    405: "That cannot be done here",
    413: "That is too much at once",
    429: "Please wait a moment",
    500: "Something went wrong",
    503: "Please try again in a moment",
}
SENTENCES = {
    405: "This address can be read, and nothing else.",
    413: "Send less, and try again.",
    429: "Too many requests came from your network. Try again in a minute.",
}


def refusal(error: HTTPException) -> Any:
    """The error as a page, or as a fragment where htmx asked."""
    if isinstance(error, Closed):
        return link.closed(error)
    if error.code is None or error.code < 400:
        return error.get_response()
    if error.code == 404:
        return either("errors/not_found.html", "errors/_not_found.html", status=404, brand=None)
    return _problem(error, error.code)


def _problem(error: HTTPException, status: int) -> Response:
    title = TITLES.get(status, "This cannot be shown")
    sentence = SENTENCES.get(status) or error.description or "Reload the page and try again."
    told = {"brand": None, "title": title, "sentence": sentence}
    response = either("errors/problem.html", "errors/_problem.html", status=status, **told)
    for name, value in error.get_headers():
        if name.lower() != "content-type":
            response.headers[name] = value
    return response
