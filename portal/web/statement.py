"""The accessibility statement: what the pages conform to, how that was tried, and what is not there yet."""

from __future__ import annotations

from flask import Flask, Response, request

from portal.web.fragments import page


def register(app: Flask) -> None:
    app.add_url_rule("/accessibility", "statement.show", show)
    app.jinja_env.globals["statement"] = address


def show() -> Response:
    """One page for everybody: no link is needed, and no operator is known."""
    return page("statement/show.html", brand=None)


def address() -> str:
    return f"{request.script_root}/accessibility"
