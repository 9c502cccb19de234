"""The sandbox as a process: it posts until it is heard, shows pages to payers, and outlives a kill -9."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from portal.gateways import MethodNews, PaymentNews, Refused, Unsigned
from portal.gateways.sandbox import SIGNATURE
from portal.sandbox.posting import signature
from tests import programs
from tests import sandbox as sandboxes
from tests.sandbox import Ear, Sandbox, order

DEBIT = {"method": "us_bank_account"}
DEPOSITS = {"first": "45", "second": "32"}


def told(sandbox: Sandbox, heard: list[tuple[dict[str, str], bytes]]) -> list[Any]:
    return [sandbox.gateway.read(headers, body, datetime.now(UTC)) for headers, body in heard]


# Webhooks.


def test_news_is_posted_and_signed(sandbox: Sandbox, ear: Ear) -> None:
    asked = order("settles", notify_url=ear.url, **DEBIT)
    ref = sandbox.gateway.start(asked).ref
    ear.wait(1)
    sandbox.settle(ref)

    news = told(sandbox, ear.wait(2))

    assert [one.type for one in news] == ["payment.processing", "payment.succeeded"]
    assert isinstance(news[1].news, PaymentNews)
    assert news[1].news == sandbox.gateway.look(ref)
    assert news[1].news.payment_id == asked.payment_id
    assert news == list(sandbox.gateway.since(news[0].at - timedelta(microseconds=1)))


def test_news_is_posted_again_until_it_has_arrived(sandbox: Sandbox, ear: Ear) -> None:
    ear.answers[:] = [500, 404]

    sandbox.gateway.start(order(notify_url=ear.url))

    assert len({one.id for one in told(sandbox, ear.wait(3))}) == 1


def test_news_may_come_twice(sandbox: Sandbox, ear: Ear) -> None:
    sandbox.control(duplicate_rate=1)

    sandbox.gateway.start(order(notify_url=ear.url))

    assert len({one.id for one in told(sandbox, ear.wait(2))}) == 1


def test_news_may_come_in_another_order(sandbox: Sandbox, ear: Ear) -> None:
    sandbox.control(reorder_seconds=0.3)

    began = [sandbox.gateway.start(order(notify_url=ear.url)).ref for _ in range(30)]

    arrived = [one.news.ref for one in told(sandbox, ear.wait(30))]
    assert sorted(arrived) == sorted(began)
    assert arrived != began


def test_while_webhooks_are_held_only_the_list_tells(sandbox: Sandbox, ear: Ear) -> None:
    sandbox.control(hold=True, settle_seconds=0)
    began = datetime.now(UTC)
    ref = sandbox.gateway.start(order(notify_url=ear.url, **DEBIT)).ref
    assert programs.wait_until(lambda: sandbox.gateway.look(ref).stage == "succeeded")

    # What settled it would have planned its deliveries in the same transaction.
    with sqlite3.connect(f"file:{sandbox.data}/sandbox.db?mode=ro", uri=True) as database:
        planned = database.execute("SELECT SUM(planned) FROM event WHERE notify_url = ?", [ear.url]).fetchone()
    assert planned == (0,)
    assert len(list(sandbox.gateway.since(began))) == 2
    sandbox.control(hold=False)
    ear.wait(2)


def test_a_method_that_was_removed_is_told(sandbox: Sandbox, ear: Ear) -> None:
    saved = sandbox.gateway.start(order(saves=True, notify_url=ear.url)).saved
    assert saved

    sandbox.control(change_method={"ref": saved.ref, "expires": "2040-01"})
    sandbox.control(remove_method=saved.ref)

    _, changed, removed = told(sandbox, ear.wait(3))
    assert isinstance(changed.news, MethodNews)
    assert changed.news.saved
    assert changed.news.saved.expires == "2040-01"
    assert (removed.news.ref, removed.news.saved) == (saved.ref, None)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x",
        "http://127.0.0.1@evil.example/",
        "http://127.0.0.1\\@evil.example/",
        "ftp://127.0.0.1/",
    ],
)
def test_nothing_is_posted_to_strangers(sandbox: Sandbox, url: str) -> None:
    with pytest.raises(Refused):
        sandbox.gateway.start(order(notify_url=url))


def test_an_address_that_leads_nowhere_does_not_stop_the_rest(sandbox: Sandbox, ear: Ear) -> None:
    for url in ("http://127.0.0.1:99999/", "http://127.999.0.1/", sandboxes.NOWHERE):
        sandbox.gateway.start(order(notify_url=url))

    sandbox.gateway.start(order(notify_url=ear.url))

    ear.wait(1)


def test_what_is_not_signed_by_the_sandbox_just_now_is_no_news(sandbox: Sandbox) -> None:
    """2,000 mutations of body, time and signature; the proofs try many more."""
    now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    body = json.dumps({"id": "evt_1", "type": "ping", "at": 1, "live": False, "data": {"object": "ping"}}).encode()
    secret = sandbox.gateway._webhook_secret.decode()
    signed = signature(secret, int(now.timestamp()), body)
    chance = random.Random(5)
    assert sandbox.gateway.read({SIGNATURE.upper(): signed}, body, now).id == "evt_1"

    for number in range(2000):
        where = chance.randrange(len(body)) if number % 2 else chance.randrange(len(signed) + 1)
        flipped = chr(chance.choice([0, 10, 32, 44, 48, 61, 65, 127, 255, 0x661, 0x1F600]))
        headers, posted = {SIGNATURE: signed}, body
        if number % 2:
            posted = body[:where] + bytes([body[where] ^ (1 << chance.randrange(8))]) + body[where + 1 :]
        else:
            headers = {SIGNATURE: signed[:where] + flipped + signed[where + chance.randrange(2) :]}
        if (headers, posted) != ({SIGNATURE: signed}, body):
            with pytest.raises(Unsigned):
                sandbox.gateway.read(headers, posted, now)


@pytest.mark.parametrize(("seconds", "accepted"), [(-301, False), (-300, True), (0, True), (300, True), (301, False)])
def test_news_is_as_old_as_five_minutes_and_as_young(sandbox: Sandbox, seconds: int, accepted: bool) -> None:
    now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    body = b'{"id": "evt_1", "type": "ping", "at": 1, "live": false, "data": {"object": "ping"}}'
    signed = signature(sandbox.gateway._webhook_secret.decode(), int(now.timestamp()) + seconds, body)

    if accepted:
        assert sandbox.gateway.read({SIGNATURE: signed}, body, now).news is None
    else:
        with pytest.raises(Unsigned):
            sandbox.gateway.read({SIGNATURE: signed}, body, now)


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"\xff", b"{}", b'{"data": 5}', b'{"data": {"object": []}}', b"[" * 100_000]
    + [
        json.dumps({"id": "e", "type": "t", "at": at, "data": {"object": kind, "ref": 5}}).encode()
        for at, kind in [(1, "payment"), (10**30, "ping"), ("x", "ping"), (1, "refund"), (None, "ping")]
    ],
)
def test_signed_nonsense_is_no_news_either(sandbox: Sandbox, body: bytes) -> None:
    now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    signed = signature(sandbox.gateway._webhook_secret.decode(), int(now.timestamp()), body)

    with pytest.raises(Unsigned):
        sandbox.gateway.read({SIGNATURE: signed}, body, now)


# What payers see.


@pytest.mark.parametrize(
    ("answer", "stage", "failure"), [("approve", "succeeded", None), ("fail", "failed", "not_confirmed")]
)
def test_a_payer_confirms_and_goes_back(sandbox: Sandbox, answer: str, stage: str, failure: str | None) -> None:
    news = sandbox.gateway.start(order("3155", saves=True))
    back = "http://127.0.0.1:8000/i/a-token/payments/1?x=1&y=2"
    assert news.action
    assert news.action.url

    page = httpx.get(news.action.url, params={"return": back}, trust_env=False)
    done = httpx.post(page.url, data={"answer": answer}, trust_env=False)
    twice = httpx.post(page.url, data={"answer": "approve"}, trust_env=False)

    end = sandbox.gateway.look(news.ref)
    assert "USD 10.00" in page.text
    assert (done.status_code, done.headers["Location"], twice.status_code) == (303, back, 303)
    assert (end.stage, end.failure, bool(end.saved)) == (stage, failure, answer == "approve")


def test_a_bank_account_is_verified_by_two_small_amounts(sandbox: Sandbox) -> None:
    news = sandbox.gateway.start(order("micro_deposits", saves=True, **DEBIT))
    assert news.action
    assert news.action.url
    assert (news.action.kind, news.saved) == ("micro_deposits", None)

    wrong = httpx.post(news.action.url, data={"first": "1", "second": "x"}, trust_env=False)
    right = httpx.post(f"{news.action.url}?return=http://localhost:8000/back", data=DEPOSITS, trust_env=False)

    assert (wrong.status_code, right.status_code) == (422, 303)
    assert "not the amounts" in wrong.text
    assert 'value="x"' in wrong.text  # what was typed survives
    now = sandbox.gateway.look(news.ref)
    assert (now.stage, bool(now.saved)) == ("processing", True)


def test_three_wrong_amounts_are_the_end(sandbox: Sandbox) -> None:
    news = sandbox.gateway.start(order("micro_deposits", **DEBIT))
    assert news.action
    assert news.action.url

    for _ in range(3):
        httpx.post(news.action.url, data={"first": "1", "second": "2"}, trust_env=False)
    late = httpx.post(news.action.url, data=DEPOSITS, trust_env=False)

    end = sandbox.gateway.look(news.ref)
    assert "was not made" in late.text
    assert (end.stage, end.failure) == ("failed", "wrong_details")


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/",
        "//evil.example/",
        "javascript:alert(1)",
        "http://localhost@evil.example/",
        "http://localhost.evil.example/",
        "http://127.0.0.1.evil.example/",
        "http://localhost\\@evil.example",
        "http://localhost/\r\nX: y",
        "/i/token/",
    ],
)
def test_nobody_is_sent_to_a_stranger(sandbox: Sandbox, back: str) -> None:
    news = sandbox.gateway.start(order("3155"))
    assert news.action
    assert news.action.url

    shown = httpx.get(news.action.url, params={"return": back}, trust_env=False)
    done = httpx.post(news.action.url, params={"return": back}, data={"answer": "approve"}, trust_env=False)

    assert (shown.status_code, done.status_code) == (400, 400)
    assert "evil" not in shown.headers["Content-Security-Policy"]
    assert sandbox.gateway.look(news.ref).stage == "action"


def test_where_to_return_is_remembered_by_the_browser_alone(sandbox: Sandbox) -> None:
    news = sandbox.gateway.start(order("3155"))
    assert news.action
    assert news.action.url

    httpx.post(
        news.action.url, params={"return": "http://127.0.0.1/i/SeCrEt/"}, data={"answer": "approve"}, trust_env=False
    )

    kept = [path for path in sandbox.data.iterdir() if b"SeCrEt" in path.read_bytes()]
    assert (sandbox.data / "sandbox.db").exists()
    assert kept == []


def test_a_page_of_the_sandbox_is_strict(sandbox: Sandbox) -> None:
    news = sandbox.gateway.start(order("3155"))
    assert news.action
    assert news.action.url

    for path in ("/", "/nothing", news.action.url.removeprefix(sandbox.url)):
        page = httpx.get(f"{sandbox.url}{path}", trust_env=False)
        policy = page.headers["Content-Security-Policy"]

        assert "default-src 'none'" in policy
        assert "frame-ancestors 'self' http://127.0.0.1:*" in policy
        assert "Set-Cookie" not in page.headers
        assert page.headers["Referrer-Policy"] == "strict-origin"
        assert "</html>" in page.text
    assert httpx.get(f"{sandbox.url}/portal.css", trust_env=False).headers["Content-Type"].startswith("text/css")


def test_another_site_confirms_nothing(sandbox: Sandbox) -> None:
    news = sandbox.gateway.start(order("3155"))
    assert news.action
    assert news.action.url

    refused = httpx.post(
        news.action.url, data={"answer": "approve"}, headers={"Sec-Fetch-Site": "cross-site"}, trust_env=False
    )

    assert refused.status_code == 403
    assert sandbox.gateway.look(news.ref).stage == "action"


# Who may ask.


@pytest.mark.parametrize(
    ("verb", "path"), [("POST", "/v1/payments"), ("GET", "/v1/payments"), ("GET", "/v1/events"), ("POST", "/_control")]
)
def test_a_call_without_the_key_is_refused(sandbox: Sandbox, verb: str, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eA=="}):
        answer = httpx.request(verb, f"{sandbox.url}{path}", headers=headers, json={}, trust_env=False)

        assert answer.status_code == 401


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"amount": "5"}', b'{"x": 1}', b'{"settle": 5}', b'{"timeout_rate": 2}', b"\xff"]
)
def test_a_body_that_is_not_understood_is_named(sandbox: Sandbox, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {sandbox.gateway._key}", "Content-Type": "application/json"}

    for path in ("/v1/payments", "/v1/refunds", "/v1/payers", "/_control"):
        answer = httpx.post(f"{sandbox.url}{path}", headers=headers, content=body, trust_env=False)

        assert answer.status_code == 400
        assert answer.json()["error"]["message"]


# Beginning and end.


def test_everything_outlives_a_kill(tmp_path: Path, ear: Ear) -> None:
    asked, debited = order(), order(**DEBIT)
    with sandboxes.running(tmp_path, "--hold") as first:
        paid, debit = first.gateway.start(asked), first.gateway.start(debited)
        first.gateway.start(order(notify_url=ear.url))
        os.kill(first.pid, signal.SIGKILL)
        os.waitid(os.P_PID, first.pid, os.WEXITED | os.WNOWAIT)

    with sandboxes.running(tmp_path) as second:
        again = second.gateway.start(asked)
        second.settle(debit.ref)
        news = told(second, ear.wait(1))
        addresses = {first.url, second.url}
        with sqlite3.connect(f"file:{tmp_path}/sandbox.db?mode=ro", uri=True) as database:
            sound = database.execute("PRAGMA integrity_check").fetchone()

    assert again == paid
    assert news[0].type == "payment.succeeded"
    assert len(addresses) == 2
    assert sound == ("ok",)
    assert (tmp_path / "sandbox.url").read_text().strip() == second.url


def test_a_portal_without_the_sandbox_does_not_read_its_modules() -> None:
    loaded = "import sys, portal.app, portal.gateways; print([n for n in sys.modules if 'sandbox' in n])"
    done = subprocess.run([sys.executable, "-c", loaded], env=programs.environment(), capture_output=True, text=True)

    assert done.stdout == "[]\n", done.stderr
