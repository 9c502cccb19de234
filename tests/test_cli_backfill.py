"""`portal backfill FILE`: a file of events becomes one backfill, all or nothing of a line's mistakes, and can go on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from portal.cli import backfill as command
from portal.cli import main, progress
from portal.models import base, ingestion
from portal.models.account import Account
from portal.models.base import Row
from portal.models.catalog import Metric
from portal.models.event import Backfill, Event
from portal.models.usage import UsageDay
from tests.given import Given

RING = "k1:QmVob2xkIHRoZSBvbmUgdGVzdCBrZXkgb2Yga2V5cyE=:active"
SECRET = "a secret that only the tests know 0123456789"
FIRST = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _same_database_afterwards() -> Iterator[None]:
    bound = base.db.obj
    yield
    base.db.initialize(bound)


@dataclass
class Desk:
    """The command, for Acme; and what the database says of Acme afterwards."""

    env: dict[str, str]
    account: str
    folder: Path

    def load(self, lines: list[Any]) -> Result:
        file = self.folder / "events.ndjson"
        file.write_text("".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines))
        return CliRunner().invoke(main, ["backfill", str(file), "--account", self.account], env=self.env)

    def rows(self, table: type[Row]) -> list[Any]:
        with base.connection():
            return list(table.select().where(table.account == self.account))  # type: ignore[attr-defined]  # all have one

    def counted(self) -> int:
        with base.connection():
            mine = UsageDay.select().join(Metric).where(Metric.account == self.account)
            return sum(int(row.quantity) for row in mine)


@pytest.fixture
def desk(migrated: str, tmp_path: Path, acme: Account, given: Given) -> Desk:
    item = given.item(acme)
    Metric.create(account=acme, item=item, created_at=FIRST, name="Calls", sql="SELECT SUM(n) FROM events")
    given.customer(acme, external_id="crm-1")
    settings = {"data_dir": str(tmp_path), "database_url": migrated, "link_keys": RING, "secret_key": SECRET}
    return Desk({f"PORTAL_{name.upper()}": value for name, value in settings.items()}, acme.id, tmp_path)


def events(count: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {
            "event_name": "call",
            "idempotency_key": f"k{n}",
            "external_customer_id": "crm-1",
            "timestamp": (FIRST + timedelta(hours=n)).isoformat(),
            "properties": {"n": 2},
            **more,
        }
        for n in range(count)
    ]


def test_a_file_becomes_one_backfill_that_counts(desk: Desk) -> None:
    done = desk.load(["\ufeff", *events(1100), "\n"])

    assert done.exit_code == 0, done.stderr
    (made,) = desk.rows(Backfill)
    assert (made.id, made.status) == (done.stdout.strip(), "reflected")
    assert (made.timeframe_start, made.timeframe_end) == (FIRST, FIRST + timedelta(hours=1099, seconds=1))
    assert (len(desk.rows(Event)), desk.counted()) == (1100, 2200)
    assert "1100 events loaded, 0 were there before" in done.stderr


def test_loading_it_twice_counts_it_once(desk: Desk) -> None:
    desk.load(events(10))

    again = desk.load(events(10))

    assert "0 events loaded, 10 were there before" in again.stderr
    assert desk.counted() == 20


def test_mistakes_are_told_by_their_lines_before_anything_is_kept(desk: Desk) -> None:
    lines = [
        *events(2),
        '{"a": 1, "a": 2}\n',
        "[]\n",
        *events(1, timestamp="yesterday"),
        *events(1, properties={"x": []}),
    ]

    refused = desk.load(lines)

    assert refused.exit_code == 1
    told = refused.stderr.splitlines()
    assert [line.partition(":")[0] for line in told if line.startswith("line ")] == [
        "line 3",
        "line 4",
        "line 5",
        "line 6",
    ]
    assert told[-1] == "Error: 4 lines of events.ndjson cannot be used. Nothing was loaded."
    assert desk.rows(Backfill) + desk.rows(Event) == []


def test_what_was_interrupted_goes_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(command.backfills, "close", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        assert desk.load(events(600)).exit_code == 1
    assert desk.counted() == 0

    done = desk.load(events(600))

    assert "Going on with the backfill" in done.stderr
    assert "0 events loaded, 600 were there before" in done.stderr
    assert (len(desk.rows(Backfill)), desk.counted()) == (1, 1200)


def test_what_only_the_database_can_refuse_is_told_by_its_line_too(desk: Desk) -> None:
    stranger = {**events(1)[0], "idempotency_key": "s", "external_customer_id": None, "customer_id": "nobody"}

    refused = desk.load([*events(600), stranger])

    assert refused.exit_code == 1
    assert f"line 601: {ingestion.STRANGER}" in refused.stderr
    assert "Nothing of lines 501 to 601 was kept" in refused.stderr
    assert (len(desk.rows(Event)), desk.counted()) == (500, 0)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([], "Error: events.ndjson has no events in it."),
        (
            [events(1)[0], {**events(1)[0], "idempotency_key": "k", "timestamp": "2024-01-01T00:00:00Z"}],
            "Error: The events are of 790 days: a backfill may have 366. Split the file.",
        ),
    ],
)
def test_what_cannot_be_one_backfill_is_refused(desk: Desk, lines: list[Any], sentence: str) -> None:
    assert desk.load(lines).stderr.splitlines()[-1] == sentence


def test_a_log_is_told_now_and_then_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    moments = iter([0.0, 1.0, 6.0, 6.0, 7.0, 20.0])

    with progress.told("Loading", 200, lambda: next(moments)) as told:
        for _ in range(3):
            told(50)

    assert capsys.readouterr().err.splitlines() == ["Loading …", "Loading: 50 %", "Loading: done in 20.0 s"]
