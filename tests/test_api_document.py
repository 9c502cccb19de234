"""The API does what its own document says, against the real server: some hundred requests. `make proofs` makes more."""

from __future__ import annotations

from pathlib import Path

from tests import api_machine


def test_the_api_does_what_its_document_says(database_kind: str, tmp_path: Path) -> None:
    with api_machine.served(database_kind, tmp_path) as portal:
        machine = portal.start("some", "--phases", "examples,fuzzing", "-n", "2", "--seed", "1")

        assert machine.requests() > 200
        assert machine.found() == ""
        assert "failure" not in portal.log.read_text()
