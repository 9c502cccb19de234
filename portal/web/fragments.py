"""A fragment is a file and an address: bare for htmx, inside a page of its own for everybody else."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, render_template, request

from portal.web.filters import to


def page(template: str, status: int = 200, /, **values: Any) -> Response:
    """A whole page."""
    return _response(render_template(template, **values), status)


def leads_to(address: str) -> Response:
    """After a deed: to the page that shows what came of it. Relative, so that no token stands in a header."""
    response = make_response("", 303)
    response.headers["Location"] = address
    return response


def fragment(
    template: str, *, back: str, status: int = 200, push: str | None = None, wrong: str = "", **values: Any
) -> Response:
    """The fragment alone where htmx asks; else framed, with a way to the page at `back` (as `to` takes it).

    `push`: what the address of the visitor's page becomes. `wrong`: the id of the one element that htmx replaces
    where the question made no sense, so that what she sees stays.
    """
    if not wanted():
        return _response(render_template("frame.html", fragment=template, back=to(back), **values), status)
    response = _response(render_template(template, **values), status)
    if wrong:
        aimed(response, f"#{wrong}", "outerHTML")
        response.headers["HX-Reselect"] = f"#{wrong}"
    elif push:
        response.headers["HX-Push-Url"] = push
    return response


def reloads() -> Response:
    """Has htmx open the whole page anew: what comes next needs headers that only a page brings."""
    response = make_response("")
    response.headers["HX-Refresh"] = "true"
    return response


def told(whole: str, part: str, *, status: int, **values: Any) -> Response:
    """News that was not asked for: the page `whole`; for htmx its `part`, laid over the page that stays open."""
    if not (wanted() or request.headers.get("HX-History-Restore-Request") == "true"):
        return _response(render_template(whole, heading="h1", **values), status)
    response = _response(render_template("notice.html", part=part, heading="h2", **values), status)
    return aimed(response, "#pf-notice", "innerHTML")


def wanted() -> bool:
    """Does htmx ask for a piece of a page?"""
    return bool(request.wants_fragment)  # type: ignore[attr-defined]  # app.Request


def aimed(response: Response, target: str, swap: str) -> Response:
    """Has htmx put it elsewhere than it was asked for."""
    response.headers["HX-Retarget"] = target
    response.headers["HX-Reswap"] = swap
    return response


def _response(html: str, status: int = 200) -> Response:
    response = make_response(html, status)
    response.vary.add("HX-Request")
    return response
