"""What a customer has paid for in advance: prepaid credits, how long they last, and what became of them."""

from __future__ import annotations

from flask import Response

from portal.models.prepaid import Prepaid
from portal.web.access import Scope
from portal.web.fragments import fragment

LATEST = 10  # moves
MOST_BLOCKS = 20  # of one currency that are listed


def show(scope: Scope) -> Response:
    return fragment("prepaid/_show.html", back="", prepaid=of(scope), most_blocks=MOST_BLOCKS)


def of(scope: Scope) -> Prepaid:
    """One query for who never had credits, else two."""
    link = scope.link
    return Prepaid.of(link.customer_id, link.timezone, scope.today, LATEST, hides_void=link.hide_voided_invoices)
