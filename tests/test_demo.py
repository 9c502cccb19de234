"""`portal demo`: a world in which every printed link leads where its name says, and nothing is left at the end."""

from __future__ import annotations

import re
import signal
import socket
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from html import escape
from pathlib import Path

import httpx
import pytest

from portal.demo import people
from tests import programs

pytestmark = pytest.mark.xdist_group("demo")  # one test process starts it, once

CLOSED = {"expired link", "revoked link"}
ABOUT_50 = range(46, 60)
FIRST_LINK_SECONDS = 20  # the goal, warm, is 5; a busy test machine gets more


@dataclass
class Demo:
    process: subprocess.Popen[str]
    links: dict[str, str]
    data: Path
    site: httpx.Client
    seconds: float  # from the start to the first link

    @property
    def api(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.links['API key']}"}

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with sqlite3.connect(f"file:{self.data}/portal.db?mode=ro", uri=True) as database:
            return database.execute(sql).fetchall()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    env = programs.environment(database_url="postgresql://somebody@elsewhere/else", gateway="none")
    began = time.monotonic()
    port = str(programs.free_port())
    with programs.running("demo", "--port", port, "--data", str(folder / "data"), env=env, log=folder / "log") as one:
        links = read_links(one)
        seconds = time.monotonic() - began
        with httpx.Client(trust_env=False, timeout=30) as site:
            yield Demo(one, links, folder / "data", site, seconds)


def read_links(demo: subprocess.Popen[str]) -> dict[str, str]:
    links: dict[str, str] = {}
    assert demo.stdout
    while "API key" not in links:
        name, separator, url = demo.stdout.readline().rstrip("\n").partition(": ")
        assert separator, f"the demo ended with {demo.wait()}"
        links[name] = url
    return links


def test_every_link_leads_where_its_name_says(demo: Demo) -> None:
    for name, url in demo.links.items():
        if re.match(r"http://[^/]+/[ics]/", url):
            answer = demo.site.get(url)

            assert answer.status_code == (410 if name in CLOSED else 200), name
            assert "</html>" in answer.text
            assert "test" in answer.text.lower(), f"{name} lacks the band of test mode"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("invoice, issued", "Issued"),
        ("invoice, overdue", "Overdue"),
        ("invoice, paid", "Paid"),
        ("invoice, void", "Void"),
    ],
)
def test_an_invoice_is_in_the_status_that_its_name_says(demo: Demo, name: str, words: str) -> None:
    assert words in demo.site.get(demo.links[name]).text


def test_each_customer_sees_her_own_name_and_currency(demo: Demo) -> None:
    for customer in (people.HARBOR, people.SAKURA, people.KHALIJ, people.NORDWIND):
        page = demo.site.get(demo.links[f"customer portal, {customer['currency']}"]).text

        assert escape(customer["name"]) in page


def test_the_api_base_and_the_key_belong_together(demo: Demo) -> None:
    base = demo.links["API base"]

    account = demo.site.get(f"{base}/account", headers=demo.api).json()
    draft = demo.site.get(demo.links["draft invoice, in the API only"], headers=demo.api).json()

    assert account["mode"] == "test"
    assert (draft["status"], draft["hosted_invoice_url"]) == ("draft", None)


def test_there_are_about_fifty_invoices_of_every_kind(demo: Demo) -> None:
    statuses = Counter(status for (status,) in demo.rows("SELECT status FROM invoice"))
    kinds = demo.rows(
        "SELECT SUM(total = 0), SUM(total < 0), SUM(balance_applied > 0), SUM(status = 'issued' AND due_date < date()),"
        " (SELECT COUNT(DISTINCT i.id) FROM allocation JOIN invoice i ON i.id = invoice_id WHERE status = 'issued')"
        " FROM invoice"
    )

    assert statuses.total() in ABOUT_50
    assert set(statuses) == {"draft", "issued", "paid", "void"}
    assert all(kinds[0])


def test_bills_have_tiers_days_discount_minimum_credits_and_tax(demo: Demo) -> None:
    base = demo.links["API base"]
    bills = [
        invoice
        for invoice in demo.site.get(f"{base}/invoices?limit=100", headers=demo.api).json()["data"]
        if invoice["invoice_source"] == "subscription"
    ]
    lines = [line for bill in bills for line in bill["line_items"]]

    assert {adjustment["adjustment_type"] for line in lines for adjustment in line["adjustments"]} >= {
        "percentage_discount",
        "minimum",
    }
    assert any(float(line["credits_applied"]) for line in lines)
    assert any(line["tax_amounts"] for line in lines)
    assert any(len(line["sub_line_items"]) > 1 for line in lines)
    ((days,),) = demo.rows("SELECT COUNT(*) FROM line_days")
    assert days >= 3 * 5 * 3  # customers, metrics, months at least


