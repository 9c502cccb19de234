"""What Orb's API has and this one has not: said by name, with a word on what to do instead, rather than as no URL."""

from __future__ import annotations

import re
from functools import cache

from flask import Flask, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, MapAdapter, Rule
from werkzeug.routing.exceptions import RequestRedirect

from portal.api import errors
from portal.api.orb_calls import CALLS, OrbCall

PARAMETER = re.compile(r"<[^>]+>|{[^}]+}")
YOURS = re.compile(r"(?<=/)(external_\w+_id)/{\w+}")
# The longest beginning of a call's name says what to do instead; none may name a call that is absent itself.
INSTEAD = {
    "": "See docs/sdk.md for the calls that work.",
    "alerts": "Ask for the costs of a subscription on a schedule of your own, and compare them with your threshold.",
    "beta": "A plan has one version here: make another plan, and start subscriptions from it.",
    "coupons": "Give the discount on the invoice itself, in `discount` of POST /v1/invoices.",
    "coupons.subscriptions": "List the subscriptions and look at their redeemed_coupon.",
    "credit_blocks": "Blocks are changed through entries of the customer's credit ledger.",
    "customers.credits.top_ups": "Add credits with an increment entry of the ledger when the balance falls low.",
    "dimensional_price_groups": "Use a price of model_type matrix: it charges by one or two properties of an event.",
    "invoices.regenerate_invoice_pdf": "Invoices can be read and printed behind their hosted_invoice_url.",
    "invoices.regenerate_receipt_pdf": "Payments are shown behind the invoice's hosted_invoice_url.",
    "license_types": "Charge for licenses by a fixed fee, or by an event for each.",
    "licenses": "Charge for licenses by a fixed fee, or by an event for each.",
    "plans.migrations": "Cancel the old subscription and start one from the new plan.",
    "prices.evaluate": "What usage costs is told by the costs of the customer or of her subscription.",
    "subscription_changes": "Change the subscription at once: a change is carried out when it is asked for.",
    "subscriptions": "End the subscription with POST /v1/subscriptions/{id}/cancel and start another as it shall be.",
    "webhook_endpoints": "Ask for what may have changed: lists show the newest first.",
}


def shape(path: str) -> str:
    """`path` with its parameters alike, however they are called."""
    return PARAMETER.sub("{}", path)


def missing(app: Flask) -> list[OrbCall]:
    """The calls that have no view."""
    there = {
        (method, shape(rule.rule.removeprefix("/v1")))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/v1/")
        for method in rule.methods or ()
    }
    return [call for call in CALLS if (call.method, shape(call.path)) not in there]


def instead(call: OrbCall) -> str:
    names = [name for name in INSTEAD if call.name.startswith(name)]
    return INSTEAD[max(names, key=len)]


def register(app: Flask) -> None:
    """Once every resource is on the map: what is not on it, and stands in Orb's list, is refused by name."""

    @cache
    def absent() -> MapAdapter:  # made when it is first asked for: few processes ever need it
        rules = [_rule(call) for call in missing(app)]
        converters = app.url_map.converters
        return Map(rules, strict_slashes=False, merge_slashes=False, converters=converters).bind("", "/")

    @app.before_request
    def refuse() -> None:
        # Whatever has a view is served by it; but behind an id that may hold `/`, every path looks like one.
        if request.routing_exception is None and "<external:" not in str(request.url_rule):
            return
        call = _named(absent(), request.path, request.method)
        if call is not None:
            named = f"{call.name} ({call.method} /v1{call.path})"
            raise errors.not_available(f"{named} is not part of this portal yet. {instead(call)}")


def _named(absent: MapAdapter, path: str, method: str) -> OrbCall | None:
    try:
        name, _ = absent.match(path, method)
    except (HTTPException, RequestRedirect):
        return None
    return _by_name()[name]


@cache
def _by_name() -> dict[str, OrbCall]:
    return {call.name: call for call in CALLS}


def _rule(call: OrbCall) -> Rule:
    path = YOURS.sub(r"\1/<external:yours>", call.path).replace("{", "<").replace("}", ">")
    return Rule(f"/v1{path}", endpoint=call.name, methods=[call.method])
