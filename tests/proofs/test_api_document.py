"""The API does what its own document says, against the real server: 50,000 requests, good and bad.

No failure of ours, no status and no shape that is not promised, nothing taken that the document refuses, nothing told
without a key. Not part of `make test`, which makes some hundred of them; `make proofs` prints the figures.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests import api_machine

pytestmark = pytest.mark.proof

REQUESTS = 25_000  # on each database
EACH = 100  # made up for each call, besides what lies at the edges of each field
SEED = "20261123"


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_the_api_does_what_its_document_says(kind: str, tmp_path: Path) -> None:
    with api_machine.served(kind, tmp_path) as portal:
        began = time.monotonic()
        edges = portal.start("edges", "--phases", "examples,coverage", "--seed", SEED)
        made_up = portal.start("made-up", "--phases", "fuzzing,stateful", "-n", str(EACH), "--seed", SEED)
        requests, found = edges.requests() + made_up.requests(), edges.found() + made_up.found()
        seconds = time.monotonic() - began
        failures = portal.log.read_text()

    assert found == ""
    print(f"\n{kind}: {requests:,} requests in {seconds:.0f} s, none against the document")
    assert requests >= REQUESTS
    assert "failure" not in failures
