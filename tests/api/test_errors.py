"""Whatever goes wrong under /v1 is told in the same shape, and never as a failure of ours that is none."""

from __future__ import annotations

from io import BytesIO

import pytest
from flask import Flask

from portal.models.account import Account
from portal.models.catalog import Item
from portal.models.customer import Customer
from tests.api.conftest import Call, problem
from tests.given import Given

GOOD = {"name": "C", "email": "c@customer.example"}


def test_a_url_that_does_not_exist_is_said_in_json(call: Call) -> None:
    problem(call("GET", "/nothing"), 404, "404-url-not-found")
    problem(call("GET", "/"), 404, "404-url-not-found")
    problem(call("GET", "/%00"), 404, "404-resource-not-found")


def test_a_method_that_is_not_taken_names_those_that_are(call: Call) -> None:
    response = call("DELETE", "/items")

    problem(response, 405, "405-method-not-allowed")
    assert {"GET", "POST"} <= set(response.headers["Allow"].split(", "))


def test_a_body_of_more_than_256_kb_is_refused(call: Call) -> None:
    problem(call("POST", "/customers", data=b" " * (256 * 1024 + 1)), 413, "413-request-too-large")


def test_a_body_in_chunks_is_not_cut_where_it_is_too_large(call: Call) -> None:
    chunked = {"wsgi.input_terminated": True, "wsgi.input": BytesIO(b'{"name": "C"}' + b" " * 300_000)}
    answer = call("POST", "/items", environ_overrides=chunked, headers={"Transfer-Encoding": "chunked"})

    problem(answer, 413, "413-request-too-large")


def test_a_failure_of_ours_tells_nothing_about_it(app: Flask, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("the secret of the house")

    monkeypatch.setattr(Customer, "of", broken)

    response = call("GET", "/customers/x")

    problem(response, 500, "500-internal-server-error")
    assert b"secret" not in response.data


def test_somebody_elses_customer_and_none_are_refused_with_the_same_bytes(
    call: Call, bolt_key: str, given: Given, acme: Account
) -> None:
    hers = given.customer(acme, external_id="crm-7")

    for method in ("GET", "PUT"):
        body = {} if method == "PUT" else None
        for path in (f"/customers/{hers.id}", "/customers/external_customer_id/crm-7"):
            foreign = call(method, path, body, key=bolt_key)
            unknown = call(method, path[:-1] + "~", body, key=bolt_key)

            problem(foreign, 404, "404-resource-not-found")
            assert foreign.data == unknown.data
            assert dict(foreign.headers) == dict(unknown.headers)


def test_every_field_that_is_wrong_is_named(call: Call) -> None:
    response = call(
        "POST", "/customers", {"email": "nobody", "nmae": "C", "billing_address": {"country": "usa", "x": 1}}
    )

    problem(response, 400, "400-request-validation-errors")
    told = response.get_json()["validation_errors"]
    for name in ("name", "email", "nmae", "billing_address.country", "billing_address.x"):
        assert any(sentence.startswith(f"{name} ") for sentence in told), name


@pytest.mark.parametrize("column", ["account_id", "status", "sessions_only", "external_id", "amount_paid", "__class__"])
def test_a_column_that_is_no_field_cannot_be_written(call: Call, column: str) -> None:
    assert column in problem(call("POST", "/customers", {**GOOD, column: "1"}), 400, "400-request-validation-errors")
    assert column in problem(call("POST", "/items", {"name": "I", column: "1"}), 400, "400-request-validation-errors")


@pytest.mark.parametrize("path", ["/customers", "/items"])
def test_a_query_parameter_that_is_not_known_is_named(call: Call, path: str) -> None:
    assert "colour" in problem(call("GET", f"{path}?colour=red"), 400, "400-request-validation-errors")


def test_a_query_where_none_is_read_is_refused_and_nothing_is_done(call: Call, acme: Account) -> None:
    for method, path, body in (("GET", "/ping", None), ("POST", "/items", {"name": "I"})):
        assert "colour" in problem(call(method, f"{path}?colour=red", body), 400, "400-request-validation-errors")

    assert Item.select().where(Item.account == acme).count() == 0