def test_usage_covers_120_days_of_5_metrics_with_quiet_weekends(demo: Demo) -> None:
    spans = demo.rows("SELECT COUNT(DISTINCT day) FROM usage_day GROUP BY customer_id, metric_id")
    calls = demo.rows(
        "SELECT day, SUM(quantity) FROM usage_day u JOIN metric m ON m.id = u.metric_id"
        " JOIN customer c ON c.id = u.customer_id WHERE m.name = 'API calls' AND c.currency = 'USD' GROUP BY day"
    )
    weekend = [int(str(count)) for day, count in calls if date.fromisoformat(str(day)).weekday() >= 5]
    week = [int(str(count)) for day, count in calls if date.fromisoformat(str(day)).weekday() < 5]

    assert len(spans) == 3 * 5
    assert all(int(str(count)) >= 120 for (count,) in spans)
    assert 2 * sum(weekend) / len(weekend) < sum(week) / len(week)


def test_what_was_used_came_as_events_through_the_api(demo: Demo) -> None:
    (told,) = demo.rows(
        "SELECT SUM(quantity) FROM usage_day u JOIN metric m ON m.id = u.metric_id WHERE name = 'API calls'"
    )
    (events,) = demo.rows("SELECT SUM(properties ->> 'calls') FROM event WHERE name = 'api.calls' AND counts")
    (left,) = demo.rows("SELECT COUNT(*) FROM backfill WHERE status != 'reflected'")

    assert told == events
    assert left == (0,)
    assert demo.rows("SELECT COUNT(*) FROM event")[0][0] in range(3 * 120 * 10, 3 * 150 * 14)


def test_the_demo_shows_each_way_to_price_and_to_measure(demo: Demo) -> None:
    base = demo.links["API base"]
    plans = demo.site.get(f"{base}/plans", headers=demo.api).json()["data"]
    metrics = demo.site.get(f"{base}/metrics", headers=demo.api).json()["data"]
    prices = [price for plan in plans for price in plan["prices"]]

    assert len(plans) == 3
    assert {price["model_type"] for price in prices} == {"unit", "tiered", "bulk", "package", "matrix"}
    assert {price["billing_mode"] for price in prices} == {"in_advance", "in_arrear"}
    assert any("DISTINCT" in metric["sql"] for metric in metrics)
    assert sum(bool(metric["dimensions"]) for metric in metrics) == 4


def test_a_part_of_a_period_was_billed_at_a_threshold_and_a_credit_note_written(demo: Demo) -> None:
    base = demo.links["API base"]
    notes = demo.site.get(f"{base}/credit_notes", headers=demo.api).json()["data"]
    parts = demo.rows("SELECT DISTINCT currency FROM invoice WHERE source = 'partial' AND status != 'draft'")

    assert [note["total"] for note in notes] == ["180.00"]
    assert parts == [("JPY",)]
    assert "Took a day too long" in demo.site.get(demo.links["invoice with a credit note"]).text


def test_prepaid_credits_are_there_with_their_ends(demo: Demo) -> None:
    base = demo.links["API base"]
    found = demo.site.get(f"{base}/customers/external_customer_id/crm/1003", headers=demo.api).json()
    answer = demo.site.get(f"{base}/customers/{found['id']}/credits?currency=KWD", headers=demo.api).json()

    assert {block["status"] for block in answer["data"]} == {"active"}
    assert all(block["expiry_date"] for block in answer["data"])
    assert len(answer["data"]) >= 1


def test_the_sandbox_answers_beside_it(demo: Demo) -> None:
    assert "no money moves" in demo.site.get(demo.links["sandbox"]).text
    assert (demo.data / "sandbox.url").read_text().strip() == demo.links["sandbox"]


def test_money_has_come_stayed_failed_and_gone_back(demo: Demo) -> None:
    bookings = demo.rows(
        "SELECT p.method, p.stage, b.kind FROM payment p LEFT JOIN booking b ON b.payment_id = p.id"
        " WHERE p.gateway = 'sandbox'"
    )
    saved = demo.rows("SELECT method, is_default FROM saved_method WHERE removed_at IS NULL ORDER BY 1, 2")

    assert set(bookings) == {
        ("card", "succeeded", "received"),
        ("sepa_debit", "succeeded", "received"),
        ("us_bank_account", "processing", None),
        ("us_bank_account", "failed", None),
        ("us_bank_account", "succeeded", "received"),
        ("us_bank_account", "succeeded", "returned"),
    }
    assert saved == [("card", 1), ("sepa_debit", 1), ("us_bank_account", 0)]


