"""A body means one thing only, a value stays in its bounds, and no input whatsoever is a failure of ours."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from hypothesis import given as for_all
from hypothesis import strategies as st

from portal.api import strict_json
from portal.models.account import Account
from tests.api.conftest import Call, problem
from tests.given import Given

GOOD = {"name": "C", "email": "c@customer.example"}
HOSTILE = [
    b"",
    b"null",
    b"[]",
    b"1",
    b'"text"',
    b"{",
    b"{}{}",
    b'{"name": "A", "name": "B", "email": "c@customer.example"}',
    b'{"name": "\\u006eame", "n\\u0061me": "B", "email": "c@customer.example"}',
    b'{"name": NaN, "email": "c@customer.example"}',
    b'{"name": Infinity, "email": "c@customer.example"}',
    b'{"name": -Infinity, "email": "c@customer.example"}',
    b'{"name": "\\ud800", "email": "c@customer.example"}',
    b'{"name": "\\udc00\\ud800", "email": "c@customer.example"}',
    b'{"name": "a\\u0000b", "email": "c@customer.example"}',
    b'{"name": "a\\u001fb", "email": "c@customer.example"}',
    b'{"name": "a\\nb", "email": "c@customer.example"}',
    b'{"name": "a\nb", "email": "c@customer.example"}',
    b'{"name": "\xff\xfe", "email": "c@customer.example"}',
    b'\xef\xbb\xbf{"name": "A", "email": "c@customer.example"}',
    "{'name': 'A'}".encode("utf-16"),
    b'{"name": "A", "email": "c@customer.example",}',
    b'{"name": "A", "email": "c@customer.example"} // no',
    b"name=A&email=c%40customer.example",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"metadata": ' + b'{"a":' * 21 + b"1" + b"}" * 22,
    b"9" * 100_000,
    b'{"name": ' + b"9" * 5_000 + b"}",
    b'{"name": 1e999999999, "email": "c@customer.example"}',
    b'{"name": 1.' + b"1" * 5_000 + b', "email": "c@customer.example"}',
    b'{"name": true, "email": "c@customer.example"}',
    b'{"name": ["A"], "email": "c@customer.example"}',
    b'{"name": {}, "email": "c@customer.example"}',
    b'{"name": "", "email": "c@customer.example"}',
    b'{"name": "   ", "email": "c@customer.example"}',
    b'{"name": "A", "email": ""}',
    b'{"name": "A", "email": "c@localhost"}',
    b'{"name": "A", "email": "c@customer.example\\r\\nBcc: x@y.example"}',
    b'{"name": "A", "email": "C <c@customer.example>"}',
    b'{"name": "A", "email": ["c@customer.example"]}',
    b'{"name": "A", "email": null}',
]
FIELDS = [
    ("name", "n" * 501),
    ("name", "a\u2028b"),
    ("name", "\u202e" * 501),
    ("email", "c@" + "x" * 300 + ".example"),
    ("additional_emails", ["c@customer.example"] * 50),
    ("additional_emails", ["nobody"] * 49),
    ("additional_emails", "c@customer.example"),
    ("additional_emails", [None]),
    ("external_customer_id", ""),
    ("external_customer_id", 7),
    ("external_customer_id", "x" * 256),
    ("external_customer_id", "a/portal_sessions"),
    ("external_customer_id", "a/portal_sessions/b"),
    ("currency", "usd"),
    ("currency", "XAU"),
    ("currency", "ZZZ"),
    ("currency", 840),
    ("currency", "$" * 10_000),
    ("timezone", "Mars/Olympus"),
    ("timezone", "../../etc/passwd"),
    ("timezone", "/etc/localtime"),
    ("timezone", "america/new_york"),
    ("timezone", ""),
    ("locale", "xx_YY_ZZ"),
    ("locale", "../de"),
    ("locale", "__import__"),
    ("billing_address", []),
    ("billing_address", {"country": "USA"}),
    ("billing_address", {"line1": 1}),
    ("shipping_address", {"planet": "Mars"}),
    ("tax_id", {}),
    ("tax_id", {"country": "DE", "type": "eu_vat"}),
    ("tax_id", {"country": "DE", "type": "EU VAT", "value": "1"}),
    ("metadata", []),
    ("metadata", {"a": 1}),
    ("metadata", {"a": {"b": "c"}}),
    ("metadata", {"": "a"}),
    ("metadata", {str(n): "v" for n in range(101)}),
    ("metadata", {"k": "v" * 2001}),
    ("auto_collection", "yes"),
    ("email_delivery", 1),
    ("permanent_portal_link", "false"),
    ("payment_methods", []),
    ("payment_methods", ["cash"]),
    ("payment_methods", ["card", "card"]),
    ("payment_methods", "card"),
    ("payment_provider", "paypal"),
    ("payment_configuration", {"payment_providers": [{"provider_type": "adyen"}]}),
]


@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_a_body_that_could_be_read_two_ways_is_refused(call: Call, data: bytes) -> None:
    for path in ("/customers", "/items"):
        problem(call("POST", path, data=data), 400, "400-request-validation-errors")


def test_no_write_takes_such_a_body(app: Flask, call: Call, given: Given, acme: Account) -> None:
    customer = given.customer(acme, external_id="crm-1")
    ids = {"customers": customer.id, "items": given.item(acme).id, "invoices": given.invoice(customer, issued=False).id}
    writes = [
        (method, rule.rule.removeprefix("/v1"))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}
        if rule.rule.startswith("/v1/") and (method, rule.rule) != ("DELETE", "/v1/account/logo")  # looks at no body
    ]

    for method, rule in writes:
        path = re.sub(r"<external:\w+>", "crm-1", rule)
        path = re.sub(r"<\w+>", ids.get(rule.split("/")[1], "x"), path, count=1)
        for data in HOSTILE[1:-1]:  # an empty body may be enough elsewhere, and null may leave an e-mail address alone
            response = call(method, re.sub(r"<\w+>", "x", path), data=data)

            assert response.status_code in (400, 404), (method, rule, data[:60])
    assert len(writes) > 20


@pytest.mark.parametrize(("field", "value"), FIELDS, ids=lambda value: str(value)[:40])
def test_a_value_out_of_bounds_is_refused_and_its_field_named(call: Call, field: str, value: object) -> None:
    body = json.dumps({**GOOD, field: value})

    assert field in problem(call("POST", "/customers", data=body), 400, "400-request-validation-errors")


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=1e1",
        "limit=١",
        "limit=",
        "limit=1&limit=2",
        "limit[]=1",
        "cursor=",
        "cursor=x",
        "cursor=%00",
        "cursor=%ff",
        "cursor=ü",
        "cursor=" + "A" * 5000,
        "cursor=OTk5OTk5OTk5OTk5OTk5OTk5OTk5LmE",
        "created_at[gt]=yesterday",
        "created_at[gt]=0001-01-01T00:00:00%2B14:00",
        "created_at[gt]=9999-12-31",
        "created_at[gt]=2026-02-30",
        "created_at[gt]=2026-01-01T25:00:00Z",
        "created_at[gt]=20260101",
        "created_at[in]=2026-01-01",
        "created_at=2026-01-01",
        "%00=1",
        "name=%ED%A0%80",
    ],
)
def test_a_query_that_makes_no_sense_is_refused(call: Call, query: str) -> None:
    problem(call("GET", f"/customers?{query}"), 400, "400-request-validation-errors")


@pytest.mark.parametrize("id", ["%00", "a%00b", "%FF%FE", "%ED%A0%80", "'; DROP TABLE customer;--", "a" * 5000, "ü"])
def test_an_id_that_nothing_can_have_is_not_found(call: Call, id: str) -> None:
    for path in (f"/customers/{id}", f"/customers/external_customer_id/{id}", f"/items/{id}"):
        problem(call("GET", path), 404, "404-resource-not-found")


def test_any_content_type_is_taken_as_long_as_the_body_is_json(call: Call) -> None:
    for content_type in ("application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        made = call("POST", "/items", data=b'{"name": "I"}', headers={"Content-Type": content_type})

        assert made.status_code == 201


PIECES = st.sampled_from(
    [
        "{",
        "}",
        "[",
        "]",
        '"a"',
        '"b"',
        '""',
        ":",
        ",",
        " ",
        "1",
        "-0",
        "1.50",
        "1e5",
        "1e99",
        "NaN",
        "true",
        "null",
        "9" * 49,
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab {[]}:,\"'\t\\\x7f\x01é", max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab[{", max_size=2), inner, max_size=3),
)


@for_all(st.lists(PIECES, max_size=40).map("".join) | VALUES.map(json.dumps))
def test_the_quick_way_says_what_the_careful_one_says(text: str) -> None:
    def said(read: Callable[[bytes], Any], data: bytes) -> Any:
        try:
            return repr(read(data))
        except strict_json.Ambiguous as error:
            return str(error)

    assert said(strict_json.loads, text.encode()) == said(strict_json.carefully, text.encode())


@pytest.mark.parametrize("deep", [strict_json.DEEPEST, strict_json.DEEPEST + 1])
def test_twenty_levels_are_read_and_no_more(deep: int) -> None:
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")):
        each = len(opening.replace(b'"a":', b""))
        data = opening * (deep // each) + (b"[" if deep % each else b"")
        data += b"1" + (b"]" if deep % each else b"") + closing * (deep // each)
        if deep > strict_json.DEEPEST:
            with pytest.raises(strict_json.Ambiguous, match="20 levels"):
                strict_json.loads(data)
        else:
            assert strict_json.loads(data)
