"""What payers see of the sandbox: the page where a bank would ask them to confirm. It sets no cookie.

`return` says where they go afterwards. It may hold the token of a link, so the browser alone carries it.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, send_file
from werkzeug.exceptions import BadRequest, Forbidden

from portal import assets
from portal.domain import money
from portal.sandbox import near, payments
from portal.sandbox.api import bank
from portal.sandbox.outcomes import MICRO_DEPOSITS

pages = Blueprint("pages", __name__)


@pages.before_request
def refuse_strangers() -> None:
    if request.method == "POST" and request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden("This was sent from another site.")


@pages.get("/")
def home() -> Any:
    return render_template("sandbox/home.html")


@pages.get("/portal.css")
def style() -> Any:
    return send_file(assets.folder("static") / "portal.css", max_age=3600)


@pages.get("/icon.svg")
def icon() -> Any:
    return send_file(assets.folder("static") / "icon.svg", max_age=3600)


@pages.get("/confirm/<ref>")
def confirm(ref: str) -> Any:
    return _page("sandbox/confirm.html", ref)


@pages.post("/confirm/<ref>")
def confirmed(ref: str) -> Any:
    answer = request.form.get("answer")
    if answer not in ("approve", "fail"):
        raise BadRequest("Choose one of the two buttons.")
    way_back = _way_back()
    with bank().entry() as entry:
        payments.confirm(entry, ref, approved=answer == "approve")
    return redirect(way_back, 303) if way_back else _page("sandbox/confirm.html", ref)


@pages.get("/verify/<ref>")
def verify(ref: str) -> Any:
    return _page("sandbox/verify.html", ref)


@pages.post("/verify/<ref>")
def verified(ref: str) -> Any:
    way_back = _way_back()
    with bank().entry() as entry:
        right = payments.verify(entry, ref, (_cents("first"), _cents("second")))
        waits = payments.there(entry, ref)["stage"] == "action"
    if waits and not right:
        return _page("sandbox/verify.html", ref, wrong=True), 422
    return redirect(way_back, 303) if way_back else _page("sandbox/verify.html", ref)


def origin_of_return() -> str | None:
    """Where the form of this page may lead. None where it stays here."""
    return near.origin(request.args.get("return", ""), bank().portal_url)


def _page(template: str, ref: str, **more: Any) -> str:
    with bank().entry() as entry:
        payment = payments.shape(entry, ref)
    return render_template(
        template,
        payment=payment,
        amount=f"{payment['currency']} {money.wire(payment['amount'], payment['currency'])}",
        way_back=_way_back(),
        query=request.query_string.decode("ascii", "replace"),
        deposits=MICRO_DEPOSITS,
        typed=request.form,
        **more,
    )


def _way_back() -> str | None:
    """Where the payer came from. Raises BadRequest where that is neither on this machine nor the portal."""
    given = request.args.get("return")
    if given and origin_of_return() is None:
        raise BadRequest("The address to return to is neither on this machine nor the portal's.")
    return given or None


def _cents(name: str) -> int:
    given = request.form.get(name, "").strip()
    return int(given) if given.isascii() and given.isdigit() and len(given) < 5 else -1
