"""What a reader is told about an invoice, for every combination of what is known."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product

import pytest

from portal.domain import statuses
from portal.domain.settlement import RETURNED, STAGES
from portal.domain.statuses import UnknownStatus

TODAY = date(2026, 11, 23)
YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
STANDINGS = [None, *STAGES, RETURNED]
FACTS = list(product([None, YESTERDAY, TODAY, TOMORROW], [-1, 0, 1], STANDINGS))


@pytest.mark.parametrize("status", ["draft", "void", "paid"])
def test_a_draft_a_void_and_a_paid_invoice_stay_what_they_are(status):
    assert {statuses.shown(status, due, TODAY, *facts) for due, *facts in FACTS} == {status}


@pytest.mark.parametrize("status", ["issued", "synced"])
@pytest.mark.parametrize(
    ("due", "expected"), [(YESTERDAY, "overdue"), (TODAY, "issued"), (TOMORROW, "issued"), (None, "issued")]
)
def test_an_open_invoice_is_overdue_from_the_day_after_its_due_date(status, due, expected):
    assert statuses.shown(status, due, TODAY, 1) == expected


@pytest.mark.parametrize("due", [None, YESTERDAY, TODAY, TOMORROW])
def test_a_failed_payment_says_more_than_overdue_and_money_on_its_way_more_than_both(due):
    for standing in ("failed", RETURNED):
        assert statuses.shown("issued", due, TODAY, 1, standing) == "payment_failed"
    for standing in ("begun", "processing"):
        assert statuses.shown("issued", due, TODAY, 1, standing) == "processing"


def test_a_payment_that_waits_for_its_payer_leaves_the_invoice_as_it_was():
    assert statuses.shown("issued", YESTERDAY, TODAY, 1, "action") == "overdue"
    assert statuses.shown("issued", TOMORROW, TODAY, 1, "canceled") == "issued"


@pytest.mark.parametrize("remaining", [0, -100])
def test_an_invoice_that_owes_nothing_asks_for_nothing(remaining):
    for standing in STANDINGS:
        assert statuses.shown("issued", YESTERDAY, TODAY, remaining, standing) == "paid"


def test_every_answer_is_one_that_is_listed():
    answers = {statuses.shown(status, due, TODAY, *facts) for status in statuses.STORED for due, *facts in FACTS}

    assert answers == set(statuses.SHOWN)


@pytest.mark.parametrize("status", ["", "overdue", "PAID", None])
def test_a_status_that_no_invoice_has_is_refused(status):
    with pytest.raises(UnknownStatus, match="draft, issued, paid, synced, void"):
        statuses.shown(status, None, TODAY, 0)
