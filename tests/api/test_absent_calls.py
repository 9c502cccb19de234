"""What Orb has and we have not is refused by name; what nobody has is no URL."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from portal.api import absent
from portal.api.orb_calls import CALLS
from tests import sdk_table
from tests.api.conftest import Call, problem
from tests.orb_client import made_by_the_client


def test_the_list_of_calls_is_the_official_clients() -> None:
    assert {(call.name, call.method, absent.shape(call.path)) for call in CALLS} == {
        (name, method, absent.shape(path)) for name, method, path in made_by_the_client()
    }
    assert len(CALLS) == 158


def test_each_absent_call_says_its_name_and_what_to_do_instead(app: Flask, call: Call) -> None:
    missing = absent.missing(app)

    for one in missing:
        path = re.sub(r"{\w+}", "x", one.path)
        told = problem(call(one.method, path), 404, "404-feature-not-available")
        assert told.startswith(f"{one.name} ({one.method} /v1{one.path}) is not part of this portal yet. "), one

    assert missing, "everything is there: this test and the sentences may go"


def test_a_call_that_works_is_never_said_to_be_absent(app: Flask, call: Call) -> None:
    missing = absent.missing(app)

    for one in [one for one in CALLS if one not in missing]:
        response = call(one.method, re.sub(r"{\w+}", "x", one.path), {} if one.method != "GET" else None)
        assert b"not-available" not in response.data, one
        assert b"url-not-found" not in response.data, one
        assert response.status_code < 500, one


def test_nobody_learns_what_is_absent_without_a_key(call: Call) -> None:
    assert call("GET", "/alerts", key=None).data == call("GET", "/nothing", key=None).data


@pytest.mark.parametrize("path", ["/nothing", "/alerts/x/y/z", "/alert", "/", "/customers/x/nothing"])
def test_what_nobody_has_is_no_url(call: Call, path: str) -> None:
    problem(call("GET", path), 404, "404-url-not-found")


def test_an_absent_method_of_a_path_that_is_there_is_said_to_be_absent(app: Flask, call: Call) -> None:
    problem(call("GET", "/customers/external_customer_id/a%2Fb/credits/top_ups"), 404, "404-feature-not-available")
    problem(call("POST", "/customers/external_customer_id/a%2Fb/credits/top_ups"), 404, "404-feature-not-available")
    problem(call("PATCH", "/customers/x"), 405, "405-method-not-allowed")


def test_what_to_do_instead_is_there(app: Flask) -> None:
    there = {(method, absent.shape(rule.rule)) for rule in app.url_map.iter_rules() for method in rule.methods or set()}

    for one in absent.missing(app):
        for method, path in re.findall(r"\b(GET|POST|PUT|DELETE) (/v1/\S+?)(?=[ .,;:]|$)", absent.instead(one)):
            assert (method, absent.shape(path)) in there, one


def test_the_table_of_calls_says_what_is_so(app: Flask) -> None:
    assert sdk_table.PAGE.read_text() == sdk_table.page(app), "run: python -m tests.sdk_table"
