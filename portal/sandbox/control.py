"""What a test may have the sandbox do: go wrong, and let things happen that a bank, a payer or an operator does."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request
from werkzeug.exceptions import BadRequest

from portal.sandbox import disputes, payers, payments, refunds
from portal.sandbox.api import bank, show_the_key
from portal.sandbox.asked import Deeds, Faults
from portal.sandbox.book import Entry

controls = Blueprint("controls", __name__)


@controls.post("/_control")
def control() -> Any:
    """Faults last until they are told otherwise, or `reset`; a deed is done now, and what came of it is answered."""
    show_the_key()
    given = request.get_json()
    if not isinstance(given, dict):
        raise BadRequest("The body is an object.")
    told = {name: given.pop(name) for name in list(given) if name in Faults.model_fields}
    before = bank().begun_with if given.pop("reset", False) is True else bank().faults
    faults, deeds = Faults(**{**before.model_dump(), **told}), Deeds(**given)
    bank().faults = faults
    with bank().entry() as entry:
        return {"faults": faults.model_dump(), "done": _done(entry, deeds)}


def _done(entry: Entry, deeds: Deeds) -> Any:
    done: list[Any] = []
    if deeds.settle and deeds.settle.startswith("ref_"):
        refunds.settle(entry, deeds.settle, "succeeded")
        done.append(refunds.shape(entry, deeds.settle))
    elif deeds.settle:
        payments.settle(entry, deeds.settle)
        done.append(payments.shape(entry, deeds.settle))
    if deeds.fail_refund:
        refunds.settle(entry, deeds.fail_refund, "failed")
        done.append(refunds.shape(entry, deeds.fail_refund))
    if deeds.dispute:
        payment = payments.there(entry, deeds.dispute.payment)
        done.append(disputes.dispute(entry, payment, deeds.dispute.stage, deeds.dispute.amount))
    if deeds.refund:
        made = refunds.make(entry, deeds.refund.payment, None, deeds.refund.amount, None)
        done.append(refunds.shape(entry, made))
    if deeds.remove_method:
        done.append(payers.remove(entry, deeds.remove_method))
    if change := deeds.change_method:
        done.append(payers.change(entry, change.ref, change.outcome, change.expires))
    return done
