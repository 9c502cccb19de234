"""The sandbox as a WSGI application: its calls, its pages, and the headers of both."""

from __future__ import annotations

import socket
from typing import Any

from flask import Flask, Response, g, render_template, request
from jinja2 import StrictUndefined
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from portal import assets
from portal.sandbox import api, control, pages
from portal.sandbox.bank import Bank
from portal.sandbox.refusal import Refused

LARGEST_BODY = 64 * 1024  # bytes
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "strict-origin",  # no path: the address of a page holds where to return to
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# A portal in a frame takes the payer here in the same frame.
ANCESTORS = "'self' http://127.0.0.1:* http://localhost:*"


def create_app(bank: Bank) -> Flask:
    app = Flask(__name__, template_folder=str(assets.folder("templates")), static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.jinja_options = {"undefined": StrictUndefined, "autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
    app.extensions["bank"] = bank
    app.register_blueprint(api.calls)
    app.register_blueprint(control.controls)
    app.register_blueprint(pages.pages)
    app.after_request(_complete)
    app.after_request(_vanish)
    _answer_errors(app)
    return app


def _complete(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers[name] = value
    portal, back = api.bank().portal_url, pages.origin_of_return()
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors {ANCESTORS} {portal}; "
        f"form-action 'self'{f' {back}' if back else ''}"
    )
    return response


def _vanish(response: Response) -> Response:
    """Closes the connection instead of answering: the work is done, and nobody is told."""
    connection: socket.socket | None = request.environ.get("werkzeug.socket")
    if g.get("vanishes") and response.status_code < 400 and connection is not None:
        connection.shutdown(socket.SHUT_RDWR)
    return response


def _answer_errors(app: Flask) -> None:
    @app.errorhandler(Refused)
    def refused(error: Refused) -> Any:
        return _said(error.status, str(error), error.failure)

    @app.errorhandler(ValidationError)
    def mistaken(error: ValidationError) -> Any:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return _said(400, f"{'.'.join(map(str, first['loc'])) or 'The body'}: {first['msg']}.", "unknown")

    @app.errorhandler(HTTPException)
    def known(error: HTTPException) -> Any:
        return _said(error.code or 500, error.description or error.name, "unknown")


def _said(status: int, message: str, failure: str) -> Any:
    if request.path.startswith(("/v1/", "/_control")):
        return {"error": {"message": message, "failure": failure}}, status
    return render_template("sandbox/error.html", message=message), status
