"""The payment methods that are stored for a customer: which there are, which one is charged by itself, which go."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from portal import current
from portal.cashier import taking
from portal.gateways import GatewayError
from portal.models.saved_method import SavedMethod
from portal.web import headers
from portal.web.access import Scope
from portal.web.filters import to
from portal.web.fragments import fragment, leads_to
from portal.web.fragments import page as whole
from portal.web.stamped import NOT_OURS, Bound, StampedForm

DEEDS = ("default", "remove")


def show(scope: Scope) -> Response:
    """What is stored, and a way to change it."""
    return _shown(scope)


def change(scope: Scope) -> Any:
    """Has one charged by itself from now on, or removes it: after asking once more."""
    headers.refuse_strangers()
    if not _form(scope).is_ours():
        return _shown(scope, 403, NOT_OURS)
    chosen = next((one for one in of(scope) if one.id == request.form.get("id")), None)
    if chosen is None:
        return _shown(scope, 409, "This method is no longer stored.")
    deed = request.form.get("deed")
    if deed not in DEEDS:
        return _shown(scope, 422, "Choose what is to be done.")
    if deed == "default":
        chosen.make_default(current.now(), current.actor())
    elif "sure" not in request.form:
        return whole("methods/remove.html", method=chosen, form=_form(scope))
    else:
        _remove(chosen)
    return leads_to(to("methods"))


def of(scope: Scope) -> list[SavedMethod]:
    """What is stored with the gateway that is set up; no query where there is none."""
    gateway = current.gateway()
    return SavedMethod.of(scope.link.customer_id, gateway.name) if gateway else []


def _remove(chosen: SavedMethod) -> None:
    """Here it is gone whatever the gateway answers: it is not charged again."""
    try:
        taking.forget(current.gateway(), chosen, current.now(), current.actor())
    except GatewayError:
        return


def _shown(scope: Scope, status: int = 200, wrong: str = "") -> Response:
    values: dict[str, Any] = {"methods": of(scope), "form": _form(scope), "wrong_method": wrong}
    return fragment("methods/_show.html", back="", status=status, **values)


def _form(scope: Scope) -> StampedForm:
    return StampedForm.bound(Bound("methods", (scope.link.id,)))
