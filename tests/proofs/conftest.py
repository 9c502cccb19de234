"""One shop for all proofs about money that are content with it, and how long each file of proofs took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proofs import shop as shops


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[shops.Shop]:
    with shops.opened(request.param, Path(tmp_path_factory.mktemp(f"shop-{request.param}"))) as one:
        yield one


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    took: Counter[str] = Counter()
    for report in (one for reports in terminalreporter.stats.values() for one in reports):
        file, _, _ = getattr(report, "nodeid", "").partition("::")
        if "/proofs/" in file and hasattr(report, "duration"):
            took[Path(file).stem] += report.duration
    if took:
        terminalreporter.write_sep("-", f"seconds at PROOF_SCALE={shops.SCALE:g}")
    for name, seconds in took.most_common():
        terminalreporter.write_line(f"{seconds:7.1f}  {name}")
