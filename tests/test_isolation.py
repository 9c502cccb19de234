"""Nobody reads another's things: whatever key, token or session asks, the answer is that of a thing that is not there.

The crawl is made from the app's own map of addresses, so a new one without a case here fails.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import permutations, product
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from portal.models.account import Account, ApiKey
from portal.models.link import Link
from portal.tokens import PATHS
from tests import crawl
from tests.crawl import SHAPELESS, Home

MINIMUM = 2000
Answer = tuple[int, bytes, tuple[tuple[str, str], ...]]
# Addresses without anybody's id in them: a list, a thing that is about to be made, the account of the key itself.
OWN = {
    "/accessibility", "/healthz", "/readyz", "/robots.txt", "/v1/account", "/v1/account/logo", "/v1/customers",
    "/v1/invoices", "/v1/invoices/summary", "/v1/invoice_line_items", "/v1/credit_notes",
    "/v1/items", "/v1/metrics", "/v1/ping", "/v1/plans", "/v1/prices",
    "/v1/coupons", "/v1/subscriptions", "/v1/subscriptions/summary", "/docs/api", "/docs/api/shapes",
    "/v1/openapi.json", "/v1/ingest", "/v1/events/search", "/v1/events/volume", "/v1/events/backfills",
    "/v1/payments",
}  # fmt: skip
# Public by decision: named after their content, or about nobody, and the same for whoever asks.
PUBLIC = {"/brand/<color>.css", "/brand/<digest>.png", "/docs/api/<section>", "/webhooks/<gateway>"}


@dataclass
class Asker:
    """Asks, counts, and remembers how things that are not there were answered."""

    app: Flask
    tried: Counter[str] = field(default_factory=Counter)
    absent: dict[Any, Answer] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 1 << 24)))

    def __call__(self, method: str, path: str, key: str | None = None, **more: Any) -> Answer:
        n = next(self.numbers)  # a new address each time: who guesses on and on would have to wait
        from_ = {"REMOTE_ADDR": f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"}
        headers = {**({"Authorization": f"Bearer {key}"} if key else {}), **more.pop("headers", {})}
        return told(self.app.test_client().open(path, method=method, headers=headers, environ_overrides=from_, **more))

    def refuse(
        self, rule: Rule | str, method: str, foreign: str, unknown: str, key: str | None = None, **more: Any
    ) -> None:
        """The foreign path must be answered as the unknown one is, and not with success."""
        same = (str(rule), method, unknown, key)
        if same not in self.absent:
            self.absent[same] = self(method, unknown, key, **more)
        answer = self(method, foreign, key, **more)
        self.tried[str(rule)] += 1
        assert answer[0] >= 400, f"{method} {rule} told somebody else's: {answer}"
        assert answer == self.absent[same], f"{method} {rule} tells foreign from absent"


def told(response: TestResponse) -> Answer:
    return response.status_code, response.data, tuple(sorted(response.headers.items()))


@pytest.fixture
def asker(app: Flask) -> Asker:
    return Asker(app)


@pytest.fixture
def homes(app: Flask, given: Any, clock: Any, acme: Account, bolt: Account) -> list[Home]:
    """Nine customers: three accounts of three."""
    dune = Account.open("Dune", clock.now, mode="test", by="test")
    return [home for account in (acme, bolt, dune) for home in crawl.street(given, account, 3)]


def with_ids(app: Flask, api: bool) -> list[Rule]:
    return [
        rule
        for rule in crawl.rules(app)
        if rule.rule.startswith("/v1/") == api and rule.rule not in OWN | PUBLIC and crawl.names(rule)
    ]


def test_every_address_has_a_case(app, homes):
    """A new rule has to say whose ids it takes (tests/crawl.py), or that it takes none (above)."""
    for rule in crawl.rules(app):
        if not crawl.names(rule):
            assert rule.rule in OWN, f"{rule} has no case"
        elif rule.rule not in PUBLIC:
            try:
                crawl.ids(rule, homes[0])
            except KeyError as missing:
                pytest.fail(f"{rule} has no case: {missing}")
            assert rule.rule.startswith("/v1/") or crawl.prefix(rule), f"{rule} has no case"


def test_one_can_reach_ones_own(app, asker, homes):
    """Or the refusals below would prove nothing."""
    home = homes[0]
    for rule in crawl.rules(app):
        key = home.key if rule.rule.startswith("/v1/") else None
        path = crawl.fill(rule, **crawl.ids(rule, home))
        if "GET" in crawl.methods(rule):
            assert asker("GET", path, key)[0] == 200, rule
        else:
            assert asker("OPTIONS", path, key)[0] == 200, rule


def test_no_key_reaches_another_accounts_things(app, asker, homes):
    before = list(crawl.tables())
    for mine, theirs in product(homes[::3], homes):  # whoever lives in an account, its key is the same
        if mine.account == theirs.account:
            continue
        for rule in with_ids(app, api=True):
            whose = theirs.invoices if "/invoices/" in rule.rule else theirs.invoices[:1]
            for invoice in whose:
                foreign = crawl.fill(rule, **crawl.ids(rule, theirs, invoice))
                unknown = crawl.fill(rule, **dict.fromkeys(crawl.names(rule), SHAPELESS))
                for method in crawl.methods(rule):
                    asker.refuse(rule, method, foreign, unknown, mine.key, **crawl.body(method, rule, mine))

    assert sum(asker.tried.values()) >= MINIMUM, asker.tried
    assert set(asker.tried) == {str(rule) for rule in with_ids(app, api=True)}
    assert list(crawl.tables()) == before
    print(f"\n{sum(asker.tried.values())} requests with another account's key, 0 answered")


def test_without_a_good_key_every_address_under_v1_answers_the_same(app, asker, homes, clock):
    row, revoked = ApiKey.mint(homes[0].account, clock.now, "test")
    row.revoke(clock.now, "test")
    bad = [None, revoked, homes[0].key[:-1] + "z", homes[0].token("c"), homes[0].customer.id, "", "x" * 5000]

    answers = {
        asker(method, crawl.fill(rule, **crawl.ids(rule, home)), key, **crawl.body(method, rule, home))
        for home in homes[:2]
        for rule in crawl.rules(app)
        if rule.rule.startswith("/v1/") and rule.rule != "/v1/openapi.json"  # which says nothing about anybody
        for method in crawl.methods(rule)
        for key in bad
    }

    assert {status for status, _, _ in answers} == {401}
    assert len(answers) == 1


def test_the_sessions_of_one_customer_are_not_ended_through_another(asker, homes):
    rule = "/v1/customers/<id>/portal_sessions/<session_id>"
    for mine, theirs in permutations(homes[:6], 2):
        path = f"/v1/customers/{mine.customer.id}/portal_sessions/"
        asker.refuse(rule, "DELETE", path + theirs.sessions[0].id, path + SHAPELESS, mine.key)

    assert all(Link.get_by_id(home.sessions[0].id).ended_at is None for home in homes)


def test_links_of_other_kinds_are_no_sessions(asker, homes):
    mine = homes[0]
    path = f"/v1/customers/{mine.customer.id}/portal_sessions/"
    for link in (Link.of_customer(mine.customer.id), Link.of_invoice(mine.open[0].id)):
        asker.refuse("no session", "DELETE", path + link.id, path + SHAPELESS, mine.key)


def test_nothing_in_a_body_or_a_query_reaches_another_accounts_things(asker, homes):
    for mine, theirs in permutations(homes[::3], 2):
        foreign_item = {"line_items": [{**crawl.new_invoice(mine)["line_items"][0], "item_id": theirs.item.id}]}
        unknown_item = {"line_items": [{**crawl.new_invoice(mine)["line_items"][0], "item_id": SHAPELESS}]}
        pairs: list[tuple[dict[str, Any], dict[str, Any]]] = [
            ({"customer_id": theirs.customer.id}, {"customer_id": SHAPELESS}),
            (foreign_item, unknown_item),
        ]
        external = theirs.customer.external_id
        for foreign, unknown in pairs:
            one, other = (
                asker("POST", "/v1/invoices", mine.key, json=crawl.new_invoice(mine, **change))
                for change in (foreign, unknown)
            )
            assert one[0] >= 400, foreign
            assert one == other, foreign
        whole = crawl.new_invoice(mine)
        del whole["customer_id"]
        one, other = (
            asker("POST", "/v1/invoices", mine.key, json={**whole, "external_customer_id": name})
            for name in (external, SHAPELESS)
        )
        assert one[0] >= 400
        assert one == other
        for path in ("/v1/invoices", "/v1/invoices/summary"):
            for name, value in (
                ("customer_id", theirs.customer.id),
                ("external_customer_id", external),
                ("subscription_id", theirs.subscription.id),
            ):
                one = asker("GET", path, mine.key, query_string={name: value})
                other = asker("GET", path, mine.key, query_string={name: SHAPELESS})
                assert one == other, (path, name)
                assert theirs.customer.id.encode() not in one[1]


def test_lists_hold_ones_own_and_nothing_else_wherever_one_begins_to_read(asker, homes):
    for path in (
        "/v1/customers",
        "/v1/invoices",
        "/v1/items",
        "/v1/invoices/summary",
        "/v1/metrics",
        "/v1/prices",
        "/v1/plans",
    ):
        cursors = [None]
        for home in homes:
            cursors.append(
                json.loads(asker("GET", f"{path}?limit=1", home.key)[1])["pagination_metadata"]["next_cursor"]
            )
        for mine in homes[::3]:
            others = [home for home in homes if home.account != mine.account]
            for cursor in cursors:
                query = {"limit": "100", **({"cursor": cursor} if cursor else {})}
                status, text, _ = asker("GET", path, mine.key, query_string=query)
                assert status == 200
                for home in others:
                    ids = (home.customer.id, home.item.id, home.account.id, home.metric_id, home.price_id, home.plan_id)
                    for id in (*ids, *(one.id for one in home.invoices)):
                        assert id.encode() not in text, (path, cursor)


def test_no_link_reaches_another_customers_invoices(app, asker, homes):
    """All ordered pairs, those of one account too; and one's own draft is as absent as another's invoice."""
    below = [rule for rule in with_ids(app, api=False) if "invoice_id" in crawl.names(rule)]
    for mine, theirs in permutations(homes, 2):
        for rule in below:
            mark = crawl.prefix(rule) or ""
            if "/payments" in rule.rule and theirs not in homes[:2]:
                continue  # the same question of the same scope: a few pairs are enough
            for invoice in [*theirs.invoices[1:], mine.draft]:
                ids = {"token": mine.token(mark), "invoice_id": invoice.id, "line_id": theirs.line(invoice)}
                ids["payment_id"] = theirs.tried.get(invoice.id, theirs.payment_id)
                unknown = {**ids, "invoice_id": SHAPELESS, "line_id": SHAPELESS, "payment_id": SHAPELESS}
                if "GET" in crawl.methods(rule):
                    asker.refuse(rule, "GET", crawl.fill(rule, **ids), crawl.fill(rule, **unknown))

    assert sum(asker.tried.values()) >= MINIMUM
    print(f"\n{sum(asker.tried.values())} requests with another customer's link, 0 answered")


def test_no_link_reaches_another_invoices_lines(app, asker, homes):
    for rule in with_ids(app, api=False):
        if "line_id" not in crawl.names(rule) or "GET" not in crawl.methods(rule):
            continue
        for mine, theirs in [*permutations(homes[::3], 2), *permutations(homes[:2], 2), (homes[0], homes[0])]:
            ids = crawl.ids(rule, mine)
            for line in (theirs.upcoming_line, *(theirs.line(invoice) for invoice in theirs.invoices)):
                if line != ids["line_id"]:
                    paths = (crawl.fill(rule, **{**ids, "line_id": id}) for id in (line, SHAPELESS))
                    asker.refuse(rule, "GET", *paths)


def test_no_link_reaches_payments_of_invoices_that_it_does_not_reach(app, asker, homes):
    """Another customer's, and below an invoice those of another invoice of one's own."""
    for rule in with_ids(app, api=False):
        if "payment_id" not in crawl.names(rule):
            continue
        for mine, theirs in [*permutations(homes[::3], 2), *permutations(homes[:2], 2), (homes[0], homes[0])]:
            ids = crawl.ids(rule, mine)
            below = "invoice_id" in ids or crawl.prefix(rule) == "i"
            for payment in (theirs.payment_id, *theirs.tried.values()):
                if payment != ids["payment_id"] and (theirs is not mine or below):
                    paths = (crawl.fill(rule, **{**ids, "payment_id": id}) for id in (payment, SHAPELESS))
                    asker.refuse(rule, "GET", *paths)


def test_paying_several_invoices_reaches_none_of_another_customer(asker, homes):
    for mine, theirs in [*permutations(homes[::3], 2), *permutations(homes[:2], 2)]:
        for mark in ("c", "s"):
            form = f"{mine.urls[mark][0]}payments/new?invoice="
            for id in (theirs.open[0].id, mine.draft.id):
                asker.refuse("payments/new", "GET", form + id, form + SHAPELESS)
                asker.refuse("both", "GET", f"{form}{id}&invoice={mine.open[0].id}", form + SHAPELESS)


def test_no_query_of_a_page_reaches_another_customers_things(asker, homes):
    for mine, theirs in permutations(homes[::2], 2):
        for mark in ("c", "s"):
            root = mine.urls[mark][0]
            one, other = (
                asker("GET", f"{root}usage", query_string={"metric": id}) for id in (theirs.metric_id, SHAPELESS)
            )
            assert one[0] == 422
            assert one[1].replace(theirs.metric_id.encode(), SHAPELESS.encode()) == other[1]
            status, page, _ = asker("GET", f"{root}invoices", query_string={"number": theirs.open[0].number})
            assert status == 200
            assert theirs.open[0].id.encode() not in page


def test_pages_hold_ones_own_and_nothing_else(asker, homes):
    for mine in homes:
        pages = [
            asker("GET", url + tail)[1]
            for mark in ("c", "s")
            for url in mine.urls[mark]
            for tail in ("", "invoices", "due", "usage", "upcoming", "balance", "details")
        ]
        pages += [asker("GET", url + tail)[1] for url in mine.urls["i"] for tail in ("", "invoice.json", "invoice.csv")]
        for theirs in homes:
            for secret in (theirs.customer.name, theirs.customer.email, theirs.open[0].number, theirs.open[0].id):
                if theirs is not mine:
                    found = [page for page in pages if f">{secret}<".encode() in page or f'"{secret}"'.encode() in page]
                    assert not found, secret


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_token_opens_no_address_of_another_kind(app, asker, homes, method):
    """And a token of the wrong kind, a mangled one and none at all are answered alike."""
    for rule in with_ids(app, api=False):
        mark = crawl.prefix(rule) or ""
        if method not in crawl.methods(rule):
            continue
        for home in homes[::4]:
            ids = crawl.ids(rule, home)
            own = ids["token"]
            strangers = [home.token(other) for other in PATHS.values() if other != mark]
            strangers += [own[:-1] + ("A" if own[-1] != "A" else "B"), own[::-1], "zz" + own[2:], "k1", own.lower()]
            unknown = crawl.fill(rule, **{**ids, "token": "nothing"})
            tail = "?fresh" if method == "POST" else ""
            for token in strangers:
                asker.refuse(rule, method, crawl.fill(rule, **{**ids, "token": token}) + tail, unknown + tail)


@pytest.mark.parametrize("ask", [lambda asker, path: asker("GET", path), lambda asker, path: asker("HEAD", path)])
def test_a_hidden_void_invoice_is_absent_under_the_customers_links_and_there_under_its_own(
    asker: Asker, homes: list[Home], clock: Any, given: Any, ask: Callable[[Asker, str], Answer]
) -> None:
    home = homes[0]
    void = home.invoices[-1]
    home.account.configure({"hide_voided_invoices": True}, clock.now, "test")
    link = Link.of_invoice(void.id)
    assert link

    assert ask(asker, given.url(link))[0] == 200
    for mark in ("c", "s"):
        root = home.urls[mark][0]
        one, other = (ask(asker, f"{root}invoices/{id}/") for id in (void.id, SHAPELESS))
        assert (one[0], one) == (404, other)
        assert void.number.encode() not in ask(asker, f"{root}invoices")[1]
