"""One shop for all proofs about money that are content with it: its processes take seconds to start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proofs import shop as shops


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[shops.Shop]:
    with shops.opened(request.param, Path(tmp_path_factory.mktemp(f"shop-{request.param}"))) as one:
        yield one
