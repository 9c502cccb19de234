"""What is sent without waiting is done all the same, in its order, and its errors are those of any statement."""

from __future__ import annotations

import pytest
from peewee import IntegrityError

from portal.models.base import db, rows
from portal.models.pipeline import pipelined, sent

ADD = "INSERT INTO event_hour (account_id, hour, count) VALUES (?, ?, ?)"
HOURS = "SELECT hour, count FROM event_hour WHERE account_id = ? ORDER BY hour"


def test_statements_are_done_in_their_order(acme):
    with pipelined():
        sent(ADD, acme.id, 1, 10)
        before = sent(HOURS, acme.id)
        sent(ADD, acme.id, 2, 20)

    assert before() == [(1, 10)]
    assert rows(HOURS, acme.id) == [(1, 10), (2, 20)]


def test_rows_can_be_asked_for_before_the_last_is_sent(acme):
    with pipelined():
        sent(ADD, acme.id, 1, 10)
        ((_, count),) = sent(HOURS, acme.id)()
        sent(ADD, acme.id, 2, count + 1)

    assert rows(HOURS, acme.id) == [(1, 10), (2, 11)]


def test_one_that_is_refused_undoes_its_transaction_and_leaves_the_connection_as_it_was(acme):
    def add_twice() -> None:
        with db.atomic(), pipelined():
            sent(ADD, acme.id, 1, 10)
            sent(ADD, acme.id, 1, 10)
            sent(HOURS, acme.id)

    with pytest.raises(IntegrityError):
        add_twice()

    assert rows(HOURS, acme.id) == []


def test_an_error_of_python_ends_it_and_is_told_as_it_is(acme):
    def add_and_fail() -> None:
        with db.atomic(), pipelined():
            sent(ADD, acme.id, 1, 10)
            raise LookupError("of Python")

    with pytest.raises(LookupError, match="of Python"):
        add_and_fail()

    assert rows(HOURS, acme.id) == []
