"""A fragment is a file and an address: bare for htmx, inside a page of its own for everybody else."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, render_template, request

from portal.web.filters import to


def page(template: str, **values: Any) -> Response:
    """A whole page."""
    return _response(render_template(template, **values))


def fragment(template: str, *, back: str, status: int = 200, **values: Any) -> Response:
    """The fragment alone where htmx asks; else framed, with a way to the page at `back` (as `to` takes it)."""
    if wanted():
        return _response(render_template(template, **values), status)
    return _response(render_template("frame.html", fragment=template, back=to(back), **values), status)


def either(whole: str, part: str, *, status: int, **values: Any) -> Response:
    """The template `whole`, or only its `part` where htmx asks."""
    return _response(render_template(part if wanted() else whole, **values), status)


def wanted() -> bool:
    """Does htmx ask for a piece of a page?"""
    return bool(request.wants_fragment)  # type: ignore[attr-defined]  # app.Request


def _response(html: str, status: int = 200) -> Response:
    response = make_response(html, status)
    response.vary.add("HX-Request")
    return response