def test_portal_and_sandbox_agree_about_every_payment(demo: Demo) -> None:
    ours = demo.rows("SELECT id, gateway_ref, amount, stage FROM payment WHERE gateway = 'sandbox' ORDER BY id")
    with sqlite3.connect(f"file:{demo.data}/sandbox.db?mode=ro", uri=True) as bank:
        theirs = bank.execute("SELECT payment_id, ref, amount, stage FROM payment ORDER BY payment_id").fetchall()
        told = bank.execute("SELECT id FROM event ORDER BY id").fetchall()

    assert ours == theirs
    assert demo.rows("SELECT id FROM gateway_event WHERE applied_at IS NOT NULL ORDER BY id") == told


def test_one_invoice_has_200_lines(demo: Demo) -> None:
    page = demo.site.get(demo.links["invoice of 200 lines"]).text

    assert page.count("Edge gateway") >= 200


def test_no_link_is_in_the_database(demo: Demo) -> None:
    dump = "\n".join(sqlite3.connect(f"file:{demo.data}/portal.db?mode=ro", uri=True).iterdump())

    for url in demo.links.values():
        if token := re.search(r"/[ics]/([^/]+)/", url):
            assert token[1] not in dump
    assert demo.links["API key"] not in dump


def test_the_first_link_is_there_soon(demo: Demo) -> None:
    assert demo.seconds < FIRST_LINK_SECONDS


def test_two_demos_tell_the_same_story(demo: Demo, tmp_path: Path) -> None:
    again = tmp_path / "again"
    env = programs.environment()
    with programs.running(
        "demo", "--port", str(programs.free_port()), "--data", str(again), env=env, log=tmp_path / "log"
    ) as other:
        read_links(other)

    sql = "SELECT currency, status, total, amount_due FROM invoice ORDER BY invoice_date, currency, total"
    with sqlite3.connect(again / "portal.db") as database:
        assert database.execute(sql).fetchall() == demo.rows(sql)


# Beginning and end.


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_when_it_is_stopped(tmp_path: Path, stop: signal.Signals) -> None:
    env = programs.environment() | {"TMPDIR": str(tmp_path)}
    port = programs.free_port()
    with programs.running("demo", "--port", str(port), env=env, log=tmp_path / "log") as demo:
        links = read_links(demo)
        status = httpx.get(links["customer portal, USD"], trust_env=False, timeout=30).status_code
        # Two web processes, the worker and the sandbox.
        assert programs.wait_until(lambda: len(_descendants(demo.pid)) == 4)
        tree = _descendants(demo.pid)

        demo.send_signal(stop)
        code = demo.wait(programs.PATIENCE_SECONDS)

    assert (status, code) == (200, 0)
    assert programs.wait_until(lambda: not [pid for pid in tree if Path(f"/proc/{pid}").exists()])
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_the_rest_of_the_tree_ends_when_its_root_is_killed(tmp_path: Path) -> None:
    env = programs.environment() | {"TMPDIR": str(tmp_path)}
    with programs.running("demo", "--port", str(programs.free_port()), env=env, log=tmp_path / "log") as demo:
        read_links(demo)
        assert programs.wait_until(lambda: len(_descendants(demo.pid)) == 4)
        tree = _descendants(demo.pid)

        demo.kill()

        assert programs.wait_until(lambda: not [pid for pid in tree if Path(f"/proc/{pid}").exists()])


def test_a_port_in_use_is_said_before_anything_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = programs.run("demo", "--port", port, "--data", str(tmp_path / "data"), env=programs.environment())

    assert refused.returncode == 1
    assert refused.stderr == f"Error: Port {port} is in use: name another with --port.\n"
    assert not (tmp_path / "data").exists()


def test_a_directory_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("mine")

    refused = programs.run("demo", "--port", "0", "--data", str(tmp_path), env=programs.environment())

    assert refused.returncode == 1
    assert "is not empty" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["letter"]


def _descendants(pid: int) -> list[int]:
    """The processes that this one has begun."""
    parents = {int(path.name): path / "stat" for path in Path("/proc").iterdir() if path.name.isdigit()}
    return [child for child, stat in parents.items() if _parent(stat) == pid]


def _parent(stat: Path) -> int | None:
    try:
        return int(stat.read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None
