"""GET, HEAD and OPTIONS change nothing, whoever asks and whatever for: mail scanners open every link."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from portal.config import Settings
from portal.models import base, schema
from portal.models.account import Account, ApiKey
from portal.models.base import db
from portal.models.link import Link
from tests import crawl
from tests.crawl import Home
from tests.given import Given

READS = ("GET", "HEAD", "OPTIONS")
DEEDS = ("/payments", "/payments/<payment_id>", "/methods")  # where a page has a form, which needs a stamp
AT_ONCE = 30  # addresses that are read before everything is hashed again
STATES = ("live", "expired", "revoked", "bad")
SCANNER = {"User-Agent": "Mozilla/5.0 (compatible; MSIE 9.0; MSOffice 12)", "Accept": "*/*", "Purpose": "prefetch"}
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Current-URL": "https://host.example/"}


@pytest.fixture
def settings(migrated: str, settings: Settings, empty_database_url: str) -> Iterator[Settings]:
    """A database of its own: what is in it is hashed again and again."""
    bound = base.db.obj
    base.connect(empty_database_url)
    schema.migrate()
    yield settings.model_copy(update={"database_url": empty_database_url})
    base.db.initialize(bound)


@pytest.fixture
def home(app: Flask, given: Given, acme: Account) -> Home:
    return crawl.street(given, acme, 1)[0]


def digest() -> str:
    return hashlib.sha256(repr(list(crawl.tables())).encode()).hexdigest()


def bring(state: str, home: Home, given: Given, clock: Any) -> str:
    """Brings all of the customer's links and her account's key into this state, and says the key to show."""
    if state == "expired":
        clock.now = crawl.LATER
    if state == "revoked":
        for link in Link.select().where(Link.customer == home.customer.id, Link.ended_at.is_null()):
            link.revoke(clock.now, "test", "because")
        ApiKey.known(home.key).revoke(clock.now, "test")
    if state == "bad":
        home.urls = {mark: [url[:-3] + "AA/" for url in urls] for mark, urls in home.urls.items()}
        return home.key[:-1] + ("0" if home.key[-1] != "0" else "1")
    return home.key


def addresses(rules: list[Rule], home: Home) -> Iterator[tuple[Rule, str]]:
    """Every rule under every link, with the questions that its forms ask, and a few that nobody should."""
    for rule in rules:
        for invoice in (home.invoices[1], home.draft) if "invoice_id" in crawl.names(rule) else home.open[1:2]:
            path = crawl.fill(rule, **crawl.ids(rule, home, invoice))
            yield rule, path
        yield rule, f"{path}?fresh"
        yield rule, f"{path}?limit=1&metric={home.metric_id}&period=90d&view=cumulative&number=A&status=paid&year=2026"
        if path.endswith("/"):
            yield rule, path[:-1]


@pytest.mark.parametrize("state", STATES)
def test_no_read_of_any_address_changes_a_row(app, given, clock, home, state):
    key = bring(state, home, given, clock)
    rules = crawl.rules(app)
    before, seen, numbers = digest(), Counter(), count(1)
    asked: list[str] = []

    for rule, path in addresses(rules, home):
        for method in READS:
            for more in (SCANNER, HTMX) if method == "GET" else (SCANNER,):
                headers = {**more, "Authorization": f"Bearer {key}", "Idempotency-Key": "a-key"}
                n = next(numbers)
                answer = app.test_client().open(
                    path, method=method, headers=headers, environ_overrides={"REMOTE_ADDR": f"10.0.{n >> 8}.{n & 255}"}
                )
                seen[answer.status_code] += 1
                assert answer.status_code < 500, (method, rule)
        asked.append(str(rule))
        if len(asked) == AT_ONCE:
            assert digest() == before, f"reading one of these wrote: {asked}"
            asked.clear()
    assert digest() == before, f"reading one of these wrote: {asked}"

    expected = {"live": {200}, "expired": {200, 410}, "revoked": {410, 401}, "bad": {404, 401}}
    assert expected[state] <= set(seen), seen
    print(f"\n{state}: {sum(seen.values())} reads, {dict(sorted(seen.items()))}")


def test_a_file_that_is_read_is_not_even_touched(app, given, clock, home):
    """SQLite counts the commits of others: none, even of the same content, while everything is read."""
    if base.is_postgresql():
        pytest.skip("PostgreSQL counts for all databases of a server together")
    with closing(sqlite3.connect(db.database)) as watching:

        def version() -> int:
            return watching.execute("PRAGMA data_version").fetchone()[0]

        before = version()
        for rule, address in addresses(crawl.rules(app), home):
            app.test_client().get(address, headers={"Authorization": f"Bearer {home.key}"})
            assert version() == before, f"reading {rule} committed something"
        home.account.configure({"memo": "now something was"}, clock.now, "test")

        assert version() != before


def test_what_a_scanner_posts_without_being_asked_to_changes_nothing(app, home):
    """A POST without the button's mark is refused, and the button of an open link queues nothing by being read."""
    before = digest()

    for rule in crawl.rules(app):
        if crawl.prefix(rule):
            path = crawl.fill(rule, **crawl.ids(rule, home))
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                status = app.test_client().open(path, method=method).status_code
                does = method == "POST" and rule.rule.endswith(DEEDS)
                assert status == 405 or (does and status in (403, 409, 422)), (method, rule)

    assert digest() == before


def test_fifty_scanners_later_the_link_still_opens(app, home):
    url = home.urls["i"][0]

    for _ in range(50):
        app.test_client().get(url, headers=SCANNER)
        app.test_client().head(url, headers=SCANNER)

    assert app.test_client().get(url).status_code == 200


def test_the_hash_sees_one_changed_letter(app, home):
    before = digest()

    with db.atomic() as transaction:
        home.customer.name = "Customer ."
        home.customer.save()
        assert digest() != before
        transaction.rollback()

    assert digest() == before


def test_a_rules_methods_are_what_the_crawl_believes(app):
    """Nothing but these methods is served anywhere, so nothing escapes the crawl."""
    assert {method for rule in crawl.rules(app) for method in rule.methods} <= {
        "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE",
    }  # fmt: skip
