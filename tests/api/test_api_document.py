"""The API does what its own document says: some hundred requests of a machine that reads it (more: `make proofs`)."""

from __future__ import annotations

from pathlib import Path

from tests import api_machine, api_world
from tests.conftest import Clock


def test_the_api_does_what_its_document_says(live: str, acme_key: str, clock: Clock, tmp_path: Path) -> None:
    ids = api_world.furnish(live, acme_key, clock.now)
    portal = api_machine.Served(live, acme_key, ids, tmp_path, tmp_path)

    machine = portal.start("some", "--phases", "examples,fuzzing", "-n", "1", "--seed", "1")

    assert machine.requests() > 150
    assert machine.found() == ""
