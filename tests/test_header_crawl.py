"""Whatever is answered, at whatever address and with whatever status, carries all the headers and no cookie."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import peewee
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from portal.app import create_app
from portal.config import ApiRate
from portal.models.account import Account
from portal.models.link import Link
from tests import crawl
from tests.crawl import SHAPELESS, Home

# links-and-payments.md §3.8, without a gateway and with the origins that no account here lists.
POLICY = {
    "default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "'self'", "font-src": "'self'",
    "connect-src": "'self'", "form-action": "'self'", "base-uri": "'none'", "object-src": "'none'",
    "frame-ancestors": "'none'",
}  # fmt: skip
EVERYWHERE = {
    "Referrer-Policy": "strict-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(self)",
    "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
HTTPS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
NOT_KEPT = {"Cache-Control": "no-store"}
FOR_EVER = ("/static/", "/brand/")  # named after their content
ALLOWED = {  # besides those above; another name on some response is a decision to be made here
    "Content-Security-Policy", "Content-Type", "Content-Length", "Content-Disposition", "Content-Encoding", "Location",
    "Allow", "Vary", "Retry-After", "WWW-Authenticate", "Idempotency-Key", "Idempotent-Replayed", "x-should-retry",
    "Transient-Error", "Last-Modified", "ETag", "Date", "Access-Control-Allow-Origin", "Connection",
    "HX-Push-Url", "HX-Refresh", "HX-Reselect", "HX-Reswap", "HX-Retarget",  # relative addresses, ids of our own pages
}  # fmt: skip
HTMX = {"HX-Request": "true"}
NOWHERE = [
    "/", "/nowhere", "/static/", "/static/../portal/app.py", "/static/nowhere.css", "/v1/", "/v1/nowhere", "/v1", "//",
    "/i/", "/i//", "/c", "/%00", "/i/%00/", "/v1/customers/%00", "/favicon.ico", "/brand/x.css",
    "/.well-known/security.txt", "/%ff%fe", "/v1/invoices/" + "a" * 5000, "/i/" + "é" * 73 + "/",
]  # fmt: skip


@pytest.fixture
def served(database_kind: str, settings: Any, clock: Any, app: Flask) -> Flask:
    """Both kinds of address have their turn: http with one database, https with the other."""
    if database_kind == "sqlite":
        return app
    return create_app(settings.model_copy(update={"base_url": "https://pay.acme.example"}), clock)


@pytest.fixture
def home(given: Any, acme: Account) -> Home:
    return crawl.street(given, acme, 1)[0]


class Crawl:
    """Asks, checks every answer, and counts which statuses were seen where."""

    def __init__(self, app: Flask) -> None:
        self.app, self.seen = app, defaultdict(set)
        self.https = app.extensions["portal"].settings.base_url.startswith("https:")
        self.tried = 0

    def __call__(self, rule: Any, method: str, path: str, **more: Any) -> TestResponse:
        self.tried += 1
        address = f"10.1.{self.tried >> 8}.{self.tried & 255}"  # a new one each time: limits are not the point
        more.setdefault("environ_overrides", {"REMOTE_ADDR": address})
        response = self.app.test_client().open(path, method=method, **more)
        self.seen[str(rule)].add(response.status_code)
        for offence in offences(response, path, https=self.https):
            pytest.fail(f"{method} {rule} answered {response.status_code}: {offence}")
        return response

    def statuses(self) -> set[int]:
        return set().union(*self.seen.values())


def offences(response: TestResponse, path: str, *, https: bool, origins: str = "") -> Iterator[str]:
    headers = response.headers
    kept = path.startswith(FOR_EVER) and response.status_code in (200, 304)
    expected = {**EVERYWHERE, **({} if kept else NOT_KEPT), **(HTTPS if https else {})}
    if origins:
        del expected["X-Frame-Options"]
    for name, value in expected.items():
        if headers.getlist(name) != [value]:
            yield f"{name} is {headers.getlist(name)}"
    for name in {"X-Frame-Options", *HTTPS} - set(expected):
        if name in headers:
            yield f"{name} does not belong here"
    policies = headers.getlist("Content-Security-Policy")
    if len(policies) != 1 or read(policies[0]) != {**POLICY, **({"frame-ancestors": origins} if origins else {})}:
        yield f"Content-Security-Policy is {policies}"
    if any("unsafe" in policy or "*" in policy.split("frame-ancestors")[0] for policy in policies):
        yield "the policy is loose"
    if "Set-Cookie" in headers:
        yield "a cookie is set"
    if any(digit.isdigit() for digit in headers.get("Server", "")):
        yield f"Server says {headers['Server']}"
    if strangers := {name for name, _ in headers} - ALLOWED - set(expected) - {"Cache-Control", "Server"}:
        yield f"headers that nobody decided about: {strangers}"


def read(policy: str) -> dict[str, str]:
    return dict(part.strip().split(" ", 1) for part in policy.split(";"))


def asked(crawl_: Crawl, home: Home) -> None:
    """Every method of every rule: carried out, refused in each way it can be, and asked of nothing."""
    for rule in crawl.rules(crawl_.app):
        key = {"Authorization": f"Bearer {home.key}"} if rule.rule.startswith("/v1/") else {}
        path = crawl.fill(rule, **crawl.ids(rule, home))
        absent = crawl.fill(rule, **{**dict.fromkeys(crawl.names(rule), SHAPELESS), "color": "no-color"})
        for method in ("HEAD", "OPTIONS"):
            for where in (absent, path):
                crawl_(rule, method, where, headers={**key, **HTMX})
        for method in sorted(crawl.methods(rule)):
            more = crawl.body(method, rule, home)
            crawl_(rule, method, absent, headers=key, **more)
            crawl_(rule, method, absent, **more)
            crawl_(rule, method, f"{path}?nobody_asks_this=1&limit=0&metric=x&year=x", headers=key, **more)
            crawl_(rule, method, path, headers={**key, "Content-Type": "application/json"}, data=b"{")
            crawl_(rule, method, path, headers={**key, **HTMX}, data=b"x" * 300_000)
            if method == "GET":
                crawl_(rule, method, path, headers={**key, **HTMX})
                crawl_(rule, method, path, headers=key)
            else:
                crawl_(rule, method, f"{path}?fresh", headers={**key, "Sec-Fetch-Site": "cross-site"}, **more)
        for method in ("DELETE", "PUT", "PATCH", "POST", "TRACE", "PROPFIND"):
            if method not in crawl.methods(rule):
                crawl_(rule, method, path, headers=key)
        if path.endswith("/"):
            crawl_(rule, "GET", path[:-1], headers=key)


def carried_out(crawl_: Crawl, home: Home) -> None:
    """Every write, with success; those that take something away come last."""
    doing = [(method, rule) for rule in crawl.rules(crawl_.app) for method in crawl.methods(rule) - {"GET"}]
    for method, rule in sorted(doing, key=lambda one: (one[0] == "DELETE", "void" in str(one[1]), str(one[1]))):
        key = {"Authorization": f"Bearer {home.key}", "Idempotency-Key": f"{method} {rule}"[:64].strip()}
        invoice = home.draft if "issue" in rule.rule else home.invoices[1 if "void" in rule.rule else 0]
        path = crawl.fill(rule, **crawl.ids(rule, home, invoice))
        tail, whole = "?fresh" if crawl.prefix(rule) else "", crawl.body(method, rule, home)
        for more in (whole, whole, {"json": {"another": "body"}}):  # the second is a replay, the third a conflict
            crawl_(rule, method, path + tail, headers=key if rule.rule.startswith("/v1/") else {}, **more)


def test_every_answer_of_every_address_has_all_the_headers(served, home, given, clock):
    crawl_ = Crawl(served)

    asked(crawl_, home)
    carried_out(crawl_, home)
    clock.now = crawl.LATER
    for rule in crawl.rules(served):
        if crawl.prefix(rule):
            path = crawl.fill(rule, **crawl.ids(rule, home))
            for method in ("GET", "HEAD", "POST"):
                crawl_(rule, method, path, headers=HTMX)
                crawl_(rule, method, f"{path}?fresh")

    assert crawl_.statuses() >= {200, 201, 202, 302, 400, 401, 403, 404, 405, 409, 410, 413, 422}, crawl_.statuses()
    for rule in crawl.rules(served):
        seen = crawl_.seen[str(rule)]
        assert [status for status in seen if status < 300], f"{rule} was never carried out: {seen}"
        assert [status for status in seen if status >= 400], f"{rule} was never refused: {seen}"
        assert not [status for status in seen if status >= 500], f"{rule}: {seen}"
    print(f"\n{crawl_.tried} answers, {sorted(crawl_.statuses())}")


class Broken(RuntimeError):
    pass


@pytest.mark.parametrize(
    ("error", "status"),
    [(Broken("on purpose"), 500), (peewee.OperationalError("gone"), 503), (peewee.InterfaceError("gone"), 503)],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else "",
)
def test_every_failure_of_every_address_has_all_the_headers_and_says_nothing_of_its_cause(own_app, home, error, status):
    def fails(*_: Any, **__: Any) -> Any:
        raise error

    crawl_ = Crawl(own_app)
    for endpoint in own_app.view_functions:
        own_app.view_functions[endpoint] = fails

    for rule in crawl.rules(own_app):
        key = {"Authorization": f"Bearer {home.key}"} if rule.rule.startswith("/v1/") else {}
        path = crawl.fill(rule, **crawl.ids(rule, home))
        for method in crawl.methods(rule):
            response = crawl_(rule, method, path, headers=key, **crawl.body(method, rule, home))
            assert response.status_code == status, rule
            assert str(error) not in response.text
            assert "Traceback" not in response.text
            assert not crawl.prefix(rule) or home.token(crawl.prefix(rule)) not in response.text


def test_a_query_that_fails_under_an_open_link_is_a_503_with_all_the_headers(app, home, monkeypatch):
    monkeypatch.setattr(
        "portal.models.opening.opened", lambda _: (_ for _ in ()).throw(peewee.OperationalError("gone"))
    )

    response = Crawl(app)("/i/", "GET", home.urls["i"][0])

    assert (response.status_code, response.headers["Retry-After"]) == (503, "2")


def test_an_address_that_waits_its_turn_has_all_the_headers(app):
    crawl_ = Crawl(app)
    same = {"REMOTE_ADDR": "192.0.2.1"}

    for _ in range(61):
        response = crawl_("/i/", "GET", f"/i/{'x' * 73}/", environ_overrides=same)

    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0


def test_a_key_that_asks_too_often_has_all_the_headers(settings, clock, home):
    crawl_ = Crawl(create_app(settings.model_copy(update={"api_rate": ApiRate(1, 5)}), clock))

    for _ in range(9):
        response = crawl_("/v1/ping", "GET", "/v1/ping", headers={"Authorization": f"Bearer {home.key}"})

    assert response.status_code == 429


@pytest.mark.parametrize("path", ["/static/portal.css", "/static/vendor/htmx.min.js", "/static/icon.svg"])
def test_static_files_have_them_too(served, path):
    crawl_ = Crawl(served)

    for method in ("GET", "HEAD", "POST", "OPTIONS"):
        crawl_("/static/", method, path)
        crawl_("/static/", method, path, headers={"Range": "bytes=900000-"})
        crawl_("/static/", method, path, headers={"Accept-Encoding": "br, gzip"})


def test_what_is_not_there_has_them_too(served):
    crawl_ = Crawl(served)

    for path in NOWHERE:
        for method in ("GET", "HEAD", "OPTIONS", "POST", "DELETE"):
            status = crawl_("nothing", method, path).status_code
            assert 400 <= status < 500 or method == "OPTIONS", (method, path)


def test_only_listed_origins_may_frame_what_stands_below_a_link(app, home, clock):
    home.account.configure({"embed_origins": ["https://app.acme.example", "https://b.example:8443"]}, clock.now, "test")
    ask: Callable[..., TestResponse] = app.test_client().open
    allowed = "https://app.acme.example https://b.example:8443"

    for rule in crawl.rules(app):
        key = {"Authorization": f"Bearer {home.key}"} if rule.rule.startswith("/v1/") else {}
        path = crawl.fill(rule, **crawl.ids(rule, home))
        if "GET" in crawl.methods(rule):
            response = ask(path, headers=key)
            origins = allowed if crawl.prefix(rule) else ""
            assert list(offences(response, path, https=False, origins=origins)) == [], rule
        if crawl.prefix(rule):
            unknown = ask(crawl.fill(rule, **{**crawl.ids(rule, home), "token": "x"}))
            assert list(offences(unknown, path, https=False)) == [], rule
    for link in Link.select().where(Link.customer == home.customer.id, Link.ended_at.is_null()):
        link.revoke(clock.now, "test")
    for mark in "ics":
        closed = ask(home.urls[mark][0])
        assert (closed.status_code, list(offences(closed, "", https=False, origins=allowed))) == (410, [])


def test_the_check_sees_what_is_missing_and_what_is_too_much(app):
    for spoil in (
        lambda headers: headers.pop("Referrer-Policy"),
        lambda headers: headers.pop("Content-Security-Policy"),
        lambda headers: headers.set("Content-Security-Policy", "default-src 'self' 'unsafe-inline'"),
        lambda headers: headers.set("Cache-Control", "private"),
        lambda headers: headers.add("Set-Cookie", "a=b"),
        lambda headers: headers.add("Server", "gunicorn/23.0"),
        lambda headers: headers.add("X-Powered-By", "us"),
        lambda headers: headers.add("X-Frame-Options", "SAMEORIGIN"),
        lambda headers: headers.add("Strict-Transport-Security", "max-age=1"),
    ):
        response = app.test_client().get("/healthz")
        assert list(offences(response, "/healthz", https=False)) == []
        spoil(response.headers)
        assert list(offences(response, "/healthz", https=False)) != []
