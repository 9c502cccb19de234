"""docs/quickstart.md is true: its program runs as it stands there, and prints what it says that it prints."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from orb import Orb

from portal import current
from portal.delivery import worker
from portal.models.base import db
from tests.conftest import Clock

PAGE = (Path(__file__).parents[2] / "docs/quickstart.md").read_text()
STEPS = re.findall(r"^## \d\. (.+?)$.*?^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SAID = re.compile(r"^print\(.*\)  # (.+)$", re.MULTILINE)


def test_the_program_prints_what_it_says(
    orb: Orb, app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KEY", orb.api_key)
    monkeypatch.setattr("orb.Orb", lambda api_key, base_url: orb.with_options(api_key=api_key))
    clock.now = datetime.now(UTC)
    program: dict[str, Any] = {}

    for title, code in STEPS:
        if title == "The bill":
            _let_the_period_pass(app, clock)
        exec(compile(code, f"quickstart: {title}", "exec"), program)
        printed = capsys.readouterr().out.splitlines()
        said = SAID.findall(code)
        assert len(printed) == len(said)
        for line, start in zip(printed, said, strict=True):
            assert line.startswith(start), f"{title}: {line}"


def test_it_is_as_short_as_it_says() -> None:
    lines = [line for _, code in STEPS for line in code.splitlines() if line.strip()]

    assert len(STEPS) == 5
    assert 35 <= len(lines) <= 47


def _let_the_period_pass(app: Flask, clock: Clock) -> None:
    """The worker, on each day until the next period is thirteen hours old."""
    for _ in range(33):
        clock.advance(days=1)
        with app.app_context(), db.connection_context():
            list(worker.deeds(clock.now, current.keyring().active))
    clock.advance(hours=13)
    assert timedelta(0) < clock.now - datetime.now(UTC) < timedelta(days=40)
